// The account dialog: appearance, how messages arrive, where one is signed in, and the ways out.
import { ApiError, call, get, post } from '../shared/api.js';
import { confirm } from '../shared/confirm.js';
import { $, busy, firstFault, formError, h, input, keepingFocus, setText, show, wireThemeChoice, within } from '../shared/dom.js';
import { inFull, briefly, plural } from '../shared/format.js';
import { explain } from './error-text.js';
import { NotificationSettings } from './notification-settings.js';
import { withPassword } from './password-again.js';
import { Profile } from './profile.js';
import { SecondFactor } from './second-factor.js';

/**
 * @typedef {object} Login
 * @property {number} id
 * @property {boolean} current
 * @property {string} created_at
 * @property {string} used_at
 * @property {string} [address]
 * @property {string} [client]
 */

export class Account {
  /**
   * @param {object} options
   * @param {import('./model.js').Model} options.model
   * @param {import('./notifications.js').Notifications} options.notifications
   * @param {import('./levels.js').Levels} options.levels
   * @param {{waiting: number}} options.outbox
   * @param {boolean} options.streaming
   * @param {(wanted: boolean) => void} options.stream called when the switch is turned
   * @param {() => () => void} options.leaving called before an attempt to sign out, gives what to call when it fails
   * @param {(notice: string) => void} options.left
   */
  constructor({ model, notifications, levels, outbox, streaming, stream, leaving, left }) {
    this.outbox = outbox;
    this.leaving = leaving;
    this.left = left;
    this.dialog = $('account', HTMLDialogElement);
    this.notificationSettings = new NotificationSettings(notifications, levels);
    this.profile = new Profile(model, left);
    this.secondFactor = new SecondFactor();
    this.asked = 0;

    $('account-open').addEventListener('click', () => this.open());
    wireThemeChoice(this.dialog);
    const streams = $('stream', HTMLInputElement);
    streams.checked = streaming;
    streams.addEventListener('change', () => stream(streams.checked));
    const form = $('password-form', HTMLFormElement);
    form.noValidate = true;
    input(form, 'name').value = model.me.name;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      busy(within(form, '[type=submit]'), () => this.changePassword(form));
    });
    $('logout').addEventListener('click', () => this.logout());
    $('logout-all').addEventListener('click', () => this.logoutAll());
  }

  open() {
    this.profile.render();
    this.notificationSettings.render();
    this.dialog.showModal();
    this.showLogins();
    this.secondFactor.render();
  }

  async showLogins() {
    const list = $('logins');
    this.asked += 1;
    const { asked } = this;
    if (!list.firstChild) setText($('logins-note'), 'Loading…');
    try {
      const { body } = await get('/api/logins');
      // An answer that is overtaken tells of before.
      if (asked !== this.asked) return;
      keepingFocus(list, () => list.replaceChildren(...(body.logins ?? []).map((/** @type {Login} */ login) => this.login(login))));
      setText($('logins-note'), '');
    } catch {
      if (asked === this.asked) setText($('logins-note'), 'The list cannot be loaded just now.');
    }
  }

  /** @param {Login} login */
  login(login) {
    const since = `Since ${inFull(login.created_at)}`;
    const used = login.current ? 'in use now' : `last used ${briefly(login.used_at)}`;
    const from = login.address ? `from ${login.address}` : '';
    const note = h('p', { class: 'login-note', role: 'status' });
    const button = h('button', { class: 'button small', type: 'button', onclick: () => this.end(login, button, note) }, 'Sign out');
    return h(
      'li',
      { class: 'login' },
      h(
        'div',
        {},
        h('p', { class: 'login-name' }, login.current ? 'This browser' : device(login.client)),
        h('p', { class: 'hint' }, [since, used, from].filter(Boolean).join(', ')),
        note,
      ),
      login.current ? null : button,
    );
  }

  /**
   * @param {Login} login
   * @param {HTMLElement} button
   * @param {HTMLElement} note below what is said of the login
   */
  async end(login, button, note) {
    button.setAttribute('aria-disabled', 'true');
    try {
      const title = `Sign out ${device(login.client)}`;
      const done = await withPassword(title, (form) => call('DELETE', `/api/logins/${login.id}`, { form }), 'Sign out there');
      if (!done) {
        button.removeAttribute('aria-disabled');
        return;
      }
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) {
        setText(note, explain(error));
        button.removeAttribute('aria-disabled');
        return;
      }
    }
    setText(note, 'Signed out there.');
    const rest = /** @type {HTMLElement[]} */ ([...$('logins').querySelectorAll('button')]);
    const at = rest.indexOf(button);
    (rest[at + 1] ?? rest[at - 1] ?? within(this.dialog, '[data-close]')).focus();
    button.remove();
  }

  /** @param {HTMLFormElement} form */
  async changePassword(form) {
    const password = input(form, 'password');
    const fresh = input(form, 'new_password');
    const fault = firstFault(form);
    formError(form, fault?.text, fault?.field);
    show($('password-done'), false);
    if (fault) return;
    try {
      await post(`/${form.getAttribute('action')}`, { password: password.value, new_password: fresh.value });
      password.value = '';
      fresh.value = '';
      show($('password-done'), true);
      await this.showLogins();
    } catch (error) {
      formError(form, explain(error), error instanceof ApiError ? password : null);
    }
  }

  async logout() {
    const waiting = this.outbox.waiting;
    if (waiting > 0) {
      const sure = await confirm({
        title: 'Sign out now?',
        text: `${plural(waiting, 'message is', 'messages are')} still waiting to be sent. They stay in this browser and go out when you sign in again.`,
        yes: 'Sign out',
      });
      if (!sure) return;
    }
    await this.over('/api/logout', 'You are signed out.', 'Sign out');
  }

  async logoutAll() {
    const sure = await confirm({
      title: 'Sign out everywhere?',
      text: 'Every browser and program that is signed in with your name has to sign in again, this one too.',
      yes: 'Sign out everywhere',
    });
    if (sure) await this.over('/api/logout-all', 'You are signed out everywhere.', 'Sign out everywhere');
  }

  /**
   * @param {string} path
   * @param {string} notice
   * @param {string} title
   */
  async over(path, notice, title) {
    const stay = this.leaving();
    try {
      if (!(await withPassword(title, (form) => post(path, form)))) {
        stay();
        return;
      }
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) {
        stay();
        setText($('logins-note'), explain(error));
        return;
      }
    }
    this.left(notice);
  }
}

/** A browser and system one would recognise, from what it called itself. @param {string | undefined} agent */
function device(agent) {
  if (!agent) return 'Another browser or program';
  const browser = [
    ['Edg/', 'Edge'],
    ['Firefox/', 'Firefox'],
    ['Chrome/', 'Chrome'],
    ['Safari/', 'Safari'],
    ['curl/', 'curl'],
  ].find(([sign]) => agent.includes(sign))?.[1];
  const system = [
    ['Android', 'Android'],
    ['iPhone', 'iPhone'],
    ['iPad', 'iPad'],
    ['Windows', 'Windows'],
    ['Mac OS', 'Mac'],
    ['Linux', 'Linux'],
  ].find(([sign]) => agent.includes(sign))?.[1];
  if (!browser) return agent.slice(0, 60);
  return system ? `${browser} on ${system}` : browser;
}
