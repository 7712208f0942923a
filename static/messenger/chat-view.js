// One chat: its messages, its history upwards, its composer.
import { ApiError, get, post } from '../shared/api.js';
import { confirm } from '../shared/confirm.js';
import { $, busy, reconcile, setText, show, speak } from '../shared/dom.js';
import { hue, plural } from '../shared/format.js';
import { messageItems } from '../shared/message-view.js';
import { ChatPoll } from './chat-poll.js';
import { Composer } from './composer.js';
import { explain } from './error-text.js';

/** @typedef {import('./model.js').Room} Room */
/** @typedef {import('./model.js').Chat} Chat */
/** @typedef {import('../shared/message-view.js').Line} Line */

const PAGE = 60;
/** How far back the first unread message is looked for: so many pages of the server's longest. */
const UNREAD_PAGE = 200;
const UNREAD_PAGES = 10;
const NEAR_END = 80;

export class ChatView {
  /**
   * @param {object} options
   * @param {import('./model.js').Model} options.model
   * @param {import('../shared/outbox.js').Outbox<any>} options.outbox
   * @param {() => import('../shared/connection-status.js').State} options.connection
   */
  constructor({ model, outbox, connection }) {
    this.model = model;
    this.outbox = outbox;
    this.connection = connection;
    /** @type {number | null} */
    this.chat = null;
    /** The first message that was unread when the chat was opened. @type {number | null} */
    this.divider = null;
    this.atEnd = true;
    this.missed = 0;
    this.placed = false;
    this.fetching = false;
    /** @type {number | null} */
    this.loading = null;
    this.opening = { unread: 0, upTo: 0 };
    /** @type {unknown} */
    this.fault = null;
    /** @type {ChatPoll | null} */
    this.poll = null;
    /** @type {string | undefined} */
    this.pollFrom = undefined;
    /** How far each chat was read, as the server was told. @type {Map<number, number>} */
    this.reported = new Map();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.readTimer = undefined;
    /** @type {Promise<void> | undefined} */
    this.readRequest = undefined;
    this.scroll = $('scroll');
    this.composer = new Composer({
      person: model.me.id,
      send: (content) => this.send(content),
      grew: () => {
        if (this.atEnd) this.toEnd();
      },
    });
    this.actions = {
      retry: (/** @type {{client_id: string}} */ { client_id: id }) => outbox.retry(id),
      remove: (/** @type {{client_id: string}} */ { client_id: id }) => outbox.remove(id),
      // What was refused goes back into the box.
      edit: (/** @type {{client_id: string, content: string}} */ { client_id: id, content }) => {
        this.composer.prepend(content);
        outbox.remove(id);
      },
    };
    this.listen();
  }

  listen() {
    this.scroll.addEventListener('scroll', () => this.scrolled(), { passive: true });
    $('earlier-button').addEventListener('click', () => this.earlier());
    $('to-end').addEventListener('click', () => {
      this.toEnd();
      this.composer.focus();
    });
    $('join').addEventListener('click', () => this.join());
    $('leave').addEventListener('click', () => this.leave());
    document.addEventListener('visibilitychange', () => this.markReadIfSeen());
    window.addEventListener('focus', () => this.markReadIfSeen());
    new ResizeObserver(() => {
      if (this.atEnd) this.toEnd();
    }).observe(this.scroll);
  }

  get entry() {
    return this.chat === null ? null : (this.model.chats.get(this.chat) ?? null);
  }

  /**
   * Opens a chat, or none. The unread count at this moment decides where the line "New" goes.
   * @param {number | null} id
   * @param {{focus?: boolean}} [options]
   */
  open(id, { focus = true } = {}) {
    if (this.chat === id) {
      if (focus) this.focus();
      return;
    }
    this.stopPoll();
    this.chat = id;
    this.divider = null;
    this.fault = null;
    this.missed = 0;
    this.atEnd = true;
    this.placed = false;
    // The messages that came up to this place are what is counted: later ones are none of them.
    this.opening = { unread: this.entry?.unread ?? 0, upTo: this.entry?.active ?? 0 };
    $('messages').replaceChildren();
    this.composer.open(id);
    this.render();
    if (id === null) return;
    this.composer.resize();
    const room = this.model.room(id);
    if (!room.ready || room.stale) this.load();
    else this.loadToUnread(id);
    if (focus) this.focus();
  }

  focus() {
    // A phone would raise its keyboard over the messages one came to read.
    if (this.entry?.member && matchMedia('(pointer: fine)').matches) this.composer.focus();
    else $('room-title').focus({ preventScroll: true });
  }

  /** Reads the newest page again when the one we have may have gaps. */
  refresh() {
    if (this.chat === null) return;
    const room = this.model.room(this.chat);
    if (room.stale || !room.ready) this.load();
  }

  async load() {
    const id = this.chat;
    if (id === null || this.loading === id) return;
    this.loading = id;
    this.render();
    try {
      const { body } = await get(`/api/chats/${id}?limit=${PAGE}`);
      this.model.takePage(id, body);
      if (this.chat !== id) return;
      this.fault = null;
      this.pollFrom = body.cursor;
      this.render();
      if (!this.placed) await this.loadToUnread(id);
    } catch (error) {
      if (this.chat !== id) return;
      this.fault = error;
      if (error instanceof ApiError && error.status === 404) this.model.rooms.delete(id);
    } finally {
      if (this.loading === id) this.loading = null;
      if (this.chat === id) this.render();
    }
    this.markReadIfSeen();
  }

  /**
   * The first of the messages that were unread at opening; null while what was read so far does not reach back to it.
   * @param {Room} room
   */
  firstUnread(room) {
    const { unread, upTo } = this.opening;
    if (unread === 0) return null;
    const theirs = room.messages.filter((message) => message.id <= upTo && message.sender_id !== this.model.me.id);
    // Whatever else is counted, the chat has no more than this.
    return theirs.at(-unread)?.id ?? (room.more ? null : (theirs[0]?.id ?? null));
  }

  /**
   * First sight of a chat: reads back to the first unread message, within bounds, and shows it.
   * @param {number} id
   */
  async loadToUnread(id) {
    const room = this.model.room(id);
    try {
      for (let page = 0; page < UNREAD_PAGES && room.more && this.opening.unread > 0 && this.firstUnread(room) === null; page += 1) {
        const { body } = await get(`/api/chats/${id}?before=${room.messages[0].id}&limit=${UNREAD_PAGE}`);
        if (this.chat !== id) return;
        this.model.takeEarlier(id, body);
      }
    } catch {
      // Then the chat opens at its end, without the line.
    }
    if (this.chat === id && !this.placed) this.showFirstUnread();
  }

  /** At the first unread message, or else at the end. */
  showFirstUnread() {
    if (this.chat === null) return;
    this.placed = true;
    this.divider = this.firstUnread(this.model.room(this.chat));
    this.render();
    this.toEnd();
    const mark = $('messages').querySelector('.divider');
    if (mark instanceof HTMLElement && mark.offsetTop < this.scroll.scrollTop) this.scroll.scrollTop = mark.offsetTop - 12;
    this.scrolled();
  }

  async earlier() {
    const id = this.chat;
    if (id === null) return;
    const room = this.model.room(id);
    if (!room.more || this.fetching || room.messages.length === 0) return;
    this.fetching = true;
    const button = $('earlier-button');
    setText(button, 'Loading…');
    try {
      const { body } = await get(`/api/chats/${id}?before=${room.messages[0].id}&limit=${PAGE}`);
      if (this.chat !== id) return;
      const height = this.scroll.scrollHeight;
      const top = this.scroll.scrollTop;
      this.model.takeEarlier(id, body);
      this.render();
      // What one was reading stays where it was.
      this.scroll.scrollTop = top + this.scroll.scrollHeight - height;
      speak(plural(body.messages.length, 'earlier message', 'earlier messages'));
    } catch {
      speak('Earlier messages could not be loaded.');
    } finally {
      this.fetching = false;
      setText(button, 'Show earlier messages');
    }
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroll;
    this.atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (this.atEnd) this.missed = 0;
    this.renderToEnd();
    if (scrollTop < NEAR_END && this.placed) this.earlier();
    this.markReadIfSeen();
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.atEnd = true;
  }

  renderToEnd() {
    show($('to-end'), !this.atEnd && this.chat !== null);
    setText($('to-end-text'), this.missed ? plural(this.missed, 'new message', 'new messages') : 'Newest');
  }

  render() {
    const entry = this.entry;
    show($('open-chat'), this.chat !== null);
    show($('blank'), this.chat === null);
    if (this.chat === null) return;
    const room = this.model.room(this.chat);
    const missing = this.fault instanceof ApiError && this.fault.status === 404;
    setText($('room-title'), entry?.title ?? (missing ? 'Chat not found' : 'Chat'));
    setText($('room-sub'), entry ? subtitle(entry) : '');
    show($('leave'), Boolean(entry?.member));
    show($('composer'), Boolean(entry?.member) && !missing);
    show($('joining'), Boolean(entry && !entry.member) && !missing);
    show($('earlier'), room.more);
    this.renderBeginning(room, entry, missing);
    const keep = this.atEnd;
    const sending = this.connection() === 'live' && this.outbox.failures === 0;
    reconcile($('messages'), messageItems(this.lines(room), { actions: this.actions, sending }));
    if (keep) this.toEnd();
    this.renderToEnd();
    this.pollIfLookingIn();
  }

  /** @param {Room} room @returns {Line[]} */
  lines(room) {
    const { me } = this.model;
    const known = new Set(room.messages.map((message) => message.client_id));
    /** @type {Line[]} */
    const lines = room.messages.map((message) => ({
      key: message.sender_id === me.id && message.client_id ? `mine ${message.client_id}` : `message ${message.id}`,
      sender: message.sender_id,
      time: message.time,
      content: message.content,
      by: message.sender_id === me.id ? 'me' : 'other',
      name: this.model.name(message.sender_id),
      hue: hue(message.sender_id),
      named: message.sender_id !== me.id,
      edited: message.edited_at,
      deleted: Boolean(message.deleted_at),
      divided: message.id === this.divider,
    }));
    for (const entry of this.outbox.of(this.chat ?? '')) {
      const { client_id: id, content, written: time } = entry;
      if (!known.has(id)) lines.push({ key: `mine ${id}`, sender: me.id, time, content, by: 'me', entry });
    }
    return lines;
  }

  /**
   * @param {Room} room
   * @param {Chat | null} entry
   * @param {boolean} missing
   */
  renderBeginning(room, entry, missing) {
    let text = '';
    if (missing) text = 'This chat is not here any more, or never was.';
    else if (!room.ready && this.fault) text = 'The messages cannot be loaded just now. They will come as soon as the server answers.';
    else if (!room.ready) text = 'Loading messages…';
    else if (room.messages.length === 0 && this.outbox.of(this.chat ?? '').length === 0) {
      text = entry?.member ? 'Nothing said yet. Write the first message below.' : 'Nothing said yet. Join to be the first.';
    } else if (!room.more) text = 'This is where the chat begins.';
    setText($('beginning'), text);
    show($('beginning'), text !== '');
    $('beginning').classList.toggle('large', room.messages.length === 0);
  }

  /**
   * Called with each event as it is applied: counts and says what arrives while one reads elsewhere.
   * @param {any} event
   */
  announce(event) {
    if (event.type !== 'message' || event.message.sender_id === this.model.me.id) return;
    const name = this.model.name(event.message.sender_id);
    if (event.chat_id === this.chat) {
      if (!this.atEnd) this.missed += 1;
      speak(`${name}: ${event.message.content}`);
    } else {
      const title = this.model.chats.get(event.chat_id)?.title;
      if (title) speak(`New message from ${name} in ${title}`);
    }
  }

  /** @param {string} content */
  send(content) {
    if (this.chat === null) return;
    this.divider = null;
    this.outbox.add(this.chat, content);
    this.toEnd();
  }

  /** Tells the server how far I have read, when the newest message is really before my eyes. */
  markReadIfSeen() {
    const id = this.chat;
    const { entry } = this;
    if (id === null || !entry?.member || !this.placed || !this.atEnd || document.visibilityState !== 'visible' || !document.hasFocus()) return;
    const room = this.model.room(id);
    const last = room.messages.at(-1);
    const newest = last?.id;
    if (!room.ready || !newest || newest <= (this.reported.get(id) ?? 0)) return;
    const unread = entry.unread > 0;
    this.reported.set(id, newest);
    entry.unread = 0;
    this.model.markRead(id, newest);
    // My own words are read by nature: no need to tell.
    if (!unread && last.sender_id === this.model.me.id) return;
    clearTimeout(this.readTimer);
    this.readTimer = setTimeout(() => {
      this.readRequest = this.reportRead(id, newest);
    }, 250);
  }

  /**
   * @param {number} id
   * @param {number} upTo
   */
  async reportRead(id, upTo) {
    // Who has left meanwhile has nothing to tell.
    if (!this.model.chats.get(id)?.member) return;
    try {
      await post(`/api/chats/${id}/read`, { up_to: String(upTo) });
    } catch {
      // Not told: the next look tells it, with whatever came since.
      if (this.reported.get(id) === upTo) this.reported.delete(id);
    }
  }

  async join() {
    const id = this.chat;
    if (id === null) return;
    await this.act(id, 'join', () => {
      this.model.takeChat({ id, member: true });
      this.model.room(id).stale = true;
      this.load();
      this.render();
      this.focus();
    });
  }

  async leave() {
    const id = this.chat;
    const { entry } = this;
    if (id === null || !entry) return;
    const text = entry.open
      ? 'It leaves your list. Since it is open to everyone, you can join again at any time.'
      : 'It leaves your list, and only somebody inside can bring you back.';
    if (!(await confirm({ title: `Leave “${entry.title}”?`, text, yes: 'Leave' }))) return;
    // A read mark that is told after leaving would be refused.
    clearTimeout(this.readTimer);
    await this.readRequest;
    await this.act(id, 'leave', () => {
      this.model.takeChat({ id, member: false, unread: 0 });
      if (!entry.open) this.model.chats.delete(id);
      location.hash = '#/';
    });
  }

  /**
   * @param {number} chat
   * @param {'join' | 'leave'} verb
   * @param {() => void} done
   */
  act(chat, verb, done) {
    return busy($(verb), async () => {
      try {
        await post(`/api/chats/${chat}/${verb}`);
        done();
      } catch (error) {
        await confirm({ title: 'That did not work', text: explain(error), no: 'Close' });
      }
    });
  }

  /** A chat I only look into sends me no events: it is polled for as long as I look. */
  pollIfLookingIn() {
    const { chat, entry, pollFrom: after } = this;
    if (chat === null || !entry || entry.member || !this.model.room(chat).ready || !after || this.fault) this.stopPoll();
    else if (this.poll?.chat !== chat) {
      this.stopPoll();
      this.poll = new ChatPoll({
        chat,
        after,
        took: (answer) => this.model.takeLater(chat, answer),
        gone: () => {
          this.poll = null;
          this.load();
        },
      });
    }
  }

  stopPoll() {
    this.poll?.stop();
    this.poll = null;
  }

  /** The connection may be dead: what waits on it asks anew. */
  restartPoll() {
    this.poll?.restart();
  }
}

/** @param {Chat} entry */
function subtitle(entry) {
  const kind = entry.open ? 'Open to everyone' : 'Private';
  if (typeof entry.members_count !== 'number') return kind;
  return `${plural(entry.members_count, 'member', 'members')} · ${kind}`;
}
