// Copying a text, also where there is no TLS.
import { h } from './dom.js';

/** @param {string} text @returns {Promise<boolean>} whether it is copied */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Then by a selection, as browsers did before.
  }
  const box = h('textarea', { class: 'sr-only', readonly: true }, text);
  (document.querySelector('dialog[open]:last-of-type') ?? document.body).append(box);
  box.select();
  try {
    return document.execCommand('copy');
  } catch {
    return false;
  } finally {
    box.remove();
  }
}
