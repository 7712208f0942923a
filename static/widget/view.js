// The widget's view: a button, and a panel with the form of the first message or the chat. Text is only inserted as text,
// and nothing needs what a site's Content-Security-Policy may forbid.
import { fit, sendOnEnter } from '../shared/composer.js';
import { drawing, h, isComposing, reconcile } from '../shared/dom.js';
import { LONGEST, bytesOf, timeOfDay } from '../shared/format.js';
import { bubble, linked } from '../shared/message-view.js';
import { styleSheet } from './style.js';

/** @typedef {import('../shared/dom.js').Field} Field */
/** @typedef {import('../shared/dom.js').Item} Item */
/** @typedef {import('../shared/history.js').Message} Message */
/** @typedef {import('../shared/outbox.js').Entry} Entry */
/** @typedef {import('./guest-storage.js').Guest} Guest */
/** @typedef {import('./texts.js').Texts} Texts */

/**
 * @typedef {object} Actions
 * @property {(wanted: boolean) => void} open
 * @property {(person: {name: string, email: string}, message: string) => void} begin
 * @property {(message: string) => void} say
 * @property {(text: string) => void} type called with the draft
 * @property {(id: string) => void} drop deletes a rejected message
 */

const LINES_OF_FIRST = 3;
const NEAR_END = 60;
const DRAWINGS = {
  opener: 'M5 5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-8l-5 4v-4H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z',
  close: 'M6 6l12 12M18 6L6 18',
  send: 'M5 12h13M12 5l7 7-7 7',
};

const hiddenAlert = () => h('p', { class: 'error', role: 'alert', hidden: true });

/**
 * The form of the first message.
 * @param {Texts} texts
 */
function buildHello(texts) {
  const name = h('input', { name: 'name', autocomplete: 'name', required: true, maxlength: '64' });
  const email = h('input', { name: 'email', type: 'email', autocomplete: 'email', required: true });
  const first = h('textarea', { name: 'message', rows: String(LINES_OF_FIRST), required: true, dir: 'auto' });
  const error = hiddenAlert();
  const field = (/** @type {string} */ label, /** @type {Field} */ input) => h('label', { class: 'field' }, label, input);
  const form = h(
    'form',
    { class: 'hello', novalidate: true },
    field(texts.nameLabel, name),
    field(texts.emailLabel, email),
    field(texts.messageLabel, first),
    error,
    h('button', { class: 'go', type: 'submit' }, texts.start),
  );
  return { form, name, email, first, error };
}

/**
 * The form of every further message.
 * @param {Texts} texts
 */
function buildWrite(texts) {
  const text = h('textarea', { rows: '1', dir: 'auto', placeholder: texts.messageLabel, 'aria-label': texts.messageLabel });
  const error = hiddenAlert();
  const send = h('button', { class: 'send', type: 'submit', 'aria-label': texts.send }, drawing(DRAWINGS.send));
  return { form: h('form', { class: 'write' }, error, text, send), text, error };
}

export class View {
  /** @param {{texts: Texts, color?: string, side?: string, actions: Actions}} options */
  constructor({ texts, color, side, actions }) {
    this.texts = texts;
    this.actions = actions;
    const hello = buildHello(texts);
    this.hello = hello.form;
    this.name = hello.name;
    this.email = hello.email;
    this.first = hello.first;
    this.error = hello.error;
    const write = buildWrite(texts);
    this.write = write.form;
    this.text = write.text;
    this.writeError = write.error;

    this.badge = h('span', { class: 'badge', hidden: true });
    this.opener = h(
      'button',
      { class: 'opener', type: 'button', 'aria-expanded': 'false', 'aria-label': texts.label },
      drawing(DRAWINGS.opener),
      h('span', { class: 'words' }, texts.label),
      this.badge,
    );
    this.closer = h('button', { class: 'close', type: 'button', 'aria-label': texts.close }, drawing(DRAWINGS.close));
    this.note = h('p', { class: 'note', role: 'status', hidden: true });
    this.greeting = h('p', { class: 'greeting' }, texts.greeting);
    this.list = h('ol', { 'aria-label': texts.messages });
    this.typing = h('div', { class: 'typing', role: 'status' });
    this.scroll = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': texts.title }, this.greeting, this.hello, this.list);
    this.spoken = h('div', { class: 'sr-only', 'aria-live': 'polite' });
    this.panel = h(
      'section',
      { class: 'panel', role: 'dialog', 'aria-label': texts.title, hidden: true },
      h('header', {}, h('h2', {}, texts.title), this.closer),
      this.note,
      this.scroll,
      this.typing,
      this.write,
    );
    this.frame = h('div', { class: 'frame' }, this.opener, this.panel, this.spoken);
    this.listen();

    if (side === 'left') this.frame.classList.add('left');
    if (color && CSS.supports('color', color)) this.frame.style.setProperty('--accent', color);
    this.host = document.createElement('parlance-widget');
    const root = this.host.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [styleSheet()];
    root.append(this.frame);
  }

  listen() {
    const { actions } = this;
    this.opener.addEventListener('click', () => actions.open(true));
    this.closer.addEventListener('click', () => actions.open(false));
    this.frame.addEventListener('keydown', (event) => {
      // The site's own keyboard shortcuts must not fire while a guest types.
      event.stopPropagation();
      if (event.key === 'Escape' && !isComposing(event) && !this.panel.hidden) actions.open(false);
    });
    this.hello.addEventListener('submit', (event) => this.begin(event));
    this.first.addEventListener('input', () => actions.type(this.first.value));
    this.write.addEventListener('submit', (event) => this.submit(event));
    sendOnEnter(this.text, () => this.write.requestSubmit(), { always: true });
    this.text.addEventListener('input', () => {
      this.fit();
      if (bytesOf(this.text.value) <= LONGEST) this.complain(this.writeError, null);
      actions.type(this.text.value);
    });
  }

  fit() {
    const atEnd = this.atEnd();
    fit(this.text);
    if (atEnd) this.toEnd();
  }

  atEnd() {
    return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < NEAR_END;
  }

  /**
   * @param {HTMLElement} line
   * @param {string | null} text
   * @param {Field | null} [input]
   */
  complain(line, text, input = null) {
    line.textContent = text ?? '';
    line.hidden = !text;
    for (const each of [this.name, this.email, this.first, this.text]) each.removeAttribute('aria-invalid');
    if (!text || !input) return;
    input.setAttribute('aria-invalid', 'true');
    input.focus();
  }

  /** @param {Event} event */
  begin(event) {
    event.preventDefault();
    const { texts } = this;
    const wrong = [this.name, this.email, this.first].find((input) => !input.checkValidity() || input.value.trim() === '');
    if (wrong) {
      this.complain(this.error, wrong === this.email && wrong.value ? texts.badEmail : texts.missing, wrong);
    } else if (bytesOf(this.first.value) > LONGEST) {
      this.complain(this.error, texts.tooLong, this.first);
    } else {
      this.complain(this.error, null);
      this.actions.begin({ name: this.name.value.trim(), email: this.email.value.trim() }, this.first.value);
      this.first.value = '';
    }
  }

  /** @param {Event} event */
  submit(event) {
    event.preventDefault();
    const message = this.text.value;
    if (message.trim() === '') return;
    if (bytesOf(message) > LONGEST) {
      this.complain(this.writeError, this.texts.tooLong, this.text);
      return;
    }
    this.actions.say(message);
    this.fill('');
    this.text.focus();
  }

  /** @param {string} message */
  fill(message) {
    this.text.value = message;
    this.complain(this.writeError, null);
    this.fit();
  }

  /**
   * Shows the form again, with its values.
   * @param {{status?: number, field?: string}} problem
   * @param {string} message
   */
  turnedAway({ status, field }, message) {
    const { texts } = this;
    this.first.value ||= message;
    if (field === 'name') this.complain(this.error, texts.badName, this.name);
    else if (field === 'email') this.complain(this.error, texts.badEmail, this.email);
    else this.complain(this.error, status === 429 ? texts.busy : texts.failed);
  }

  /** @param {boolean} wanted */
  show(wanted) {
    this.frame.classList.toggle('open', wanted);
    this.panel.hidden = !wanted;
    this.opener.hidden = wanted;
    this.opener.setAttribute('aria-expanded', String(wanted));
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
  }

  /** @param {string} text */
  say(text) {
    this.spoken.textContent = text;
  }

  /** @param {{guest: Guest | null, closed: boolean, messages: Message[], outbox: Entry[], away: boolean, connected: boolean, unread: number}} state */
  render({ guest, closed, messages, outbox, away, connected, unread }) {
    const { texts } = this;
    this.hello.hidden = Boolean(guest);
    this.write.hidden = !guest;
    this.greeting.hidden = Boolean(guest) && messages.length > 0;
    this.note.hidden = !away;
    this.note.textContent = away ? texts.away : '';

    const atEnd = this.atEnd();
    const lines = messages.map((message, at) => this.said(message, at, message.from === guest?.guestId));
    for (const entry of outbox) {
      lines.push({
        key: `entry ${entry.client_id}`,
        print: JSON.stringify([entry.content, entry.refused, connected]),
        make: () => this.unsent(entry, connected),
      });
    }
    const onlyMine = guest && messages.length > 0 && messages.every((message) => message.from === guest.guestId) && outbox.length === 0;
    const note = (/** @type {string} */ text, /** @type {string | null} */ kind) => h('li', { class: kind }, h('span', { class: 'meta' }, text));
    if (closed && outbox.length === 0) lines.push({ key: 'closed', print: '', make: () => note(texts.closed, 'notice') });
    else if (onlyMine) lines.push({ key: 'thanks', print: '', make: () => note(texts.thanks, null) });
    reconcile(this.list, lines);
    if (atEnd) this.toEnd();

    this.badge.hidden = unread === 0;
    this.badge.textContent = unread > 9 ? '9+' : String(unread);
    this.opener.setAttribute('aria-label', unread ? `${texts.label}, ${unread} ${texts.new}` : texts.label);
  }

  /**
   * @param {Message} message
   * @param {number} at
   * @param {boolean} mine
   * @returns {Item}
   */
  said({ id, message, time }, at, mine) {
    const meta = time ? timeOfDay(time) : null;
    return { key: id ?? `own ${at}`, print: JSON.stringify([mine, message, meta]), make: () => this.line(mine, message, meta) };
  }

  /**
   * @param {boolean} mine
   * @param {string} message
   * @param {string | Node | null} meta
   * @param {string} [state]
   */
  line(mine, message, meta, state = '') {
    const spoken = mine ? `${this.texts.you} ` : `${this.texts.answer} `;
    return h('li', { class: `${mine ? 'mine' : ''} ${state}` }, bubble(spoken, linked(message)), meta ? h('div', { class: 'meta' }, meta) : null);
  }

  /**
   * @param {Entry} entry
   * @param {boolean} connected
   */
  unsent(entry, connected) {
    const { texts, actions } = this;
    if (!entry.refused) return this.line(true, entry.content, connected ? texts.sending : texts.waiting, 'pending');
    const button = (/** @type {string} */ word, /** @type {() => void} */ work) => h('button', { class: 'link', type: 'button', onclick: work }, word);
    const edit = () => {
      // Inserted before the draft, and stored there before it is deleted here.
      this.fill([entry.content, this.text.value].filter((text) => text.trim()).join('\n'));
      actions.type(this.text.value);
      actions.drop(entry.client_id);
      this.text.focus();
    };
    return this.line(
      true,
      entry.content,
      h(
        'span',
        {},
        `${texts.notSent} `,
        button(texts.edit, edit),
        button(texts.delete, () => actions.drop(entry.client_id)),
      ),
      'failed',
    );
  }

  /** Black or white on the site's colour, whichever has more contrast. */
  pickInk() {
    const parts = getComputedStyle(this.opener).backgroundColor.match(/[\d.]+/gu) ?? ['0', '0', '0'];
    const [red, green, blue] = parts.map((part) => {
      const share = Number(part) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    this.frame.style.setProperty('--accent-ink', light > 0.18 ? '#14171a' : '#ffffff');
  }
}
