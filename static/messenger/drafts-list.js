// What was begun and not sent: told above the list of chats, and shown in a panel that leads to each, or throws it away.
import { $, h, setText, show } from '../shared/dom.js';
import { hue, initials, plural } from '../shared/format.js';
import { plainText } from './markdown.js';
import { openSheet } from './sheet.js';

/** @typedef {{chat: number, text: string}} Draft */

export class DraftsList {
  /**
   * @param {object} options
   * @param {import('./model.js').Model} options.model
   * @param {import('../shared/drafts.js').Drafts} options.drafts
   * @param {() => number | null} options.current the open chat, whose draft one sees
   */
  constructor({ model, drafts, current }) {
    this.model = model;
    this.drafts = drafts;
    this.current = current;
    /** @type {ReturnType<typeof openSheet> | null} */
    this.sheet = null;
    this.list = h('ul', { class: 'drafts' });
    this.note = h('p', { class: 'hint', role: 'status' });
    $('drafts-open').addEventListener('click', () => this.open());
    this.list.addEventListener('keydown', (event) => this.key(event));
    drafts.onChange(() => model.changed());
    model.onChange(() => this.render());
  }

  /** The drafts of other chats, in the order of the list. @returns {Draft[]} */
  get all() {
    const active = (/** @type {Draft} */ { chat }) => this.model.chats.get(chat)?.active ?? 0;
    return this.drafts
      .all()
      .map(([chat, text]) => ({ chat: Number(chat), text }))
      .filter(({ chat }) => chat !== this.current())
      .sort((a, b) => active(b) - active(a));
  }

  render() {
    const { length } = this.all;
    setText($('drafts-open'), plural(length, 'draft', 'drafts'));
    show($('drafts-open'), length > 0);
  }

  open() {
    this.sheet = openSheet('Drafts', {
      closed: () => {
        this.sheet = null;
      },
    });
    this.sheet.body.append(h('p', { class: 'hint' }, 'Begun and not sent. They are kept in this browser alone.'), this.list, this.note);
    this.fill();
    this.list.querySelector('a')?.focus();
  }

  fill() {
    this.list.replaceChildren(...this.all.map((draft) => this.row(draft)));
    setText(this.note, this.list.childElementCount === 0 ? 'There is nothing more.' : '');
  }

  /** @param {Draft} draft */
  row({ chat, text }) {
    const title = (this.model.chats.get(chat) ?? this.model.lost.get(chat))?.title ?? 'A chat that you are not in';
    return h(
      'li',
      { class: 'draft', 'data-chat': chat },
      h(
        'a',
        { class: 'chat-row', href: `#/chats/${chat}`, 'aria-keyshortcuts': 'Delete', onclick: () => this.sheet?.close() },
        h('span', { class: `face ${hue(chat)}`, 'aria-hidden': 'true' }, initials(title)),
        h(
          'span',
          { class: 'chat-words' },
          h('span', { class: 'chat-title', dir: 'auto' }, title),
          h('span', { class: 'draft-words', dir: 'auto' }, plainText(text).slice(0, 200)),
        ),
      ),
      h('button', { class: 'button small', type: 'button', 'aria-label': `Delete the draft in ${title}`, onclick: () => this.drop(chat) }, 'Delete'),
    );
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const row = event.target instanceof Element ? event.target.closest('li') : null;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!row || (!step && event.key !== 'Delete')) return;
    event.preventDefault();
    if (event.key === 'Delete') this.drop(Number(row.dataset.chat));
    else this.focus([...this.list.children].indexOf(row) + Number(step));
  }

  /** @param {number} chat */
  drop(chat) {
    const at = [...this.list.children].findIndex((row) => row instanceof HTMLElement && Number(row.dataset.chat) === chat);
    this.drafts.set(chat, '');
    this.fill();
    this.focus(Math.min(at, this.list.childElementCount - 1));
  }

  /** @param {number} index */
  focus(index) {
    if (this.list.childElementCount === 0) this.sheet?.heading.focus();
    else this.list.children[index]?.querySelector('a')?.focus();
  }
}
