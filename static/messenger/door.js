// Signing in and signing up.
import { Refusal, cookiePerson, post } from './api.js';
import { $, firstFault, formError, setText, show } from './dom.js';
import { inWords } from './refusals.js';

const LEADS = {
  'sign-in': 'Sign in to pick up where you left off.',
  'sign-up': 'Pick a name and you are in.',
};

/** Shows the forms; calls `entered()` once the server has set its cookies. */
export function openDoor({ notice, entered }) {
  const forms = { 'sign-in': $('sign-in'), 'sign-up': $('sign-up') };
  show($('door-notice'), Boolean(notice));
  setText($('door-notice'), notice ?? '');

  function turn() {
    const wanted = location.hash === '#/sign-up' ? 'sign-up' : 'sign-in';
    for (const [name, form] of Object.entries(forms)) show(form, name === wanted);
    setText($('door-lead'), LEADS[wanted]);
    document.title = wanted === 'sign-up' ? 'Create an account · Parlance' : 'Sign in · Parlance';
    forms[wanted].elements.name.focus();
  }

  async function submit(event) {
    event.preventDefault();
    const form = event.currentTarget;
    const button = form.querySelector('[type=submit]');
    const fault = firstFault(form);
    formError(form, fault?.text, fault?.field);
    if (fault || button.getAttribute('aria-disabled') === 'true') return;
    button.setAttribute('aria-disabled', 'true');
    try {
      await post(`/${form.getAttribute('action')}`, new FormData(form));
      form.reset();
      if (location.hash === '#/sign-in' || location.hash === '#/sign-up') history.replaceState(null, '', '#/');
      window.removeEventListener('hashchange', turn);
      document.removeEventListener('visibilitychange', returned);
      entered();
    } catch (error) {
      formError(form, inWords(error), blamed(form, error));
    } finally {
      button.removeAttribute('aria-disabled');
    }
  }

  for (const form of Object.values(forms)) {
    form.noValidate = true;
    form.addEventListener('submit', submit);
  }
  window.addEventListener('hashchange', turn);
  // Signed in meanwhile, in another tab.
  const person = cookiePerson();
  const returned = () => {
    if (document.visibilityState === 'visible' && ![null, person].includes(cookiePerson())) location.reload();
  };
  document.addEventListener('visibilitychange', returned);
  $('door').classList.add('ready');
  turn();
}

/** Which field a refusal is about, as far as its words tell. */
function blamed(form, error) {
  if (!(error instanceof Refusal) || error.status !== 400) return null;
  const words = error.message.toLowerCase();
  if (form.id === 'sign-in') return form.elements.password;
  if (/e-?mail/u.test(words)) return form.elements.email;
  if (words.includes('password')) return form.elements.password;
  if (words.includes('name')) return form.elements.name;
  return null;
}
