// A small menu over the page: opened by mouse, touch or keyboard, and walked through with the arrows.
import { h } from '../shared/dom.js';

/** @typedef {{text: string, act: () => unknown, danger?: boolean, checked?: boolean, keys?: string} | null} Entry null is a line between */

/**
 * Opens a menu at a place, or beside an element; ends when something was chosen, or nothing.
 * @param {Entry[]} entries
 * @param {{at?: {x: number, y: number}, beside?: HTMLElement, label: string, head?: HTMLElement | null}} options
 */
export function openMenu(entries, { at, beside, label, head = null }) {
  const dialog = h('dialog', { class: 'menu' });
  const close = () => {
    dialog.close();
    dialog.remove();
  };
  const items = entries.map((entry) => (entry ? drawEntry(entry, close) : h('hr', { role: 'separator' })));
  dialog.append(...(head ? [head] : []), h('div', { role: 'menu', 'aria-label': label }, items));
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) close();
  });
  dialog.addEventListener('keydown', (event) => walk(dialog, event));
  document.body.append(dialog);
  dialog.showModal();
  place(dialog, at ?? placeOf(beside));
  /** @type {HTMLElement | null} */ (dialog.querySelector('[role^=menuitem]'))?.focus();
  return close;
}

/**
 * @param {NonNullable<Entry>} entry
 * @param {() => void} close
 */
function drawEntry({ text, act, danger, checked, keys }, close) {
  return h(
    'button',
    {
      type: 'button',
      role: checked === undefined ? 'menuitem' : 'menuitemradio',
      'aria-checked': checked === undefined ? null : String(checked),
      'aria-keyshortcuts': keys,
      class: danger ? 'menu-entry danger' : 'menu-entry',
      tabindex: '-1',
      onclick: () => {
        close();
        act();
      },
    },
    h('span', {}, text),
    keys ? h('kbd', { 'aria-hidden': 'true' }, keys.replace('Control', 'Ctrl').replace(/\b\+/u, ' ')) : null,
  );
}

/**
 * @param {HTMLElement} dialog
 * @param {KeyboardEvent} event
 */
function walk(dialog, event) {
  if (walkAcross(dialog, event)) return;
  const items = /** @type {HTMLElement[]} */ ([...dialog.querySelectorAll('[role^=menuitem]')]);
  const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const places = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
  const next = places[/** @type {keyof typeof places} */ (event.key)];
  if (next === undefined || items.length === 0) return;
  event.preventDefault();
  items[(next + items.length) % items.length].focus();
}

/**
 * Left and right go through what stands in a row above the entries.
 * @param {HTMLElement} dialog
 * @param {KeyboardEvent} event
 */
function walkAcross(dialog, event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const row = /** @type {HTMLElement[]} */ ([...dialog.querySelectorAll('.quick button')]);
  if (!step || row.length === 0) return false;
  event.preventDefault();
  const at = row.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  row[at < 0 ? 0 : (at + step + row.length) % row.length].focus();
  return true;
}

/** @param {HTMLElement | undefined} element */
function placeOf(element) {
  const box = element?.getBoundingClientRect();
  return box ? { x: box.left, y: box.bottom + 4, right: box.right } : { x: innerWidth / 2, y: innerHeight / 2 };
}

/**
 * Within the window, whatever the place. On a phone it comes from below, by its style.
 * @param {HTMLElement} dialog
 * @param {{x: number, y: number, right?: number}} place
 */
function place(dialog, { x, y, right }) {
  const { offsetWidth: width, offsetHeight: height } = dialog;
  const left = right !== undefined && x + width > innerWidth - 8 ? right - width : x;
  dialog.style.setProperty('--left', `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`);
  dialog.style.setProperty('--top', `${Math.max(8, Math.min(y, innerHeight - height - 8))}px`);
}
