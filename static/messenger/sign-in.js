// Signing in and signing up.
import { ApiError, cookiePerson, get, post } from '../shared/api.js';
import { $, busy, firstFault, formError, input, setText, show, within } from '../shared/dom.js';
import { scoped } from '../shared/server.js';
import { read } from '../shared/storage.js';
import { explain } from './error-text.js';

/** @typedef {'sign-in' | 'sign-up'} FormName */

/** Whether somebody has been signed in in this browser. */
export const KNOWN = scoped('parlance.known');

/** @param {FormName} form */
function lead(form) {
  if (form === 'sign-up') return 'A name, an address, a password, and you are in.';
  return read(KNOWN, false) ? 'Sign in to pick up where you left off.' : 'Chat with everybody who is here.';
}

/**
 * Shows the forms.
 * @param {{notice: string | null, entered: () => void}} options `entered` is called once the server has set its cookies
 */
export function openSignIn({ notice, entered }) {
  const forms = { 'sign-in': $('sign-in', HTMLFormElement), 'sign-up': $('sign-up', HTMLFormElement) };
  const names = /** @type {FormName[]} */ (Object.keys(forms));
  show($('entry-notice'), Boolean(notice));
  setText($('entry-notice'), notice ?? '');

  let open = true;

  function showForm() {
    const wanted = location.hash === '#/sign-up' && open ? 'sign-up' : 'sign-in';
    for (const name of names) show(forms[name], name === wanted);
    setText($('entry-lead'), lead(wanted));
    document.title = wanted === 'sign-up' ? 'Create an account · Parlance' : 'Sign in · Parlance';
    input(forms[wanted], 'name').focus();
  }

  /** @param {HTMLFormElement} form */
  async function submit(form) {
    const fault = firstFault(form);
    formError(form, fault?.text, fault?.field);
    if (fault) return;
    await busy(within(form, '[type=submit]'), async () => {
      try {
        await post(`/${form.getAttribute('action')}`, new FormData(form));
        form.reset();
        if (location.hash === '#/sign-in' || location.hash === '#/sign-up') history.replaceState(null, '', '#/');
        window.removeEventListener('hashchange', showForm);
        document.removeEventListener('visibilitychange', returned);
        entered();
      } catch (error) {
        if (error instanceof ApiError && error.code === 'code_required') {
          askForCode(form);
          return;
        }
        formError(form, explain(error), blamed(form, error));
      }
    });
  }

  for (const name of names) {
    forms[name].noValidate = true;
    forms[name].addEventListener('submit', (event) => {
      event.preventDefault();
      submit(forms[name]);
    });
  }
  window.addEventListener('hashchange', showForm);
  // Signed in meanwhile, in another tab.
  const person = cookiePerson();
  const returned = () => {
    if (document.visibilityState === 'visible' && ![null, person].includes(cookiePerson())) location.reload();
  };
  document.addEventListener('visibilitychange', returned);
  $('entry').classList.add('ready');
  showForm();
  readRegistration().then((registration) => {
    open = registration === 'open';
    show($('entry-new'), open);
    show($('entry-invited'), registration === 'invitation');
    if (!open && location.hash === '#/sign-up') showForm();
  });
}

/** The second factor, for accounts that have one. @param {HTMLFormElement} form */
function askForCode(form) {
  const code = input(form, 'code');
  code.disabled = false;
  show($('in-code-field'), true);
  formError(form, null);
  code.focus();
}

/** Who may make an account: anybody, those who are invited, or nobody. @returns {Promise<string>} */
async function readRegistration() {
  try {
    return (await get('/api/registration')).body.registration;
  } catch {
    // Then the server says it when somebody tries.
    return 'open';
  }
}

/**
 * Which field an error is about, as far as its words tell.
 * @param {HTMLFormElement} form
 * @param {unknown} error
 */
function blamed(form, error) {
  if (!(error instanceof ApiError) || error.status !== 400) return null;
  const words = error.message.toLowerCase();
  if (form.id === 'sign-in') return input(form, words.startsWith('code') ? 'code' : 'password');
  if (/e-?mail/u.test(words)) return input(form, 'email');
  if (words.includes('password')) return input(form, 'password');
  if (words.includes('name')) return input(form, 'name');
  return null;
}
