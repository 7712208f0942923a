// Signing in by the cookies that all pages share, and what somebody reads who does not administer.
import { ApiError, post } from '../shared/api.js';
import { $, busy, formError, input, onSubmit, setText, show } from '../shared/dom.js';
import { explain } from '../messenger/error-text.js';

/** @param {{notice: string | null, entered: () => void}} options */
export function openSignIn({ notice, entered }) {
  const form = $('sign-in', HTMLFormElement);
  setText($('entry-notice'), notice ?? '');
  show($('entry-notice'), Boolean(notice));
  const work = async () => {
    const { name, password, code } = Object.fromEntries(new FormData(form));
    /** @type {Record<string, string>} */
    const fields = { name: String(name), password: String(password) };
    if (code) fields.code = String(code);
    await post('/api/login', fields);
    entered();
  };
  onSubmit(form, work, (error) => refused(form, error));
  $('entry').classList.add('ready');
  input(form, 'name').focus();
}

/**
 * Where the account has a second factor, its code is asked for.
 * @param {HTMLFormElement} form
 * @param {unknown} error
 */
function refused(form, error) {
  const asksForCode = error instanceof ApiError && /\bcode\b/u.test(error.message);
  if (asksForCode) show($('in-code-field'), true);
  formError(form, explain(error), error instanceof ApiError ? input(form, asksForCode ? 'code' : 'password') : null);
}

/**
 * @param {string} name
 * @param {() => Promise<void>} leave
 */
export function refuse(name, leave) {
  show($('sign-in'), false);
  show($('not-admin'), true);
  setText($('entry-lead'), 'This page is for administrators.');
  setText($('not-admin-text'), `You are signed in as ${name}, who does not administer this server.`);
  $('other-account').addEventListener('click', () => busy($('other-account'), leave));
  $('entry').classList.add('ready');
}
