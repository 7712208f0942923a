// From one day of a chat to another.
import { get } from '../shared/api.js';
import { h, speak } from '../shared/dom.js';
import { labelled } from './sheet.js';

/** @typedef {import('./model.js').Message} Message */
/** @typedef {(before: number) => Promise<{messages: Message[], has_more?: boolean}>} Read reads the page before a message */

const PAGE = 50;

/**
 * The first message that was said at a time or after it; null when there is none. Later messages have later places, so
 * it is found by halving what is left between the beginning and the end.
 * @param {number} time
 * @param {Message} newest
 * @param {Read} read
 */
export async function firstSince(time, newest, read) {
  if (Date.parse(newest.time) < time) return null;
  /** Whatever is not after this place is too early; `found` is not. */
  let early = 0;
  let found = newest.id;
  while (found - early > 1) {
    const middle = Math.floor((early + found) / 2);
    const { messages, has_more: more } = await read(middle + 1);
    const at = messages.findIndex((message) => Date.parse(message.time) >= time);
    if (at < 0) early = middle;
    else found = messages[at].id;
    if (at > 0 || (at === 0 && !more)) break;
  }
  return found;
}

/** @param {Date} date as an input of dates has it */
const written = (date) => [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0')).join('-');

/**
 * Asks for a day, and gives the first message since then.
 * @param {number} chat
 * @param {string} from a time on the day that one leaves
 * @param {(message: number | null) => unknown} go called with the message; null when nothing was said since
 */
export function askForDay(chat, from, go) {
  const input = h('input', { type: 'date', required: true, value: written(new Date(from)), max: written(new Date()) });
  const close = () => dialog.close();
  const form = h(
    'form',
    { class: 'stack', method: 'dialog' },
    h('h2', { id: 'day-title' }, 'Go to a day'),
    labelled('Day', input, 'The chat opens at the first message of that day, or the next one after it.'),
    h('div', { class: 'row-end' }, h('button', { class: 'button', type: 'button', onclick: close }, 'Cancel'), h('button', { class: 'button primary' }, 'Go')),
  );
  const dialog = h('dialog', { class: 'dialog small-dialog', 'aria-labelledby': 'day-title' }, form);
  dialog.addEventListener('close', () => dialog.remove());
  form.addEventListener('submit', async () => {
    const [year, month, day] = input.value.split('-').map(Number);
    try {
      const { body } = await get(`/api/chats/${chat}?limit=1`);
      const newest = body.messages.at(-1);
      const read = async (/** @type {number} */ before) => (await get(`/api/chats/${chat}?before=${before}&limit=${PAGE}`)).body;
      go(newest ? await firstSince(new Date(year, month - 1, day).getTime(), newest, read) : null);
    } catch {
      speak('That day could not be looked up.');
    }
  });
  document.body.append(dialog);
  dialog.showModal();
  input.focus();
}
