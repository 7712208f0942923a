// The confirmation dialog.
import { $, h, setText, show } from './dom.js';

/**
 * Opens a confirmation dialog. Without `yes` it is a notice with one button.
 * @param {{title: string, text: string, quote?: string, yes?: string, no?: string}} question `quote` is what it is about, word by word
 * @returns {Promise<boolean>}
 */
export function confirm({ title, text, quote, yes, no = 'Cancel' }) {
  const dialog = $('confirm', HTMLDialogElement);
  setText($('confirm-title'), title);
  $('confirm-text').replaceChildren(...(quote ? [h('span', { class: 'dialog-quote', dir: 'auto' }, `“${quote}”`)] : []), text);
  setText($('confirm-yes'), yes ?? '');
  setText($('confirm-no'), no);
  show($('confirm-yes'), Boolean(yes));
  dialog.returnValue = '';
  dialog.showModal();
  $('confirm-no').focus();
  $('confirm-yes').onclick = () => dialog.close('yes');
  $('confirm-no').onclick = () => dialog.close('no');
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}
