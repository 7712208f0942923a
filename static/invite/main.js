// An invitation: what one is invited to, and the ways to come.
import { ApiError, cookiePerson, get, post } from '../shared/api.js';
import { $, formError, onSubmit, setText, show, within } from '../shared/dom.js';
import { BUSY, UNANSWERED, aboutField, pleaseWait } from '../shared/error-text.js';
import { at } from '../shared/server.js';

/** @typedef {'join' | 'sign-up' | 'sign-in'} FormName */

const FORMS = /** @type {FormName[]} */ (['join', 'sign-up', 'sign-in']);
const NONE = 'This invitation is not good any more. Ask for a new one.';

const code = location.pathname.split('/').pop() ?? '';
const invitation = `/api/invites/${encodeURIComponent(code)}`;

/** @param {unknown} error */
function explain(error) {
  if (!(error instanceof ApiError)) return UNANSWERED;
  if (error.status === 404) return NONE;
  if (error.status === 429) return aboutField(error.message) + pleaseWait(error.retryAfter);
  return error.passing ? BUSY : aboutField(error.message);
}

/** Shows the one form that is of use now, or none. */
function showForm() {
  const signing = location.hash === '#/sign-in' ? 'sign-in' : 'sign-up';
  const wanted = cookiePerson() === null ? signing : 'join';
  for (const name of FORMS) show($(name), name === wanted);
  within($(wanted), 'input, button').focus();
}

/** Goes to the chat that one has come into. @param {string} chat the path of the chat in the API */
function enter(chat) {
  const id = /\d+$/u.exec(chat)?.[0];
  location.replace(at(id === undefined ? '/' : `/#/chats/${id}`));
}

/** Joins the chat with the cookies that there are. */
async function join() {
  const { headers } = await post(invitation);
  enter(headers.get('Location') ?? '');
}

/**
 * Does what a form is for.
 * @param {FormName} name
 * @param {HTMLFormElement} form
 */
async function act(name, form) {
  if (name === 'sign-up') {
    const fields = new FormData(form);
    fields.set('invite', code);
    const { headers } = await post('/api/reg', fields);
    enter(headers.get('Location') ?? '');
    return;
  }
  if (name === 'sign-in') await post('/api/login', new FormData(form));
  await join();
}

/** @param {FormName} name */
function wire(name) {
  const form = $(name, HTMLFormElement);
  const refused = (/** @type {unknown} */ error) => {
    // The cookies of a login that has ended lead nowhere: then one signs in again.
    if (name === 'join' && error instanceof ApiError && error.status === 401) {
      document.cookie = 'user_id=; Max-Age=0; path=/';
      location.hash = '#/sign-in';
      showForm();
      return;
    }
    showForm();
    const shown = FORMS.map((each) => $(each, HTMLFormElement)).find((each) => !each.hidden) ?? form;
    formError(shown, explain(error));
  };
  onSubmit(form, () => act(name, form), refused);
}

async function open() {
  for (const name of FORMS) wire(name);
  window.addEventListener('hashchange', showForm);
  $('entry').classList.add('ready');
  try {
    const { body } = await get(invitation);
    const count = Number(body.members_count);
    setText($('invited-to'), String(body.title ?? 'A chat'));
    setText($('invited-by'), `${body.invited_by} invites you. ${count === 1 ? 'One person is' : `${count} people are`} in this chat.`);
    document.title = `${body.title ?? 'Invitation'} · Parlance`;
    showForm();
  } catch (error) {
    setText($('invited-by'), explain(error));
    show($('elsewhere'), true);
  }
}

await open();
