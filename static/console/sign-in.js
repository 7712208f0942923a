// Sign-in and registration of owners; the login is stored for the tab, or for the browser.
import { ApiError, post } from '../shared/api.js';
import { $, formError, input, onSubmit, setText, show, within } from '../shared/dom.js';
import { readableHost } from '../shared/hostname.js';
import { scoped } from '../shared/server.js';
import { read, write } from '../shared/storage.js';
import { explain } from './error-text.js';

/** @typedef {{token: string, ownerId: string, email: string}} Owner */

const OWNER = 'parlance.desk.owner';
const NOTICE = 'parlance.desk.notice';

/** @returns {Owner | null} */
export function storedOwner() {
  const here = sessionStorage.getItem(OWNER);
  return here ? JSON.parse(here) : read(scoped(OWNER), null);
}

/**
 * @param {Owner} owner
 * @param {boolean} stay
 */
function storeOwner(owner, stay) {
  if (stay) write(scoped(OWNER), owner);
  else sessionStorage.setItem(OWNER, JSON.stringify(owner));
}

/** Ends the login and reloads the page. @param {string} notice */
export function signOut(notice) {
  sessionStorage.removeItem(OWNER);
  write(scoped(OWNER), undefined);
  sessionStorage.setItem(NOTICE, notice);
  location.hash = '#/';
  location.reload();
}

/** @param {(owner: Owner) => void} entered */
export function openSignIn(entered) {
  const signIn = $('sign-in', HTMLFormElement);
  const register = $('register', HTMLFormElement);
  showNotice(sessionStorage.getItem(NOTICE));
  sessionStorage.removeItem(NOTICE);

  function showForm() {
    // A link to the registration may carry the domain: #/register/shop.example
    const registers = /^#\/register(?:\/([^/]+))?$/u.exec(location.hash);
    if (registers?.[1]) input(register, 'domain').value = readableHost(decodeURIComponent(registers[1]));
    show(register, Boolean(registers));
    show(signIn, !registers);
    setText($('entry-lead'), registers ? 'One account for your site; guests can write at once.' : 'Sign in to answer your guests.');
    within(registers ? register : signIn, 'input').focus();
  }

  /**
   * @param {HTMLFormElement} form
   * @param {boolean} stay
   */
  async function enter(form, stay) {
    const { body } = await post('/owner/login', new FormData(form));
    const owner = { ...body.data, email: input(form, 'email').value };
    storeOwner(owner, stay);
    form.reset();
    window.removeEventListener('hashchange', showForm);
    entered(owner);
  }

  wire(signIn, () => enter(signIn, $('in-stay', HTMLInputElement).checked));
  wire(register, async () => {
    await post('/owner/register', new FormData(register));
    input(signIn, 'email').value = input(register, 'email').value;
    try {
      await enter(register, false);
      location.hash = '#/';
    } catch {
      // The registration itself succeeded; sending the form again would be refused.
      register.reset();
      location.hash = '#/';
      showNotice('Your site is registered. Sign in to open its desk.');
    }
  });
  window.addEventListener('hashchange', showForm);
  $('entry').classList.add('ready');
  showForm();
}

/** @param {string | null} notice */
function showNotice(notice) {
  setText($('entry-notice'), notice ?? '');
  show($('entry-notice'), Boolean(notice));
}

/**
 * @param {HTMLFormElement} form
 * @param {() => Promise<void>} work
 */
function wire(form, work) {
  onSubmit(form, work, (error) => {
    const key = error instanceof ApiError ? error.body.validation?.keys?.[0] : null;
    // The server never reveals whether an e-mail address is registered.
    const unknown = form.id === 'sign-in' && error instanceof ApiError && error.status === 404;
    formError(form, unknown ? 'E-mail or password is wrong.' : explain(error), key ? input(form, key) : null);
  });
}
