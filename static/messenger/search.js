// Messages found by their words, under the list of chats; a press opens one where it was said.
import { get } from '../shared/api.js';
import { $, h, setText, show } from '../shared/dom.js';
import { briefly, inFull, inSentence } from '../shared/format.js';
import { explain } from './error-text.js';

/** @typedef {import('./model.js').Message} Message */
/** @typedef {{message: Message & {chat_id: number}, chat: {id: number, title: string | null}, excerpt: string, marks: [number, number][]}} Hit */

const PAUSE = 250;
const PAGE = 20;
/** The server looks at so much of a history at a time. So often the page goes on by itself while nothing is found. */
const EMPTY_PAGES = 8;

export class Search {
  /**
   * @param {object} options
   * @param {import('./model.js').Model} options.model
   */
  constructor({ model }) {
    this.model = model;
    this.query = '';
    /** The one chat that is searched. @type {number | null} */
    this.scope = null;
    /** The one person whose messages are searched. @type {number | null} */
    this.from = null;
    /** @type {number | null} */
    this.before = null;
    this.asked = 0;
    /** Which search is being read: a page is not asked for twice. */
    this.reading = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.list = $('hits-list');
    this.box = $('filter', HTMLInputElement);
    /** The hit that was opened last: which message it led to, and what was found in it. @type {{id: number, words: string[]} | null} */
    this.opened = null;
    $('more-hits').addEventListener('click', () => this.reading !== this.asked && this.read(this.asked));
    $('scope-clear').addEventListener('click', () => {
      this.narrow(null, null);
      this.box.focus();
    });
    model.onChange(() => this.renderScope());
  }

  /** Whether one chat alone is searched, or what one person wrote. */
  get narrowed() {
    return this.scope !== null || this.from !== null;
  }

  /** @param {number | null} chat */
  setScope(chat) {
    this.narrow(chat, null);
    this.ask();
  }

  /** @param {number} person */
  setFrom(person) {
    this.narrow(null, person);
    this.ask();
  }

  /** What was sought before is there, and gives way to what one types. */
  ask() {
    this.box.focus();
    this.box.select();
  }

  /** Everything is searched again. */
  widen() {
    if (this.narrowed) this.narrow(null, null);
  }

  /** Another chat was opened than the one that is searched. @param {number} chat */
  left(chat) {
    if (this.scope !== null && this.scope !== chat) this.widen();
  }

  /**
   * @param {number | null} chat
   * @param {number | null} person
   */
  narrow(chat, person) {
    this.scope = chat;
    this.from = person;
    this.renderScope();
    this.begin();
    // Chats are looked for where everything is.
    this.model.changed();
  }

  /** A chat or a person may be called something else meanwhile. */
  renderScope() {
    show($('scope'), this.narrowed);
    setText($('scope-title'), this.title);
  }

  get title() {
    const { scope, from, model } = this;
    if (scope !== null) return `In “${model.chats.get(scope)?.title ?? 'this chat'}”`;
    if (from === null) return '';
    return from === model.me.id ? 'Written by you' : `Written by “${model.name(from)}”`;
  }

  /** What was found in a message that a hit led to. @param {number} message */
  wordsIn(message) {
    return this.opened?.id === message ? this.opened.words : [];
  }

  /** Gives the focus to the hit that was opened last, where it is still shown; whether it is. */
  focusOpened() {
    const row = this.list.querySelector(`[data-message="${this.opened?.id}"]`);
    if (!(row instanceof HTMLElement) || !row.checkVisibility()) return false;
    row.focus();
    return true;
  }

  /** Called with every change of the box. @param {string} query */
  seek(query) {
    if (query === this.query) return;
    this.query = query;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.begin(), PAUSE);
  }

  begin() {
    this.asked += 1;
    this.before = null;
    this.list.replaceChildren();
    const wanted = [...this.query].length >= 2;
    show($('hits'), wanted);
    show($('more-hits'), false);
    setText($('hits-note'), wanted ? 'Searching…' : '');
    if (wanted) this.read(this.asked);
  }

  /** @param {number} asked */
  async read(asked) {
    this.reading = asked;
    setText($('hits-note'), 'Searching…');
    show($('hits-note'), true);
    /** When the oldest message was sent that was searched, where more may be found. @type {string | null} */
    let lookedBackTo = null;
    try {
      for (let pages = 0; pages < EMPTY_PAGES; pages += 1) {
        const query = new URLSearchParams({ query: this.query, limit: String(PAGE) });
        if (this.scope !== null) query.set('chat', String(this.scope));
        if (this.from !== null) query.set('from', String(this.from));
        if (this.before !== null) query.set('before', String(this.before));
        const { body } = await get(`/api/search?${query}`);
        if (asked !== this.asked) return;
        this.model.addPeople(body.people);
        this.list.append(...body.hits.map((/** @type {Hit} */ hit) => this.row(hit)));
        this.before = body.before ?? null;
        lookedBackTo = body.hits.length < PAGE ? (body.looked_back_to ?? null) : null;
        if (body.hits.length > 0 || !body.has_more) break;
      }
      const none = this.list.childElementCount === 0 && this.before === null;
      setText($('hits-note'), lookedBackTo ? `Looked back to ${inSentence(lookedBackTo)}.` : none ? 'No message has these words.' : '');
      setText($('more-hits'), lookedBackTo ? 'Look further' : 'Show older messages');
    } catch (error) {
      if (asked !== this.asked) return;
      setText($('hits-note'), explain(error));
      setText($('more-hits'), 'Look further');
    }
    this.reading = 0;
    show($('more-hits'), this.before !== null);
    show($('hits-note'), $('hits-note').textContent !== '');
  }

  /**
   * @param {number} id
   * @param {string} excerpt
   * @param {[number, number][]} marks
   */
  open(id, excerpt, marks) {
    const characters = [...excerpt];
    this.opened = { id, words: marks.map(([start, end]) => characters.slice(start, end).join('')) };
  }

  /** @param {Hit} hit */
  row({ message, chat, excerpt, marks }) {
    const who = message.sender_id === this.model.me.id ? 'You' : this.model.name(message.sender_id);
    const title = this.model.chats.get(chat.id)?.title ?? chat.title ?? who;
    return h(
      'li',
      {},
      h(
        'a',
        { class: 'hit', href: `#/chats/${chat.id}/${message.id}`, 'data-message': message.id, onclick: () => this.open(message.id, excerpt, marks) },
        h(
          'span',
          { class: 'chat-top' },
          h('span', { class: 'hit-where', dir: 'auto' }, this.scope === null ? `${who} in ${title}` : who),
          h('time', { class: 'chat-time', datetime: message.time, title: inFull(message.time) }, briefly(message.time)),
        ),
        h('span', { class: 'hit-words', dir: 'auto' }, marked(excerpt, marks)),
      ),
    );
  }
}

/**
 * A text whose marked parts stand out; marks count characters, as people see them.
 * @param {string} text
 * @param {[number, number][]} marks
 */
export function marked(text, marks) {
  const characters = [...text];
  /** @type {(Node | string)[]} */
  const parts = [];
  let from = 0;
  for (const [start, end] of marks) {
    parts.push(characters.slice(from, start).join(''), h('mark', {}, characters.slice(start, end).join('')));
    from = end;
  }
  parts.push(characters.slice(from).join(''));
  return parts.filter((part) => part !== '');
}
