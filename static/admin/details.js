// What there is to say of one thing, in a dialog, and what can be done with it.
import { ApiError } from '../shared/api.js';
import { $, busy, h, setText, show } from '../shared/dom.js';
import { inFull } from '../shared/format.js';
import { explain } from '../messenger/error-text.js';

/**
 * @typedef {object} Action
 * @property {string} label
 * @property {'danger' | 'quiet'} [kind]
 * @property {() => Promise<string | null>} work returns what was done; nothing when it was not done after all
 */

/** @param {[string, string | null | undefined][]} pairs */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return h('dl', { class: 'facts' }, ...known.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
}

/** @param {string | null} text */
export const when = (text) => (text ? inFull(text) : null);

/**
 * Opens the dialog, or shows in it what has changed.
 * @param {{title: string, body: HTMLElement[], actions: Action[]}} content
 * @param {{again: () => Promise<unknown>, notice?: string | null}} options `again` is called when something was done
 */
export function openDetails({ title, body, actions }, { again, notice = null }) {
  const dialog = $('details', HTMLDialogElement);
  setText($('details-title'), title);
  $('details-body').replaceChildren(...body);
  setText($('details-notice'), notice ?? '');
  show($('details-notice'), Boolean(notice));
  show($('details-error'), false);
  const buttons = actions.map(({ label, kind, work }) => {
    const look = kind === 'danger' ? 'button small danger-quiet' : 'button small';
    const button = h('button', { class: look, type: 'button' }, label);
    button.addEventListener('click', () => runInDetails(button, work, again));
    return button;
  });
  $('details-actions').replaceChildren(...buttons);
  if (!dialog.open) dialog.showModal();
}

/**
 * @param {HTMLElement} button
 * @param {() => Promise<string | null>} work
 * @param {() => Promise<unknown>} again
 */
export function runInDetails(button, work, again) {
  return busy(button, async () => {
    show($('details-error'), false);
    try {
      const done = await work();
      if (done === null) return;
      await again();
      const open = $('details', HTMLDialogElement).open;
      setText($('details-notice'), done);
      show($('details-notice'), open);
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
        location.reload();
        return;
      }
      setText($('details-error'), explain(error));
      show($('details-error'), true);
    }
  });
}

export function closeDetails() {
  $('details', HTMLDialogElement).close();
}

/**
 * Shows a link that is told once.
 * @param {string} title
 * @param {string} text
 * @param {string} url as the server tells it, from its root
 * @param {string} expires
 */
export function showLink(title, text, url, expires) {
  setText($('link-title'), title);
  setText($('link-text'), `${text} It is good once, until ${inFull(expires)}, and is not shown again.`);
  const address = $('link-url', HTMLInputElement);
  address.value = new URL(url.replace(/^\//u, ''), new URL('..', location.href)).href;
  setText($('link-note'), '');
  $('link-copy').onclick = async () => {
    address.select();
    try {
      await navigator.clipboard.writeText(address.value);
      setText($('link-note'), 'Copied.');
    } catch {
      setText($('link-note'), 'It is selected: copy it from there.');
    }
  };
  $('link', HTMLDialogElement).showModal();
  $('link-copy').focus();
}
