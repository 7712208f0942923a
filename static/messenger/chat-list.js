// The chat list: mine first, then the open ones I could join.
import { chatRow } from '../shared/chat-row.js';
import { $, become, busy, setText, show, speak } from '../shared/dom.js';
import { briefly, hue } from '../shared/format.js';
import { scoped } from '../shared/server.js';
import { read, write } from '../shared/storage.js';
import { drawFace } from './face.js';
import { isMuted } from './levels.js';
import { plainText } from './markdown.js';
import { VirtualList } from './virtual-list.js';

const ROW_HEIGHT = 64;
/** Which sections there are, in their order. @type {('pinned' | 'mine' | 'others')[]} */
const SECTIONS = ['pinned', 'mine', 'others'];

const WAS_IN = scoped('parlance.was-in');

/** @typedef {import('./model.js').Chat} Chat */
/** @typedef {import('../shared/outbox.js').Entry} Entry */

export class ChatList {
  /**
   * @param {object} options
   * @param {import('./model.js').Model} options.model
   * @param {import('../shared/outbox.js').Outbox<any>} options.outbox
   * @param {import('./search.js').Search} options.search
   * @param {() => number | null} options.current
   * @param {(chat: number) => string} options.draft what was begun in a chat and not sent
   * @param {() => Promise<void>} options.more reads a further page of the list
   */
  constructor({ model, outbox, search, current, draft, more }) {
    this.model = model;
    this.outbox = outbox;
    this.search = search;
    this.current = current;
    this.draft = draft;
    this.more = more;
    this.filter = $('filter', HTMLInputElement);
    /** The chats of each section, as they are shown. @type {Record<string, Chat[]>} */
    this.shown = {};
    this.lists = SECTIONS.map((name) => ({
      name,
      rows: new VirtualList({ list: $(`${name}-list`), scroll: $('lists'), height: ROW_HEIGHT, atEnd: () => this.reachedEnd(name) }),
    }));
    /** Whether only chats with something unread are shown. */
    this.unreadOnly = false;
    $('unread-only').addEventListener('click', () => {
      this.unreadOnly = !this.unreadOnly;
      $('unread-only').setAttribute('aria-pressed', String(this.unreadOnly));
      this.render();
      this.readAll();
    });
    $('more-chats').addEventListener('click', () => busy($('more-chats'), () => this.readMore()));
    $('unread-clear').addEventListener('click', () => $('unread-only').click());
    this.filter.addEventListener('input', () => {
      if (this.filter.value === '') this.showAll();
      else search.seek(this.filter.value.trim());
      this.render();
      this.readAll();
    });
    $('filter-clear').addEventListener('click', () => {
      this.showAll();
      this.filter.focus();
    });
    this.filter.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !(this.filter.value || search.narrowed)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      this.showAll();
    });
    document.addEventListener('keydown', (event) => this.step(event));
  }

  /** Whether I have ever been in a chat, as far as this browser knows. */
  get wasIn() {
    return read(`${WAS_IN}.${this.model.me.id}`, false);
  }

  remember() {
    write(`${WAS_IN}.${this.model.me.id}`, true);
  }

  /** Nothing is sought any more. */
  showAll() {
    this.filter.value = '';
    this.search.seek('');
    this.search.widen();
    this.render();
  }

  /** Newest activity first, as the server has them, so that nothing moves when the page is read anew. */
  sorted() {
    return [...this.model.chats.values()].sort((a, b) => b.active - a.active);
  }

  render() {
    const chats = this.sorted();
    const sought = this.filter.value.trim().toLocaleLowerCase();
    // The open one stays, so that one sees where one is while it is read.
    const wanted = (/** @type {Chat} */ chat) => !this.unreadOnly || chat.unread > 0 || chat.id === this.current();
    // Within one chat, or of one person, messages alone are sought.
    const matches = (/** @type {Chat} */ chat) => sought === '' || (!this.search.narrowed && chat.title.toLocaleLowerCase().includes(sought));
    const found = chats.filter((chat) => wanted(chat) && matches(chat));
    show($('filter-clear'), this.filter.value !== '');
    show($('unread-note'), this.unreadOnly);
    const mine = found.filter((chat) => chat.member);
    this.shown = {
      pinned: mine.filter((chat) => chat.pinned),
      mine: mine.filter((chat) => !chat.pinned),
      others: found.filter((chat) => !chat.member),
    };
    for (const { name } of this.lists) show($(name), this.shown[name].length > 0);
    for (const { name, rows } of this.lists) rows.render(this.shown[name].length, (index) => this.item(this.shown[name][index]));
    show($('more-chats'), this.model.more);
    this.note(sought, found.length, mine.length);
  }

  /** The section that is last of all has come to its end: so has what was read of the list. @param {string} name */
  reachedEnd(name) {
    const last = SECTIONS.findLast((each) => this.shown[each].length > 0);
    const { scrollTop, clientHeight } = $('lists');
    if (name === last && scrollTop > clientHeight) busy($('more-chats'), () => this.readMore());
  }

  readMore() {
    return this.model.more ? this.more().catch(() => {}) : Promise.resolve();
  }

  /** Who looks for a chat by its name, or for what is unread, looks through all of them. */
  readAll() {
    busy(this.filter, async () => {
      while ((this.unreadOnly || this.filter.value.trim() !== '') && this.model.more) {
        const before = this.model.chats.size;
        await this.readMore();
        // Then the server does not answer just now.
        if (this.model.chats.size === before) return;
      }
    });
  }

  /**
   * @param {string} sought
   * @param {number} found
   * @param {number} mine
   */
  note(sought, found, mine) {
    let text = '';
    if (mine > 0 && !this.wasIn) this.remember();
    if (sought && this.search.narrowed) text = '';
    else if (this.unreadOnly && found === 0) text = sought ? 'No unread chat is called that.' : 'Nothing is unread.';
    else if (sought && found === 0) text = `No chat is called “${this.filter.value.trim()}”.`;
    else if (!sought && found === 0) text = this.wasIn ? 'No chats here now. The plus above starts one.' : 'No chats yet. The plus above starts the first one.';
    else if (!sought && !this.unreadOnly && mine === 0)
      text = `You are in no chat ${this.wasIn ? 'now' : 'yet'}. Join one above, or start your own with the plus.`;
    setText($('lists-note'), text);
    show($('lists-note'), text !== '');
  }

  /** @param {Chat} chat */
  item(chat) {
    const here = this.current() === chat.id;
    const newest = this.outbox.of(chat.id).at(-1);
    const time = newest?.written ?? chat.last_message_time;
    // What one writes just now one sees.
    const draft = here || newest ? '' : plainText(this.draft(chat.id));
    const preview = draft || this.preview(chat, newest);
    const print = JSON.stringify([
      chat.title,
      preview,
      time && briefly(time),
      chat.unread,
      here,
      newest?.refused,
      Boolean(newest),
      this.model.presence.isOnline(chat.person_id),
      chat.person_id && this.model.photo(chat.person_id),
      isMuted(chat),
      chat.unread_mentions,
      draft !== '',
    ]);
    const make = () => this.draw(chat, { here, newest, time, preview, begun: draft !== '' });
    return { key: String(chat.id), print, make, patch: (/** @type {HTMLElement} */ row) => become(row, make()) };
  }

  /**
   * @param {Chat} chat
   * @param {Entry | undefined} newest
   */
  preview(chat, newest) {
    if (newest) return plainText(newest.content);
    if (chat.last_message === null) return chat.member ? 'Nothing said yet' : 'Have a look';
    // The title of a direct chat says who the other one is.
    const other = chat.direct ? undefined : this.model.people.get(chat.sender_id ?? 0);
    const who = chat.sender_id === this.model.me.id ? 'You' : other;
    const text = chat.last_message === '' ? 'Message deleted' : plainText(chat.last_message);
    return who ? `${who}: ${text}` : text;
  }

  /**
   * @param {Chat} chat
   * @param {{here: boolean, newest: Entry | undefined, time: string | null, preview: string, begun: boolean}} details
   */
  draw(chat, { here, newest, time, preview, begun }) {
    const { person_id: person, title } = chat;
    const online = this.model.presence.isOnline(person) ?? false;
    return chatRow({
      face: person ? drawFace({ id: person, name: title, photo: this.model.photo(person), online }) : undefined,
      href: `#/chats/${chat.id}`,
      here,
      hue: hue(chat.id),
      title,
      time,
      preview,
      begun,
      icon: newest ? (newest.refused ? 'alert' : 'clock') : null,
      unread: chat.unread,
      state: isMuted(chat) ? 'muted' : '',
      online,
      mentioned: (chat.unread_mentions ?? 0) > 0,
    });
  }

  /**
   * Alt with an arrow goes to the next chat, wherever the cursor is; with Shift, to the next in which something is unread.
   * @param {KeyboardEvent} event
   */
  step(event) {
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
    const all = SECTIONS.flatMap((name) => this.shown[name] ?? []);
    if (all.length === 0) return;
    event.preventDefault();
    const at = all.findIndex((chat) => chat.id === this.current());
    const others = [...all.slice(at + 1), ...all.slice(0, Math.max(at, 0))];
    if (event.key === 'ArrowUp') others.reverse();
    const chat = event.shiftKey ? others.find((each) => each.unread > 0 && !isMuted(each)) : others[0];
    if (!chat) {
      if (event.shiftKey) speak('Nothing else is unread.');
      return;
    }
    location.hash = `#/chats/${chat.id}`;
    this.reveal(chat);
  }

  /** From a chat back to the list, to where one left it: to the hit that was opened, or to the row of the chat. @param {number} id */
  comeBack(id) {
    if (this.filter.value !== '' && this.search.focusOpened()) return;
    const chat = this.model.chats.get(id);
    if (chat) this.reveal(chat);
    const row = $('lists').querySelector(`a.chat-row[href="#/chats/${id}"]`);
    if (row instanceof HTMLElement) row.focus();
    else this.enter();
  }

  /** Gives the focus to what one goes on with: the first chat, or where there is none, what begins one. */
  enter() {
    const row = $('lists').querySelector('a.chat-row');
    if (row instanceof HTMLElement) row.focus();
    else $('new-chat').focus();
  }

  /** Brings the row of a chat before one's eyes. @param {Chat} chat */
  reveal(chat) {
    for (const { name, rows } of this.lists) {
      const index = this.shown[name].indexOf(chat);
      if (index >= 0) rows.reveal(index);
    }
  }
}
