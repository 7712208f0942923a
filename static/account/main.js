// What a one-time link opens: a new password, or an account by invitation.
import { ApiError, post } from '../shared/api.js';
import { $, formError, input, onSubmit, setText, show } from '../shared/dom.js';
import { inFull } from '../shared/format.js';
import { at } from '../shared/server.js';
import { explain } from '../messenger/error-text.js';

const USED = 'This link was used, has expired, or was not copied whole. Ask the person who gave it to you for another one.';

/** @param {string} title @param {string} lead */
function say(title, lead) {
  setText($('entry-title'), title);
  setText($('entry-lead'), lead);
  document.title = `${title} · Parlance`;
}

/** @param {string} lead */
function end(lead) {
  say('This link is of no use', lead);
  for (const form of document.querySelectorAll('form')) show(form, false);
  show($('onward'), true);
}

/**
 * @param {HTMLFormElement} form
 * @param {() => Promise<void>} work
 * @param {(error: ApiError) => boolean} isUsed whether the server says that the link is good no more
 */
function wire(form, work, isUsed) {
  onSubmit(form, work, (error) => {
    if (error instanceof ApiError && isUsed(error)) end(USED);
    else formError(form, explain(error));
  });
}

/** @param {string} token */
async function newPassword(token) {
  const form = $('password', HTMLFormElement);
  try {
    const { body } = await post('/api/password-link', { token });
    say('A new password', `For ${body.name}. This link is good once, until ${inFull(body.expires_at)}.`);
    input(form, 'name').value = body.name;
  } catch (error) {
    end(error instanceof ApiError && error.status === 404 ? USED : explain(error));
    return;
  }
  wire(
    form,
    async () => {
      await post('/api/password-link/use', { token, new_password: input(form, 'new_password').value });
      form.reset();
      show(form, false);
      say('Your password is set', 'You are signed out everywhere. Sign in with the new one.');
      show($('onward'), true);
      $('entry-title').focus();
    },
    ({ status }) => status === 404,
  );
  show(form, true);
  input(form, 'new_password').focus();
}

/** @param {string} token */
function invited(token) {
  const form = $('sign-up', HTMLFormElement);
  say('You are invited', 'A name, an address, a password, and you are in.');
  wire(
    form,
    async () => {
      const fields = new FormData(form);
      fields.set('invite', token);
      await post('/api/reg', fields);
      location.replace(at('/'));
    },
    ({ status, message }) => status === 400 && message.startsWith('invite'),
  );
  show(form, true);
  input(form, 'name').focus();
}

const [, mode, token] = /^#\/(password|invited)\/([0-9a-f]{64})$/u.exec(location.hash) ?? [];
// The address bar is no place for a secret, nor is the history.
if (token) history.replaceState(null, '', location.pathname);
$('entry').classList.add('ready');
if (mode === 'password') newPassword(token);
else if (mode === 'invited') invited(token);
else end(USED);
