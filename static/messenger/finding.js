// The way from anywhere to a chat by the keyboard: into the box that finds, through what it found, and into one of them.
import { $ } from '../shared/dom.js';

/**
 * @param {object} options
 * @param {import('./search.js').Search} options.search
 * @param {() => void} options.found called when one of those found is opened: the list is whole again
 * @param {() => void} options.given called when one gives it up
 */
export function wireFinding({ search, found, given }) {
  const filter = $('filter', HTMLInputElement);
  const rows = () => /** @type {HTMLElement[]} */ ([...$('lists').querySelectorAll('a.chat-row, a.hit')].filter((row) => row.checkVisibility()));
  document.addEventListener('keydown', async (event) => {
    if (!isCall(event) || document.querySelector('dialog[open]')) return;
    event.preventDefault();
    await toList();
    filter.focus();
    filter.select();
  });
  filter.addEventListener('keydown', (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const [first] = rows();
    if (event.key === 'ArrowDown') first?.focus();
    else if (event.key === 'Enter' && filter.value.trim() !== '') first?.click();
    else if (event.key === 'Escape' && filter.value === '') given();
    else return;
    event.preventDefault();
  });
  $('lists').addEventListener('keydown', (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey || !target.matches('a.chat-row, a.hit')) return;
    event.preventDefault();
    const all = rows();
    const next = all.indexOf(target) + step;
    if (next < 0) filter.focus();
    else all[next]?.focus();
  });
  $('lists').addEventListener('click', (event) => {
    if (event.target instanceof Element && event.target.closest('a.chat-row') && (filter.value !== '' || search.narrowed)) found();
  });
}

/** The list of chats is there: on a phone it takes the place of the chat. @returns {Promise<unknown>} */
export function toList() {
  if ($('lists').checkVisibility()) return Promise.resolve();
  const there = new Promise((resolve) => addEventListener('hashchange', resolve, { once: true }));
  location.hash = '#/';
  return there;
}

/** Whether a key calls for the box: Ctrl+K anywhere, a slash where it is no letter. @param {KeyboardEvent} event */
function isCall(event) {
  if (event.altKey || event.shiftKey) return event.key === '/' && !event.altKey && !isWriting(event);
  if (event.ctrlKey || event.metaKey) return event.key.toLowerCase() === 'k';
  return event.key === '/' && !isWriting(event);
}

/** Whether what is typed goes into a field. @param {Event} event */
export const isWriting = ({ target }) => target instanceof Element && target.closest('input, textarea, select, [contenteditable]') !== null;
