// Acts for which the server asks for the password once more.
import { ApiError } from '../shared/api.js';
import { busy, formError, h } from '../shared/dom.js';
import { explain } from './error-text.js';
import { errorLine, labelled, openSheet } from './sheet.js';

const REASON = 'You gave your password here more than ten minutes ago. This asks for it again, so that nobody else can do it at a browser that you left open.';

/** @param {unknown} error */
const isAsked = (error) => error instanceof ApiError && error.code === 'password_required';

/** Whether something is wrong with the password, or with how often it was tried. @param {ApiError} error */
const isOfPassword = (error) => error.passing || error.status === 429 || (error.status === 400 && /\bpassword\b/u.test(error.message));

/**
 * Does something, and again with the password where the server wants it. False when it was not given.
 * @param {string} title what is done, where the password is asked for
 * @param {(fields: Record<string, string>) => Promise<unknown>} act
 * @param {string} [verb] what the button says, unless it is the title
 * @returns {Promise<boolean>}
 */
export async function withPassword(title, act, verb = title) {
  try {
    await act({});
    return true;
  } catch (error) {
    if (!isAsked(error)) throw error;
  }
  return new Promise((resolve, reject) => {
    let done = false;
    const sheet = openSheet(title, { closed: () => resolve(done) });
    const password = h('input', { name: 'password', type: 'password', required: true, autocomplete: 'current-password' });
    const cancel = h('button', { class: 'button', type: 'button', onclick: () => sheet.close() }, 'Cancel');
    const button = h('button', { class: 'button primary', type: 'submit' }, verb);
    const form = h(
      'form',
      { class: 'stack', novalidate: true },
      h('p', { class: 'hint' }, REASON),
      labelled('Your password', password),
      errorLine(),
      h('div', { class: 'row-end' }, cancel, button),
    );
    const attempt = async () => {
      try {
        await act({ password: password.value });
        done = true;
        sheet.close();
      } catch (error) {
        if (error instanceof ApiError && !isOfPassword(error)) {
          // What is wrong beside the password is told where the act was begun.
          reject(error);
          sheet.close();
        } else {
          formError(form, explain(error), error instanceof ApiError ? password : null);
        }
      }
    };
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      busy(button, attempt);
    });
    sheet.body.append(form);
    password.focus();
  });
}
