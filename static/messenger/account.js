// The account sheet: appearance, how messages arrive, where one is signed in, and the ways out.
import { Refusal, call, get, post } from './api.js';
import { $, firstFault, formError, h, setText, show } from './dom.js';
import { inWords } from './refusals.js';
import { hue, inFull, initials, briefly, plural } from './words.js';

export class Account {
  /** `leaving()` before an attempt to sign out gives what to call when it fails, `left(notice)` ends it; `stream(wanted)` for the switch. */
  constructor({ me, outbox, streaming, stream, ask, leaving, left }) {
    Object.assign(this, { me, outbox, ask, leaving, left });
    this.sheet = $('account');
    setText($('who-name'), me.name);
    setText($('who-email'), me.email ?? '');
    setText($('who-face'), initials(me.name));
    $('who-face').classList.add(hue(me.id));

    $('account-open').addEventListener('click', () => this.open());
    for (const radio of this.sheet.querySelectorAll('input[name=theme]')) {
      radio.checked = radio.value === window.parlanceTheme.get();
      radio.addEventListener('change', () => window.parlanceTheme.set(radio.value));
    }
    $('stream').checked = streaming;
    $('stream').addEventListener('change', () => stream($('stream').checked));
    $('password-form').noValidate = true;
    $('password-form').elements.name.value = me.name;
    $('password-form').addEventListener('submit', (event) => this.changePassword(event));
    $('logout').addEventListener('click', () => this.logout());
    $('logout-all').addEventListener('click', () => this.logoutAll());
  }

  open() {
    this.sheet.showModal();
    this.showLogins();
  }

  async showLogins() {
    const list = $('logins');
    if (!list.firstChild) setText($('logins-note'), 'Loading…');
    try {
      const { body } = await get('/api/logins');
      list.replaceChildren(...(body.logins ?? []).map((login) => this.login(login)));
      setText($('logins-note'), '');
    } catch {
      setText($('logins-note'), 'The list cannot be loaded just now.');
    }
  }

  login(login) {
    const since = `Since ${inFull(login.created_at)}`;
    const used = login.current ? 'in use now' : `last used ${briefly(login.used_at)}`;
    const from = login.address ? `from ${login.address}` : '';
    return h(
      'li',
      { class: 'login' },
      h(
        'div',
        {},
        h('p', { class: 'login-name' }, login.current ? 'This browser' : device(login.client)),
        h('p', { class: 'hint' }, [since, used, from].filter(Boolean).join(', ')),
      ),
      login.current
        ? null
        : h('button', { class: 'button small', type: 'button', onclick: (event) => this.end(login, event.currentTarget) }, 'Sign out'),
    );
  }

  async end(login, button) {
    button.setAttribute('aria-disabled', 'true');
    try {
      await call('DELETE', `/api/logins/${login.id}`);
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 404)) {
        setText($('logins-note'), inWords(error));
        button.removeAttribute('aria-disabled');
        return;
      }
    }
    await this.showLogins();
    this.sheet.querySelector('[data-close]').focus();
    setText($('logins-note'), 'Signed out there.');
  }

  async changePassword(event) {
    event.preventDefault();
    const form = event.currentTarget;
    const { password, new_password: fresh } = form.elements;
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
      formError(form, inWords(error), error instanceof Refusal ? password : null);
    }
  }

  async logout() {
    const waiting = this.outbox.waiting;
    if (waiting > 0) {
      const sure = await this.ask({
        title: 'Sign out now?',
        text: `${plural(waiting, 'message is', 'messages are')} still waiting to be sent. They stay in this browser and go out when you sign in again.`,
        yes: 'Sign out',
      });
      if (!sure) return;
    }
    await this.over('/api/logout', 'You are signed out.');
  }

  async logoutAll() {
    const sure = await this.ask({
      title: 'Sign out everywhere?',
      text: 'Every browser and program that is signed in with your name has to sign in again, this one too.',
      yes: 'Sign out everywhere',
    });
    if (sure) await this.over('/api/logout-all', 'You are signed out everywhere.');
  }

  async over(path, notice) {
    const stay = this.leaving();
    try {
      await post(path);
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 401)) {
        stay();
        setText($('logins-note'), inWords(error));
        return;
      }
    }
    this.left(notice);
  }
}

/** A browser and system one would recognise, from what it called itself. */
function device(agent) {
  if (!agent) return 'Another browser or program';
  const browser = [['Edg/', 'Edge'], ['Firefox/', 'Firefox'], ['Chrome/', 'Chrome'], ['Safari/', 'Safari'], ['curl/', 'curl']].find(
    ([sign]) => agent.includes(sign),
  )?.[1];
  const system = [['Android', 'Android'], ['iPhone', 'iPhone'], ['iPad', 'iPad'], ['Windows', 'Windows'], ['Mac OS', 'Mac'], ['Linux', 'Linux']].find(
    ([sign]) => agent.includes(sign),
  )?.[1];
  if (!browser) return agent.slice(0, 60);
  return system ? `${browser} on ${system}` : browser;
}
