// The widget on the screen: a button, and a panel with the form of the first message or the chat. Text only ever goes
// in as text, and nothing needs what a site's policy may forbid.
import { bytesOf, pieces } from '../messenger/words.js';
import { styleSheet } from './style.js';

/** What the server takes as one message. */
const MESSAGE_BYTES = 16_384;
const LINES_OF_FIRST = 3;
const SVG = 'http://www.w3.org/2000/svg';
const DRAWINGS = {
  opener: 'M5 5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-8l-5 4v-4H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z',
  close: 'M6 6l12 12M18 6L6 18',
  send: 'M5 12h13M12 5l7 7-7 7',
};

function drawing(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(SVG, 'path');
  line.setAttribute('d', DRAWINGS[name]);
  svg.append(line);
  return svg;
}

function h(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Whether a key ends the spelling of a word instead of the message; Safari tells it by the code alone. */
const isComposing = (event) => event.isComposing || event.keyCode === 229;

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const time = (iso) => (iso ? clock.format(new Date(iso)) : null);

export class View {
  /** `actions` has open(wanted), begin(person, message), say(message), type(on), drop(id). */
  constructor({ words, color, side, actions }) {
    Object.assign(this, { words, actions });
    this.build();
    if (side === 'left') this.frame.classList.add('left');
    if (color && CSS.supports('color', color)) this.frame.style.setProperty('--accent', color);
    this.host = h('parlance-widget');
    const root = this.host.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [styleSheet()];
    root.append(this.frame);
  }

  build() {
    const { words, actions } = this;
    this.badge = h('span', { class: 'badge', hidden: true });
    this.opener = h(
      'button',
      { class: 'opener', type: 'button', 'aria-expanded': 'false', 'aria-label': words.label, onclick: () => actions.open(true) },
      drawing('opener'),
      h('span', { class: 'words' }, words.label),
      this.badge,
    );
    this.note = h('p', { class: 'note', role: 'status', hidden: true });
    this.greeting = h('p', { class: 'greeting' }, words.greeting);
    this.list = h('ol', { 'aria-label': words.messages });
    this.typing = h('div', { class: 'typing', role: 'status' });
    this.hello = this.buildHello();
    this.scroll = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': words.title }, this.greeting, this.hello, this.list);
    this.write = this.buildWrite();
    this.spoken = h('div', { class: 'sr', 'aria-live': 'polite' });
    const closer = h('button', { class: 'close', type: 'button', 'aria-label': words.close, onclick: () => actions.open(false) }, drawing('close'));
    this.panel = h(
      'section',
      { class: 'panel', role: 'dialog', 'aria-label': words.title, hidden: true },
      h('header', {}, h('h2', {}, words.title), closer),
      this.note,
      this.scroll,
      this.typing,
      this.write,
    );
    this.frame = h('div', { class: 'frame' }, this.opener, this.panel, this.spoken);
    this.frame.addEventListener('keydown', (event) => {
      // The shop's own shortcuts must not fire while a guest types.
      event.stopPropagation();
      if (event.key === 'Escape' && !isComposing(event) && !this.panel.hidden) actions.open(false);
    });
  }

  buildHello() {
    const { words } = this;
    const field = (label, input) => h('label', { class: 'field' }, label, input);
    this.name = h('input', { name: 'name', autocomplete: 'name', required: true, maxlength: '64' });
    this.email = h('input', { name: 'email', type: 'email', autocomplete: 'email', required: true });
    this.first = h('textarea', { name: 'message', rows: String(LINES_OF_FIRST), required: true, dir: 'auto' });
    this.error = h('p', { class: 'error', role: 'alert', hidden: true });
    return h(
      'form',
      { class: 'hello', novalidate: true, onsubmit: (event) => this.begin(event) },
      field(words.nameLabel, this.name),
      field(words.emailLabel, this.email),
      field(words.messageLabel, this.first),
      this.error,
      h('button', { class: 'go', type: 'submit' }, words.start),
    );
  }

  buildWrite() {
    const { words, actions } = this;
    this.text = h('textarea', { rows: '1', dir: 'auto', placeholder: words.messageLabel, 'aria-label': words.messageLabel });
    this.text.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || isComposing(event)) return;
      event.preventDefault();
      this.write.requestSubmit();
    });
    this.text.addEventListener('input', () => {
      this.fit();
      if (bytesOf(this.text.value) <= MESSAGE_BYTES) this.complain(this.writeError, null);
      actions.type(this.text.value !== '');
    });
    this.writeError = h('p', { class: 'error', role: 'alert', hidden: true });
    const send = h('button', { class: 'send', type: 'submit', 'aria-label': words.send }, drawing('send'));
    return h('form', { class: 'write', onsubmit: (event) => this.submit(event) }, this.writeError, this.text, send);
  }

  /** The box is as high as what is in it, a long line as well as many; the style sheet says how high at most. */
  fit() {
    const { style } = this.text;
    const atEnd = this.atEnd();
    style.height = 'auto';
    const edges = this.text.offsetHeight - this.text.clientHeight;
    style.height = `${this.text.scrollHeight + edges}px`;
    if (atEnd) this.toEnd();
  }

  atEnd() {
    return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < 60;
  }

  complain(line, text, input = null) {
    line.textContent = text ?? '';
    line.hidden = !text;
    for (const each of [this.name, this.email, this.first, this.text]) each.removeAttribute('aria-invalid');
    if (!text || !input) return;
    input.setAttribute('aria-invalid', 'true');
    input.focus();
  }

  begin(event) {
    event.preventDefault();
    const { words } = this;
    const wrong = [this.name, this.email, this.first].find((input) => !input.checkValidity() || input.value.trim() === '');
    if (wrong) {
      this.complain(this.error, wrong === this.email && wrong.value ? words.badEmail : words.missing, wrong);
    } else if (bytesOf(this.first.value) > MESSAGE_BYTES) {
      this.complain(this.error, words.tooLong, this.first);
    } else {
      this.complain(this.error, null);
      const message = this.first.value;
      this.first.value = '';
      this.actions.begin({ name: this.name.value.trim(), email: this.email.value.trim() }, message);
    }
  }

  submit(event) {
    event.preventDefault();
    const message = this.text.value;
    if (message.trim() === '') return;
    if (bytesOf(message) > MESSAGE_BYTES) {
      this.complain(this.writeError, this.words.tooLong, this.text);
      return;
    }
    this.fill('');
    this.actions.say(message);
    this.text.focus();
  }

  fill(message) {
    this.text.value = message;
    this.complain(this.writeError, null);
    this.fit();
  }

  /** Back to the form, with what had been written in it. */
  turnedAway({ status, field }, message) {
    const { words } = this;
    this.first.value ||= message;
    const input = { name: this.name, email: this.email }[field];
    const said = { name: words.badName, email: words.badEmail }[field];
    this.complain(this.error, said ?? (status === 429 ? words.busy : words.failed), input);
  }

  show(wanted) {
    this.frame.classList.toggle('open', wanted);
    this.panel.hidden = !wanted;
    this.opener.hidden = wanted;
    this.opener.setAttribute('aria-expanded', String(wanted));
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
  }

  say(text) {
    this.spoken.textContent = text;
  }

  render({ guest, closed, messages, outbox, away, connected, unread }) {
    const { words } = this;
    this.hello.hidden = Boolean(guest);
    this.write.hidden = !guest;
    this.greeting.hidden = Boolean(guest) && messages.length > 0;
    this.note.hidden = !away;
    this.note.textContent = away ? words.away : '';

    const atEnd = this.atEnd();
    const lines = messages.map((message) => this.line(message.from === guest?.guestId, message.message, time(message.time)));
    for (const entry of outbox) lines.push(this.unsent(entry, connected));
    const alone = guest && messages.length > 0 && messages.every((message) => message.from === guest.guestId) && outbox.length === 0;
    if (closed && outbox.length === 0) lines.push(h('li', { class: 'notice' }, h('span', { class: 'meta' }, words.closed)));
    else if (alone) lines.push(h('li', {}, h('span', { class: 'meta' }, words.thanks)));
    this.list.replaceChildren(...lines);
    if (atEnd) this.toEnd();

    this.badge.hidden = unread === 0;
    this.badge.textContent = unread > 9 ? '9+' : String(unread);
    this.opener.setAttribute('aria-label', unread ? `${words.label}, ${unread} ${words.new}` : words.label);
  }

  line(mine, message, meta, state = '') {
    const link = (piece) => h('a', { href: piece.link, target: '_blank', rel: 'noopener noreferrer nofollow' }, piece.text);
    return h(
      'li',
      { class: `${mine ? 'mine' : ''} ${state}` },
      h(
        'span',
        { class: 'bubble', dir: 'auto' },
        h('span', { class: 'sr' }, mine ? `${this.words.you} ` : `${this.words.answer} `),
        pieces(message).map((piece) => (piece.link ? link(piece) : piece.text)),
      ),
      meta ? h('div', { class: 'meta' }, meta) : null,
    );
  }

  unsent(entry, connected) {
    const { words, actions } = this;
    if (!entry.refused) return this.line(true, entry.content, connected ? words.sending : words.waiting, 'pending');
    const button = (word, work) => h('button', { class: 'link', type: 'button', onclick: work }, word);
    const edit = () => {
      actions.drop(entry.client_id);
      this.fill(entry.content);
      this.text.focus();
    };
    return this.line(
      true,
      entry.content,
      h('span', {}, `${words.notSent} `, button(words.edit, edit), button(words.delete, () => actions.drop(entry.client_id))),
      'failed',
    );
  }

  /** Black or white on the site's own colour, whichever reads better. */
  pickInk() {
    const [red, green, blue] = (getComputedStyle(this.opener).backgroundColor.match(/[\d.]+/gu) ?? [0, 0, 0]).map((part) => {
      const share = Number(part) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    this.frame.style.setProperty('--accent-ink', light > 0.18 ? '#14171a' : '#ffffff');
  }
}
