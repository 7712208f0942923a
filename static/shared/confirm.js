// The confirmation dialog.
import { $, setText, show } from './dom.js';

/**
 * Opens a confirmation dialog. Without `yes` it is a notice with one button.
 * @param {{title: string, text: string, yes?: string, no?: string}} question
 * @returns {Promise<boolean>}
 */
export function confirm({ title, text, yes, no = 'Cancel' }) {
  const dialog = $('confirm', HTMLDialogElement);
  setText($('confirm-title'), title);
  setText($('confirm-text'), text);
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
