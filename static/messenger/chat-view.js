// One chat: its messages, its history, its composer.
import { ApiError, get, post } from '../shared/api.js';
import { $, busy, setText, show, speak, within } from '../shared/dom.js';
import { isMissing, renderBeginning, renderHeader } from './chat-header.js';
import { ChatHistory } from './chat-history.js';
import { ChatLines } from './chat-lines.js';
import { ChatPoll } from './chat-poll.js';
import { Composer } from './composer.js';
import { plainText } from './markdown.js';
import { joinChat, leaveChat } from './membership.js';
import { MessageActions } from './message-actions.js';
import { MessageList } from './message-list.js';
import { MessageTools } from './message-tools.js';
import { chooseChat, forwarded } from './forward.js';
import { linkable, mentionable } from './nameable.js';
import { ReadMarks, isWatched } from './read-marks.js';
import { ReadingPlace } from './reading-place.js';

/** @typedef {import('./model.js').Message} Message */

/** In larger chats nobody is told how far others have read. */
const READERS_UP_TO = 50;

export class ChatView {
  /**
   * @param {object} options
   * @param {import('./model.js').Model} options.model
   * @param {import('../shared/outbox.js').Outbox<any>} options.outbox
   * @param {import('./members.js').Members} options.members
   * @param {() => import('../shared/connection-status.js').State} options.connection
   * @param {(person: number, beside: HTMLElement) => void} options.person shows who somebody is
   * @param {(message: number) => string[]} options.wordsIn what a search has found in a message
   * @param {() => void} options.joined called when I have joined a chat: of what happened in it before no event told
   */
  constructor({ model, outbox, members, connection, person, joined, wordsIn }) {
    this.wordsIn = wordsIn;
    this.joined = joined;
    this.model = model;
    this.outbox = outbox;
    this.connection = connection;
    /** @type {number | null} */
    this.chat = null;
    /** @type {number | null} */
    this.loading = null;
    /** @type {unknown} */
    this.fault = null;
    /** @type {ChatPoll | null} */
    this.poll = null;
    this.readMarks = new ReadMarks(model);
    this.actions = new MessageActions(model, () => this.chat);
    this.history = new ChatHistory({
      model,
      current: () => this.chat,
      reading: (what) => setText($('earlier-button'), what === 'earlier' ? 'Loading…' : 'Show earlier messages'),
    });
    this.lines = new ChatLines({ model, outbox, doings: this.doings(person) });
    this.composer = new Composer({
      person: model.me.id,
      send: (content, answered) => this.send(content, answered),
      save: (message, content) => this.actions.save(message, content),
      grew: () => this.list.keepEnd(),
      last: () => this.editLast(),
      members: () => mentionable(model, members, this.chat),
      chats: () => linkable(model),
      types: (chat, typing) => {
        // Whether anybody hears it or not is no matter.
        post(`/api/chats/${chat}/typing`, { typing: String(typing) }).catch(() => {});
      },
    });
    this.list = new MessageList({
      scroll: $('scroll'),
      list: $('messages'),
      drawing: {
        ...this.lines.drawing,
        sending: true,
        actions: this.outboxActions(),
        pickDay: (time) => this.place.pickDay(time),
        found: (id) => this.place.found === id,
      },
      reached: (where) => this.place.read(where === 'start' ? 'earlier' : 'later'),
      scrolled: () => this.scrolled(),
    });
    this.tools = new MessageTools({ list: $('messages'), scroll: $('scroll'), work: this.work() });
    this.place = new ReadingPlace(this);
    this.listen();
  }

  /** @returns {import('../shared/message-view.js').Actions} */
  outboxActions() {
    return {
      retry: ({ client_id: id }) => this.outbox.retry(id),
      remove: ({ client_id: id }) => this.outbox.remove(id),
      // What was refused goes back into the box.
      edit: ({ client_id: id, content }) => {
        this.composer.prepend(content);
        this.outbox.remove(id);
      },
    };
  }

  /**
   * @param {(person: number, beside: HTMLElement) => void} person
   * @returns {import('./chat-lines.js').Doings}
   */
  doings(person) {
    return {
      react: (message, emoji) => this.actions.react(message, emoji),
      pick: (message, beside) => this.actions.pick(message, beside),
      jump: (id) => this.place.showMessage(id),
      person,
      changed: () => this.render(),
      whoReacted: (message) => this.actions.whoReacted(message),
      nameReactors: (chip, message, reaction) => this.actions.nameReactors(chip, message, reaction),
      canReact: () => Boolean(this.entry?.member),
    };
  }

  /** @returns {import('./message-tools.js').Work} */
  work() {
    const { actions } = this;
    const inside = () => Boolean(this.entry?.member);
    return {
      find: (id) => this.room?.find(id),
      canReact: inside,
      canReply: inside,
      canEdit: (message) => inside() && actions.isMine(message),
      canDelete: (message) => inside() && (actions.isMine(message) || this.entry?.role === 'admin'),
      react: (message, emoji) => actions.react(message, emoji),
      pick: (message, beside) => actions.pick(message, beside),
      whoReacted: (message) => actions.whoReacted(message),
      reply: (message, selected) => this.composer.answer(message, this.model.name(message.sender_id), selected),
      edit: (message) => this.composer.begin({ kind: 'edit', message, name: '' }),
      copy: (message) => actions.copy(message),
      copyLink: (message) => actions.copyLink(message),
      remove: (message) => actions.remove(message),
      jump: (id) => this.place.showMessage(id),
      forward: (message) => this.forward(message),
      pickDay: ({ time }) => this.place.pickDay(time),
    };
  }

  listen() {
    $('join').addEventListener('click', () => this.join());
    $('drop-draft').addEventListener('click', () => this.dropDraft());
    document.addEventListener('visibilitychange', () => this.markReadIfSeen());
    window.addEventListener('focus', () => this.markReadIfSeen());
  }

  get entry() {
    return this.chat === null ? null : (this.model.chats.get(this.chat) ?? null);
  }

  get room() {
    return this.chat === null ? null : this.model.room(this.chat);
  }

  /** Whether somebody reads the newest messages of this chat here and now. @param {number} chat */
  isReading(chat) {
    return this.chat === chat && this.place.placed && this.list.atEnd && isWatched();
  }

  /**
   * Opens a chat, or none.
   * @param {number | null} id
   * @param {{focus?: boolean, message?: number | null}} [options] `message` is shown, wherever in the history it is
   */
  open(id, { focus = true, message = null } = {}) {
    if (this.chat === id) {
      if (message !== null) this.place.showMessage(message);
      else if (focus) this.focus();
      return;
    }
    this.stopPoll();
    this.place.leave();
    this.chat = id;
    this.fault = null;
    this.place.begin(this.entry, message);
    this.lines.unfolded.clear();
    this.list.clear();
    this.composer.open(id);
    this.render();
    if (id === null) return;
    this.composer.resize();
    this.readReads(id);
    const room = this.model.room(id);
    if (!room.ready || room.stale || room.later) this.load();
    else this.place.showFirst(id);
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

  /** Reads the open chat anew, of which nothing is known any more. */
  startAnew() {
    this.stopPoll();
    this.readMarks.forget();
    if (this.chat === null) return;
    this.history.cursor = undefined;
    this.readReads(this.chat);
    this.load();
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
      if (!this.place.placed) await this.place.showFirst(id);
    } catch (error) {
      if (this.chat !== id) return;
      this.fault = error;
      if (isMissing(error)) this.model.rooms.delete(id);
    } finally {
      if (this.loading === id) this.loading = null;
      if (this.chat === id) this.render();
    }
    this.markReadIfSeen();
  }

  /** How far others have read, in a chat of few. @param {number} id */
  async readReads(id) {
    const { entry } = this;
    if (!entry?.member || (entry.members_count ?? Infinity) > READERS_UP_TO) return;
    try {
      await this.model.taking(
        () => get(`/api/chats/${id}/reads`),
        ({ body }) => {
          this.model.addPeople(body.people);
          this.model.takeReads(id, body.reads);
        },
      );
    } catch {
      // Then nobody's place is shown.
    }
  }

  scrolled() {
    if (this.list.atEnd) this.place.missed = 0;
    this.place.renderJumps();
    this.markReadIfSeen();
  }

  render() {
    const { entry, chat } = this;
    show($('open-chat'), chat !== null);
    show($('blank'), chat === null);
    if (chat === null) return;
    const room = this.model.room(chat);
    const lost = this.model.lost.get(chat);
    renderHeader(this.model, entry, { missing: isMissing(this.fault), title: lost?.title });
    show($('earlier'), room.more);
    const missing = isMissing(this.fault);
    show($('dead-end'), missing);
    show($('drop-draft'), missing && this.composer.drafts.get(chat) !== '');
    renderBeginning({ room, entry, fault: this.fault, waiting: this.outbox.of(chat).length > 0, why: lost?.why });
    this.list.drawing.sending = this.connection() === 'live' && this.outbox.failures === 0;
    this.list.render(this.lines.all(chat, room, this.place.divider), !room.later);
    this.place.renderJumps();
    this.pollIfLookingIn();
  }

  /** Who was removed, or whose chat was deleted, sees nothing more of it. */
  checkPlace() {
    const { chat } = this;
    if (chat === null || this.entry || !this.model.room(chat).ready) return;
    this.model.rooms.delete(chat);
    this.fault = new ApiError(404);
    this.list.clear();
    this.composer.open(null);
    this.render();
  }

  /** What was begun in a chat that is gone is of no use any more. */
  dropDraft() {
    if (this.chat === null) return;
    this.composer.drafts.set(this.chat, '');
    this.render();
    within($('dead-end'), 'a').focus();
  }

  /**
   * Called with each event as it is applied: counts and says what arrives while one reads elsewhere.
   * @param {any} event
   */
  announce(event) {
    if (event.type === 'member' || event.type === 'chat') {
      this.checkPlace();
      // Joined in another tab: what was said since this one looked in may be missing.
      if (this.entry?.member && this.room?.stale) this.load();
    }
    if (event.type !== 'message' || event.message.sender_id === this.model.me.id) return;
    const name = this.model.name(event.message.sender_id);
    if (event.chat_id === this.chat) {
      this.place.heard(event.message);
      speak(`${name}: ${plainText(event.message.content)}`);
    } else {
      const chat = this.model.chats.get(event.chat_id);
      if (chat) speak(chat.direct ? `New message from ${name}` : `New message from ${name} in ${chat.title}`);
    }
  }

  /**
   * @param {string} content
   * @param {Message | null} answered
   */
  send(content, answered) {
    if (this.chat === null) return;
    this.place.divider = null;
    const quote = answered && { id: answered.id, sender_id: answered.sender_id, content: answered.content.slice(0, 200) };
    this.outbox.add(this.chat, content, { title: this.entry?.title, ...(quote && { reply_to: quote.id, quote }) });
    this.place.toEnd();
  }

  /** The last message of mine, to change it; or else the newest, to walk from there. */
  editLast() {
    const mine = this.room?.messages.findLast((message) => message.sender_id === this.model.me.id && !message.deleted_at);
    if (mine) this.composer.begin({ kind: 'edit', message: mine, name: '' });
    else this.tools.enter();
  }

  /** @param {Message} message */
  forward(message) {
    const { entry: chat, model } = this;
    if (!chat) return;
    const text = forwarded(message, { name: model.name(message.sender_id), chat });
    chooseChat(model, ({ id }) => {
      location.hash = `#/chats/${id}`;
      this.composer.bring(id, text);
    });
  }

  markReadIfSeen() {
    if (this.chat !== null && this.isReading(this.chat)) this.readMarks.read(this.chat);
  }

  async join() {
    const id = this.chat;
    if (id === null) return;
    await busy($('join'), async () => {
      if (!(await joinChat(this.model, id))) return;
      this.joined();
      if (this.chat !== id) return;
      this.load();
      this.render();
      this.focus();
    });
  }

  /** @param {number} id */
  leave(id) {
    leaveChat(this.model, id, this.readMarks);
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
          this.history.cursor = undefined;
          this.model.rooms.delete(chat);
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
