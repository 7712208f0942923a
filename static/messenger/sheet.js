// A panel that slides over the page from its side, made when it is opened and taken away when it is closed.
import { drawing, h } from '../shared/dom.js';

const CROSS = 'M6 6l12 12M18 6L6 18';

/** @type {number} */
let count = 0;

/**
 * @param {string} title
 * @param {{wide?: boolean, closed?: () => void}} [options]
 */
export function openSheet(title, { wide = false, closed } = {}) {
  count += 1;
  const id = `sheet-title-${count}`;
  const body = h('div', { class: 'sheet-body' });
  const heading = h('h2', { id, tabindex: '-1' }, title);
  const dialog = h(
    'dialog',
    { class: wide ? 'dialog sheet wide' : 'dialog sheet', 'aria-labelledby': id },
    h(
      'header',
      { class: 'dialog-head' },
      heading,
      h('button', { class: 'icon-button', type: 'button', 'aria-label': 'Close', onclick: () => dialog.close() }, drawing(CROSS)),
    ),
    body,
  );
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener('close', () => {
    dialog.remove();
    closed?.();
  });
  document.body.append(dialog);
  dialog.showModal();
  heading.focus();
  return { dialog, body, heading, close: () => dialog.close() };
}

/**
 * A field of a form with its label.
 * @param {string} label
 * @param {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} field
 * @param {string} [hint]
 */
export function labelled(label, field, hint) {
  count += 1;
  field.id ||= `field-${count}`;
  const about = hint ? h('p', { id: `${field.id}-hint`, class: 'hint' }, hint) : null;
  if (about) field.setAttribute('aria-describedby', about.id);
  return h('div', { class: 'field' }, h('label', { for: field.id }, label), field, about);
}

/** Where a form says what is wrong. */
export const errorLine = () => h('p', { class: 'form-error', role: 'alert', hidden: true });
