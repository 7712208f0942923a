// One question in a small window over the page.
import { $, setText, show } from './dom.js';

/** Asks for a yes. Without `yes` it only tells, and there is nothing to answer. */
export function ask({ title, text, yes, no = 'Cancel' }) {
  const sheet = $('confirm');
  setText($('confirm-title'), title);
  setText($('confirm-text'), text);
  setText($('confirm-yes'), yes ?? '');
  setText($('confirm-no'), no);
  show($('confirm-yes'), Boolean(yes));
  sheet.returnValue = '';
  sheet.showModal();
  $('confirm-no').focus();
  $('confirm-yes').onclick = () => sheet.close('yes');
  $('confirm-no').onclick = () => sheet.close('no');
  return new Promise((resolve) => {
    sheet.addEventListener('close', () => resolve(sheet.returnValue === 'yes'), { once: true });
  });
}
