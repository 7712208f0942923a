// One pane: what was said so far, who types, and a line to write in.
import { $, busy, formError, h, input, isSend, reconcile, setText, within } from '../shared/dom.js';
import { timeOfDay } from '../shared/format.js';

/** @typedef {import('./clients.js').Client} Client */
/** @typedef {import('./clients.js').Listener} Listener */

/** A client that goes on typing says so again before the others take it for ended. */
const TYPING_AGAIN = 3_000;
const TYPING_LASTS = 6_000;
const NEAR_END = 60;
const WIRE_LINES = 30;

/**
 * @typedef {object} Kind
 * @property {string} key
 * @property {string} title the API's name
 * @property {string} how how this client speaks and hears
 * @property {import('./setup.js').Member} me
 * @property {Map<number, string>} names of everybody, by their ids
 * @property {(listener: Listener) => Client} connect
 */

/** @typedef {{id: number, from: number, text: string, time: string, edited: boolean}} Message */

export class Pane {
  /** @param {Kind} kind */
  constructor(kind) {
    this.kind = kind;
    /** @type {Map<number, Message>} */
    this.messages = new Map();
    /** Who types, and the end of it. @type {Map<number, ReturnType<typeof setTimeout>>} */
    this.typists = new Map();
    /** The message that is being changed. @type {number | null} */
    this.editing = null;
    this.toldTyping = 0;
    this.element = this.draw();
    this.log = within(this.element, '.log');
    this.list = within(this.log, 'ol');
    this.form = within(this.element, 'form', HTMLFormElement);
    this.field = input(this.form, 'text');
    this.wireLines = within(this.element, '.wire ol');
    $('panes').append(this.element);
    this.listen();
    this.client = kind.connect({
      said: (message) => this.said(message),
      edited: (id, text) => this.edited(id, text),
      typing: (from, typing) => this.typing(from, typing),
      state: (state, why) => this.state(state, why),
      wire: (line) => this.wire(line),
    });
  }

  draw() {
    const { key, title, how, me } = this.kind;
    return h(
      'section',
      { class: 'pane', id: `pane-${key}`, 'aria-labelledby': `title-${key}` },
      h(
        'header',
        { class: 'pane-head' },
        h('h2', { id: `title-${key}` }, `${me.name}, by ${title}`),
        h('p', {}, how),
        h('p', { class: 'state', 'data-state': 'waiting' }, 'Connecting…'),
      ),
      h('div', { class: 'log', tabindex: '0', role: 'log', 'aria-label': `What ${me.name} hears by ${title}` }, h('ol')),
      h('p', { class: 'typing' }),
      h(
        'form',
        { class: 'write', 'aria-label': `Write as ${me.name}` },
        h('label', { class: 'sr-only', for: `text-${key}` }, `Message of ${me.name}`),
        h('input', { id: `text-${key}`, name: 'text', autocomplete: 'off', enterkeyhint: 'send', placeholder: `Write as ${me.name}`, dir: 'auto' }),
        h('button', { class: 'button', type: 'button', name: 'cancel', hidden: true }, 'Cancel'),
        h('button', { class: 'button primary', type: 'submit', name: 'send' }, 'Send'),
        h('p', { class: 'form-error', role: 'alert', hidden: true }),
      ),
      h('details', { class: 'wire' }, h('summary', {}, 'On the wire'), h('ol', { tabindex: '0', 'aria-label': `On the wire of ${me.name}` })),
    );
  }

  listen() {
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.submit();
    });
    this.field.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.editing !== null) this.edit(null);
      if (!isSend(event)) return;
      event.preventDefault();
      this.submit();
    });
    this.field.addEventListener('input', () => this.tellTyping());
    within(this.form, '[name=cancel]').addEventListener('click', () => this.edit(null));
  }

  submit() {
    const text = this.field.value.trim();
    if (text === '') return;
    const { editing } = this;
    busy(within(this.form, '[name=send]'), async () => {
      try {
        await (editing === null ? this.client.say(text) : this.client.edit?.(editing, text));
        formError(this.form, null);
        if (this.field.value.trim() === text) this.field.value = '';
        this.edit(null);
        this.tellTyping();
      } catch (error) {
        formError(this.form, `That did not work: ${error instanceof Error ? error.message : 'the reason is unknown.'}`);
      }
    });
  }

  /** Tells that this one types, now and then while it goes on, and at once when it is over. */
  tellTyping() {
    const types = this.field.value !== '';
    const now = Date.now();
    if (types ? now - this.toldTyping < TYPING_AGAIN : this.toldTyping === 0) return;
    this.toldTyping = types ? now : 0;
    // A signal that is lost is told again, or ends by itself.
    this.client.type(types).catch(() => {});
  }

  /** Begins to change a message, or leaves it. @param {Message | null} message */
  edit(message) {
    if (message === null && this.editing === null) return;
    this.editing = message?.id ?? null;
    this.field.value = message?.text ?? '';
    setText(within(this.form, '[name=send]'), message ? 'Save' : 'Send');
    within(this.form, '[name=cancel]').hidden = message === null;
    this.field.focus();
  }

  /** @param {Omit<Message, 'edited'>} message */
  said(message) {
    if (this.messages.has(message.id)) return;
    this.messages.set(message.id, { ...message, edited: false });
    this.typing(message.from, false);
    this.render();
  }

  /**
   * @param {number} id
   * @param {string} text
   */
  edited(id, text) {
    const message = this.messages.get(id);
    if (message) this.messages.set(id, { ...message, text, edited: true });
    this.render();
  }

  /**
   * @param {number} from
   * @param {boolean} typing
   */
  typing(from, typing) {
    if (from === this.kind.me.id) return;
    clearTimeout(this.typists.get(from));
    this.typists.delete(from);
    if (typing)
      this.typists.set(
        from,
        setTimeout(() => this.typing(from, false), TYPING_LASTS),
      );
    const names = [...this.typists.keys()].map((id) => this.kind.names.get(id) ?? 'Somebody');
    const text = names.length === 0 ? '' : `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} typing…`;
    setText(within(this.element, '.typing'), text);
  }

  /**
   * @param {'live' | 'waiting'} state
   * @param {string} [why]
   */
  state(state, why) {
    const line = within(this.element, '.state');
    line.dataset.state = state;
    setText(line, state === 'live' ? 'Connected' : why || 'Not connected');
  }

  /** @param {string} line */
  wire(line) {
    this.wireLines.prepend(h('li', {}, line));
    while (this.wireLines.children.length > WIRE_LINES) this.wireLines.lastElementChild?.remove();
  }

  render() {
    const { log } = this;
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
    const messages = [...this.messages.values()].sort((one, other) => one.id - other.id);
    reconcile(
      this.list,
      messages.map((message) => ({ key: String(message.id), print: JSON.stringify(message), make: () => this.line(message) })),
    );
    if (atEnd) log.scrollTop = log.scrollHeight;
  }

  /** @param {Message} message */
  line(message) {
    const { me, names } = this.kind;
    const isMine = message.from === me.id;
    const name = names.get(message.from) ?? 'Somebody';
    const hue = `hue-${message.from % 8}`;
    return h(
      'li',
      { class: `message first last ${isMine ? 'mine' : 'theirs'}` },
      h(
        'div',
        { class: 'said' },
        isMine ? null : h('p', { class: `from ${hue}`, 'aria-hidden': 'true' }, name),
        h('div', { class: 'bubble', dir: 'auto' }, h('span', { class: 'sr-only' }, isMine ? 'You: ' : `${name}: `), message.text),
        h(
          'p',
          { class: 'meta' },
          message.edited ? 'Edited · ' : null,
          h('time', { datetime: message.time }, timeOfDay(message.time)),
          isMine && this.client?.edit ? h('button', { class: 'link', type: 'button', onclick: () => this.edit(message) }, 'Edit') : null,
        ),
      ),
    );
  }
}
