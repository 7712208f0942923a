// One chat: its messages, its history, its composer.
import { ApiError } from '../shared/api.js';
import { $, busy, setText, show, speak } from '../shared/dom.js';
import { hue, plural } from '../shared/format.js';
import { ChatHistory } from './chat-history.js';
import { ChatPoll } from './chat-poll.js';
import { Composer } from './composer.js';
import { plainText } from './markdown.js';
import { joinChat, leaveChat } from './membership.js';
import { drawBody } from './message-body.js';
import { MessageList } from './message-list.js';
import { ReadMarks, isWatched } from './read-marks.js';

/** @typedef {import('./room.js').Room} Room */
/** @typedef {import('./model.js').Chat} Chat */
/** @typedef {import('./model.js').Message} Message */
/** @typedef {import('../shared/message-view.js').Line} Line */

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
    this.missed = 0;
    this.placed = false;
    /** @type {number | null} */
    this.loading = null;
    /** @type {{unread: number, upTo: number, first: number | null}} */
    this.opening = { unread: 0, upTo: 0, first: null };
    /** @type {unknown} */
    this.fault = null;
    /** @type {ChatPoll | null} */
    this.poll = null;
    /** Long messages of which all is shown. @type {Set<string>} */
    this.unfolded = new Set();
    this.readMarks = new ReadMarks(model);
    this.history = new ChatHistory({
      model,
      current: () => this.chat,
      reading: (what) => setText($('earlier-button'), what === 'earlier' ? 'Loading…' : 'Show earlier messages'),
    });
    this.composer = new Composer({
      person: model.me.id,
      send: (content) => this.send(content),
      grew: () => {
        if (this.list.follows) this.list.toEnd();
      },
    });
    this.list = new MessageList({
      scroll: $('scroll'),
      list: $('messages'),
      drawing: this.drawing(),
      reached: (where) => this.read(where === 'start' ? 'earlier' : 'later'),
      scrolled: () => this.scrolled(),
    });
    this.listen();
  }

  /** @returns {import('../shared/message-view.js').Options} */
  drawing() {
    return {
      sending: true,
      actions: {
        retry: ({ client_id: id }) => this.outbox.retry(id),
        remove: ({ client_id: id }) => this.outbox.remove(id),
        // What was refused goes back into the box.
        edit: ({ client_id: id, content }) => {
          this.composer.prepend(content);
          this.outbox.remove(id);
        },
      },
      draw: (line) =>
        drawBody(line.content, {
          unfolded: this.unfolded.has(line.key),
          unfold: () => {
            this.unfolded.add(line.key);
            this.render();
          },
        }),
    };
  }

  listen() {
    $('earlier-button').addEventListener('click', () => this.read('earlier'));
    $('to-end').addEventListener('click', async () => {
      await this.toEnd();
      this.composer.focus();
    });
    $('to-unread').addEventListener('click', () => this.toUnread());
    $('join').addEventListener('click', () => this.join());
    $('leave').addEventListener('click', () => this.leave());
    document.addEventListener('visibilitychange', () => this.markReadIfSeen());
    window.addEventListener('focus', () => this.markReadIfSeen());
  }

  get entry() {
    return this.chat === null ? null : (this.model.chats.get(this.chat) ?? null);
  }

  /** Whether somebody reads the newest messages of this chat here and now. @param {number} chat */
  isReading(chat) {
    return this.chat === chat && this.placed && this.list.atEnd && isWatched();
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
    this.placed = false;
    this.unfolded.clear();
    const { entry } = this;
    // The messages that came up to this place are what is counted: later ones are none of them.
    this.opening = { unread: entry?.unread ?? 0, upTo: entry?.active ?? 0, first: entry?.first_unread ?? null };
    this.list.clear();
    this.composer.open(id);
    this.render();
    if (id === null) return;
    this.composer.resize();
    const room = this.model.room(id);
    if (!room.ready || room.stale || room.later) this.load();
    else this.showFirst(id);
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
      if (!(await this.history.newest(id))) return;
      this.fault = null;
      this.render();
      if (!this.placed) await this.showFirst(id);
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
    const { unread, upTo, first } = this.opening;
    if (unread === 0) return null;
    const theirs = room.messages.filter((message) => message.id <= upTo && message.sender_id !== this.model.me.id);
    if (first !== null && room.first && (room.first.id <= first || !room.more)) return theirs.find((message) => message.id >= first)?.id ?? null;
    // Whatever else is counted, the chat has no more than this.
    return theirs.at(-unread)?.id ?? (room.more ? null : (theirs[0]?.id ?? null));
  }

  /**
   * First sight of a chat: at the first unread message, or else at the end.
   * @param {number} id
   */
  async showFirst(id) {
    const room = this.model.room(id);
    try {
      if (this.opening.unread > 0) await this.history.backTo(id, () => this.firstUnread(room) !== null);
    } catch {
      // Then the chat opens at its end, without the line.
    }
    if (this.chat !== id || this.placed) return;
    this.placed = true;
    this.divider = this.firstUnread(room);
    this.render();
    if (this.divider !== null) this.toUnread();
    this.scrolled();
  }

  /** Shows the line above the first message that was unread, unless all after it is in sight as well. */
  toUnread() {
    const message = this.model.room(this.chat ?? 0).find(this.divider ?? 0);
    if (!message) return;
    this.list.showLine(this.keyOf(message), 60);
    this.scrolled();
  }

  /** From wherever one reads to the newest message. */
  async toEnd() {
    const id = this.chat;
    if (id === null) return;
    if (this.model.room(id).later) {
      this.list.follows = true;
      await this.load();
      if (this.chat !== id) return;
    }
    this.list.showEnd();
    this.scrolled();
  }

  /** @param {'earlier' | 'later'} direction */
  async read(direction) {
    if (!this.placed) return;
    const count = await this.history.further(direction);
    if (count === null) speak(`${direction === 'earlier' ? 'Earlier' : 'Later'} messages could not be loaded.`);
    else if (count > 0) speak(plural(count, `${direction} message`, `${direction} messages`));
  }

  scrolled() {
    if (this.list.atEnd) this.missed = 0;
    this.renderJumps();
    this.markReadIfSeen();
  }

  renderJumps() {
    // It keeps its room while the first messages are not drawn, so that nothing moves.
    $('beginning').style.visibility = this.list.from > 0 ? 'hidden' : '';
    const open = this.chat !== null && this.placed;
    show($('to-end'), open && !this.list.atEnd);
    setText($('to-end-text'), this.missed ? plural(this.missed, 'new message', 'new messages') : 'Newest');
    show($('to-unread'), open && this.isDividerAbove());
  }

  isDividerAbove() {
    if (this.divider === null) return false;
    const mark = $('messages').querySelector('.divider');
    if (mark instanceof HTMLElement) return this.list.place(mark) < -8;
    const first = this.list.lines[this.list.from]?.id ?? 0;
    return first > this.divider;
  }

  render() {
    const { entry } = this;
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
    this.list.drawing.sending = this.connection() === 'live' && this.outbox.failures === 0;
    this.list.render(this.lines(room), !room.later);
    this.renderJumps();
    this.pollIfLookingIn();
  }

  /** @param {Message} message */
  keyOf(message) {
    return message.sender_id === this.model.me.id && message.client_id ? `mine ${message.client_id}` : `message ${message.id}`;
  }

  /** @param {Room} room @returns {Line[]} */
  lines(room) {
    const { me } = this.model;
    const lines = room.messages.map((message) => this.line(message));
    // Where the newest messages are not shown, what comes after them is not either.
    if (room.later) return lines;
    const known = new Set(room.messages.map((message) => message.client_id));
    for (const entry of this.outbox.of(this.chat ?? '')) {
      const { client_id: id, content, written: time } = entry;
      if (!known.has(id)) lines.push({ key: `mine ${id}`, sender: me.id, time, content, by: 'me', entry });
    }
    return lines;
  }

  /** @param {Message} message @returns {Line} */
  line(message) {
    const key = this.keyOf(message);
    const mine = message.sender_id === this.model.me.id;
    return {
      key,
      id: message.id,
      sender: message.sender_id,
      time: message.time,
      content: message.content,
      by: mine ? 'me' : 'other',
      name: this.model.name(message.sender_id),
      hue: hue(message.sender_id),
      named: !mine,
      edited: message.edited_at,
      deleted: Boolean(message.deleted_at),
      divided: message.id === this.divider,
      version: this.unfolded.has(key) ? 'whole' : '',
    };
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
      if (!this.list.atEnd) this.missed += 1;
      speak(`${name}: ${plainText(event.message.content)}`);
    } else {
      const title = this.model.chats.get(event.chat_id)?.title;
      if (title) speak(`New message from ${name} in ${title}`);
    }
  }

  /** @param {string} content */
  send(content) {
    if (this.chat === null) return;
    this.divider = null;
    this.outbox.add(this.chat, content, { title: this.entry?.title });
    this.toEnd();
  }

  markReadIfSeen() {
    if (this.chat !== null && this.isReading(this.chat)) this.readMarks.read(this.chat);
  }

  async join() {
    const id = this.chat;
    if (id === null) return;
    await busy($('join'), async () => {
      if (!(await joinChat(this.model, id)) || this.chat !== id) return;
      this.load();
      this.render();
      this.focus();
    });
  }

  leave() {
    const id = this.chat;
    if (id !== null) busy($('leave'), () => leaveChat(this.model, id, this.readMarks));
  }

  /** A chat I only look into sends me no events: it is polled for as long as I look. */
  pollIfLookingIn() {
    const { chat, entry } = this;
    const after = this.history.cursor;
    if (chat === null || !entry || entry.member || !this.model.room(chat).ready || !after || this.fault) this.stopPoll();
    else if (this.poll?.chat !== chat) {
      this.stopPoll();
      this.poll = new ChatPoll({
        chat,
        after,
        took: (answer) => this.model.takeNew(chat, answer),
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
