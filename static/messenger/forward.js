// Taking a message to another chat: it becomes the beginning of what one writes there, with a link to where it was said.
import { h, setText } from '../shared/dom.js';
import { drawFace } from './face.js';
import { fold } from './completion.js';
import { escaped } from './nameable.js';
import { addressOf } from './places.js';
import { quoted } from './quoting.js';
import { labelled, openSheet } from './sheet.js';

/** @typedef {import('./chat-entry.js').Chat} Chat */

const MOST = 50;

/**
 * What is written in the other chat.
 * @param {import('./model.js').Message} message
 * @param {{name: string, chat: Chat}} from who said it, and where
 */
export function forwarded({ id, content }, { name, chat }) {
  const where = chat.direct ? escaped(name) : `${escaped(name)} in ${escaped(chat.title)}`;
  return `${quoted(content)}\n\n[${where}](${addressOf(chat.id, id)})\n\n`;
}

/**
 * Asks for a chat of mine.
 * @param {import('./model.js').Model} model
 * @param {(chat: Chat) => void} chosen
 */
export function chooseChat(model, chosen) {
  const mine = [...model.chats.values()].filter((chat) => chat.member).sort((a, b) => b.active - a.active);
  const input = h('input', { type: 'search', autocomplete: 'off', oninput: () => fill() });
  const list = h('ul', { class: 'people' });
  const note = h('p', { class: 'hint', role: 'status' });
  const sheet = openSheet('Forward to');
  const pick = (/** @type {Chat} */ chat) => {
    sheet.close();
    chosen(chat);
  };
  const row = (/** @type {Chat} */ chat) => {
    const face = drawFace({ id: chat.person_id ?? chat.id, name: chat.title, photo: chat.person_id ? model.photo(chat.person_id) : null, small: true });
    return h(
      'li',
      {},
      h(
        'button',
        { class: 'person-row', type: 'button', onclick: () => pick(chat) },
        face,
        h('span', { class: 'short', dir: 'auto', title: chat.title }, chat.title),
      ),
    );
  };
  const fill = () => {
    const sought = fold(input.value.trim());
    const found = mine.filter((chat) => fold(chat.title).includes(sought));
    list.replaceChildren(...found.slice(0, MOST).map(row));
    setText(note, found.length === 0 ? 'No chat of yours is called that.' : found.length > MOST ? 'There are more: write a part of the title.' : '');
  };
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing) return;
    event.preventDefault();
    list.querySelector('button')?.click();
  });
  sheet.body.append(labelled('Find a chat', input), list, note);
  fill();
  input.focus();
}
