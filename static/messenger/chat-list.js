// The chat list: mine first, then the open ones I could join.
import { chatRow } from '../shared/chat-row.js';
import { $, busy, setText, show } from '../shared/dom.js';
import { briefly, hue } from '../shared/format.js';
import { drawFace } from './face.js';
import { isMuted } from './levels.js';
import { plainText } from './markdown.js';
import { VirtualList } from './virtual-list.js';

const ROW_HEIGHT = 64;
/** Which sections there are, in their order. @type {('pinned' | 'mine' | 'others')[]} */
const SECTIONS = ['pinned', 'mine', 'others'];

/** @typedef {import('./model.js').Chat} Chat */
/** @typedef {import('../shared/outbox.js').Entry} Entry */

export class ChatList {
  /**
   * @param {object} options
   * @param {import('./model.js').Model} options.model
   * @param {import('../shared/outbox.js').Outbox<any>} options.outbox
   * @param {import('./search.js').Search} options.search
   * @param {() => number | null} options.current
   * @param {() => Promise<void>} options.more reads a further page of the list
   */
  constructor({ model, outbox, search, current, more }) {
    this.model = model;
    this.outbox = outbox;
    this.current = current;
    this.more = more;
    this.filter = $('filter', HTMLInputElement);
    /** The chats of each section, as they are shown. @type {Record<string, Chat[]>} */
    this.shown = {};
    this.lists = SECTIONS.map((name) => ({
      name,
      rows: new VirtualList({ list: $(`${name}-list`), scroll: $('lists'), height: ROW_HEIGHT, atEnd: () => this.reachedEnd(name) }),
    }));
    $('more-chats').addEventListener('click', () => busy($('more-chats'), () => this.readMore()));
    this.filter.addEventListener('input', () => {
      search.seek(this.filter.value.trim());
      this.render();
      this.readAll();
    });
    this.filter.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.filter.value) {
        event.preventDefault();
        this.filter.value = '';
        search.seek('');
        this.render();
      }
    });
    document.addEventListener('keydown', (event) => this.step(event));
  }

  /** Newest activity first, as the server has them, so that nothing moves when the page is read anew. */
  sorted() {
    return [...this.model.chats.values()].sort((a, b) => b.active - a.active);
  }

  render() {
    const chats = this.sorted();
    const sought = this.filter.value.trim().toLocaleLowerCase();
    const found = sought ? chats.filter((chat) => chat.title.toLocaleLowerCase().includes(sought)) : chats;
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

  /** Who looks for a chat by its name looks through all of them. */
  readAll() {
    busy(this.filter, async () => {
      while (this.filter.value.trim() !== '' && this.model.more) {
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
    if (sought && found === 0) text = `No chat is called “${this.filter.value.trim()}”.`;
    else if (!sought && found === 0) text = 'No chats yet. The plus above starts the first one.';
    else if (!sought && mine === 0) text = 'You are in no chat yet. Join one above, or start your own with the plus.';
    setText($('lists-note'), text);
    show($('lists-note'), text !== '');
  }

  /** @param {Chat} chat */
  item(chat) {
    const here = this.current() === chat.id;
    const newest = this.outbox.of(chat.id).at(-1);
    const time = newest?.written ?? chat.last_message_time;
    const preview = this.preview(chat, newest);
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
    ]);
    return { key: String(chat.id), print, make: () => this.draw(chat, { here, newest, time, preview }) };
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
   * @param {{here: boolean, newest: Entry | undefined, time: string | null, preview: string}} details
   */
  draw(chat, { here, newest, time, preview }) {
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
      icon: newest ? (newest.refused ? 'alert' : 'clock') : null,
      unread: chat.unread,
      state: isMuted(chat) ? 'muted' : '',
      online,
      mentioned: (chat.unread_mentions ?? 0) > 0,
    });
  }

  /**
   * Alt with an arrow goes to the next chat, wherever the cursor is.
   * @param {KeyboardEvent} event
   */
  step(event) {
    if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
    const all = SECTIONS.flatMap((name) => this.shown[name] ?? []);
    if (all.length === 0) return;
    event.preventDefault();
    const at = all.findIndex((chat) => chat.id === this.current());
    const next = event.key === 'ArrowDown' ? at + 1 : at < 0 ? all.length - 1 : at - 1;
    const chat = all[(next + all.length) % all.length];
    location.hash = `#/chats/${chat.id}`;
    this.reveal(chat);
  }

  /** Brings the row of a chat before one's eyes. @param {Chat} chat */
  reveal(chat) {
    for (const { name, rows } of this.lists) {
      const index = this.shown[name].indexOf(chat);
      if (index >= 0) rows.reveal(index);
    }
  }
}
