// The second factor of one's account: turning it on with an app, the recovery codes, and turning it off.
import { ApiError, call, get, post } from '../shared/api.js';
import { $, busy, formError, h, keepingFocus, setText, show } from '../shared/dom.js';
import { briefly, plural } from '../shared/format.js';
import { copyText } from '../shared/clipboard.js';
import { explain } from './error-text.js';
import { errorLine, labelled, openSheet } from './sheet.js';

const PATH = '/api/me/second-factor';
const FEW = 3;

/** @typedef {{enabled: boolean, confirmed_at: string | null, recovery_codes_left: number}} Status */
/** @typedef {ReturnType<typeof openSheet>} Sheet */

export class SecondFactor {
  constructor() {
    this.note = $('factor-note');
    this.buttons = $('factor-buttons');
    /** @type {[string, () => void][]} */
    this.shown = [];
    this.asked = 0;
  }

  /** Shows how it stands. @param {string} [done] what was done just now */
  async render(done = '') {
    this.asked += 1;
    const { asked } = this;
    try {
      const { body } = await get(PATH);
      // An answer that is overtaken tells of before.
      if (asked === this.asked) this.show(body, done);
    } catch {
      if (asked === this.asked) setText(this.note, 'Whether it is on cannot be told just now.');
    }
  }

  /**
   * @param {Status} status
   * @param {string} done
   */
  show({ enabled, confirmed_at: since, recovery_codes_left: left }, done) {
    const codes = plural(left, 'recovery code is', 'recovery codes are');
    const few = enabled && left <= FEW ? ' Make new ones before none is left.' : '';
    const state = enabled ? `On since ${briefly(since ?? '')}. ${codes} left.${few}` : 'Off: your password alone signs you in.';
    setText(this.note, done ? `${done} ${state}` : state);
    const button = (/** @type {string} */ text, /** @type {() => void} */ act, look = 'button small') =>
      h('button', { class: look, type: 'button', onclick: act }, text);
    const buttons = enabled
      ? [button('New recovery codes', () => this.renew()), button('Turn off', () => this.end(), 'button small danger-quiet')]
      : [button('Turn on', () => this.begin())];
    keepingFocus(this.buttons, () => this.buttons.replaceChildren(...buttons));
  }

  /** Asks for the password first: a browser that was left open is not to lock its owner out. */
  begin() {
    const sheet = this.open('Turn on the second factor');
    this.askPassword(sheet, {
      text: 'Signing in then takes your password and a code that an app on your phone makes, so that a stolen password alone opens nothing.',
      button: 'Show the code to scan',
      act: async (password) => this.enrol(sheet, (await post(PATH, { password })).body),
    });
  }

  renew() {
    const sheet = this.open('New recovery codes');
    this.askPassword(sheet, {
      text: 'The recovery codes that you have now are good for nothing any more.',
      button: 'Make new codes',
      act: async (password) => this.showCodes(sheet, (await post('/api/me/recovery-codes', { password })).body.recovery_codes),
    });
  }

  end() {
    const sheet = this.open('Turn off the second factor');
    this.askPassword(sheet, {
      text: 'Your password alone signs you in then, and the recovery codes are good for nothing any more.',
      button: 'Turn off',
      danger: true,
      act: async (password) => {
        await call('DELETE', PATH, { form: { password } });
        sheet.close();
        await this.render('The second factor is off.');
        this.focus();
      },
    });
  }

  /** @param {string} title */
  open(title) {
    const sheet = openSheet(title, {
      closed: () => {
        if (!this.buttons.contains(document.activeElement)) this.focus();
      },
    });
    return sheet;
  }

  focus() {
    this.buttons.querySelector('button')?.focus();
  }

  /**
   * @param {Sheet} sheet
   * @param {{text: string, button: string, danger?: boolean, act: (password: string) => Promise<void>}} step
   */
  askPassword(sheet, { text, button, danger = false, act }) {
    const password = h('input', { name: 'password', type: 'password', required: true, autocomplete: 'current-password' });
    this.step(sheet, {
      text,
      field: labelled('Your password', password),
      input: password,
      button,
      danger,
      act: () => act(password.value),
    });
  }

  /**
   * A step with one field.
   * @param {Sheet} sheet
   * @param {object} step
   * @param {string} step.text
   * @param {HTMLElement[]} [step.above]
   * @param {HTMLElement} step.field
   * @param {HTMLInputElement} step.input
   * @param {string} step.button
   * @param {boolean} [step.danger]
   * @param {() => Promise<void>} step.act
   */
  step(sheet, { text, above = [], field, input, button, danger = false, act }) {
    const submit = h('button', { class: danger ? 'button danger' : 'button primary', type: 'submit' }, button);
    const form = h('form', { class: 'stack', novalidate: true }, field, errorLine(), h('div', { class: 'row-end' }, submit));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      busy(submit, async () => {
        formError(form, null);
        try {
          await act();
        } catch (error) {
          formError(form, explain(error), error instanceof ApiError ? input : null);
        }
      });
    });
    sheet.body.replaceChildren(h('p', { class: 'dialog-text' }, text), ...above, form);
    input.focus();
  }

  /**
   * @param {Sheet} sheet
   * @param {{secret: string, url: string, qr: string}} enrolment
   */
  enrol(sheet, { secret, url, qr }) {
    const copied = h('p', { class: 'hint', role: 'status' });
    const copy = h('button', { class: 'button small', type: 'button' }, 'Copy the key');
    copy.addEventListener('click', async () => {
      setText(copied, (await copyText(secret)) ? 'The key is copied.' : 'Copy the key from above.');
    });
    const code = h('input', {
      name: 'code',
      required: true,
      inputmode: 'numeric',
      autocomplete: 'one-time-code',
      spellcheck: 'false',
      maxlength: '7',
    });
    this.step(sheet, {
      text: 'Scan this with an authenticator app (Aegis, Google Authenticator, 1Password and the like), or type the key in. Then enter the six digits that it shows.',
      above: [
        h('img', { class: 'qr', src: qr, alt: 'QR code of the key below' }),
        h(
          'div',
          { class: 'factor-key' },
          h('p', { class: 'hint' }, 'Key'),
          h('code', { class: 'secret', translate: 'no' }, grouped(secret)),
          h('div', { class: 'row-start' }, copy, h('a', { class: 'button small', href: url }, 'Open in an app on this device')),
          copied,
        ),
      ],
      field: labelled('Code', code),
      input: code,
      button: 'Turn on',
      act: async () => {
        const { body } = await post(`${PATH}/confirm`, { code: code.value.replace(/\s/gu, '') });
        await this.render();
        this.showCodes(sheet, body.recovery_codes);
      },
    });
  }

  /**
   * Shown this once: the server keeps hashes alone.
   * @param {Sheet} sheet
   * @param {string[]} codes
   */
  showCodes(sheet, codes) {
    const done = h('p', { class: 'hint', role: 'status' });
    const copy = h('button', { class: 'button small', type: 'button' }, 'Copy');
    copy.addEventListener('click', async () => {
      setText(done, (await copyText(codes.join('\n'))) ? 'The codes are copied.' : 'Copy the codes from above.');
    });
    const file = URL.createObjectURL(new Blob([`${codes.join('\n')}\n`], { type: 'text/plain' }));
    const download = h('a', { class: 'button small', href: file, download: 'parlance-recovery-codes.txt' }, 'Download');
    sheet.dialog.addEventListener('close', () => URL.revokeObjectURL(file), { once: true });
    setText(sheet.heading, 'Your recovery codes');
    sheet.body.replaceChildren(
      h(
        'p',
        { class: 'dialog-text' },
        'Each signs you in once in place of a code of the app. Keep them where you find them without your phone: they are shown this once.',
      ),
      h('ol', { class: 'recovery-codes', 'aria-label': 'Recovery codes' }, ...codes.map((code) => h('li', {}, h('code', { translate: 'no' }, code)))),
      h('div', { class: 'row-start' }, copy, download),
      done,
      h('div', { class: 'row-end' }, h('button', { class: 'button primary', type: 'button', onclick: () => sheet.close() }, 'I have kept them')),
    );
    show(done, true);
    sheet.heading.focus();
    this.render();
  }
}

/** Four characters at a time, as one types them. @param {string} secret */
const grouped = (secret) => (secret.match(/.{1,4}/gu) ?? []).join(' ');
