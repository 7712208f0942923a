// What the desk knows: its queues and their chats, kept fresh over the socket.
import { History } from '../shared/history.js';
import { Queues, plain } from './queues.js';

const TYPING_LASTS = 6_000;
const SERVER = new URL('..', import.meta.url).href;

export class Desk {
  /** `changed()` after every change; `heard(chat, message)` for a guest's words; `ended()` when the login is over. */
  constructor({ owner, changed, heard, ended, state }) {
    Object.assign(this, { owner, changed, heard, ended });
    this.queues = new Queues({ ask: (event, argument) => this.ask(event, argument), isRead: (id) => this.isRead(id) });
    this.rooms = new Map();
    this.typing = new Map();
    this.ready = false;
    this.socket = globalThis.ParlanceSocket.connect(SERVER);
    this.socket
      .on('connect', () => this.connected(state))
      .on('status', ({ status, until }) => {
        if (status !== 'connected') state(status, until);
      })
      .on('disconnect', () => [...this.typing.keys()].forEach((id) => this.endTyping(id)))
      .on('newMessage', (push) => this.pushed(push))
      .on('waitingChat', (entry) => this.arrived(entry))
      .on('closeChat', (push) => this.wasClosed(push))
      .on('typing', (signal) => this.typed(signal))
      .on('seen', (mark) => this.seen(mark));
  }

  get chats() {
    return this.queues.chats;
  }

  close() {
    this.socket.close();
  }

  /** Asks the server; a refusal is thrown with its status. */
  async ask(event, argument = {}) {
    const reply = await this.socket.ask(event, { ...argument, token: this.owner.token });
    if (reply?.statusCode >= 400) {
      if (reply.statusCode === 401) this.ended();
      throw Object.assign(new Error(String(reply.data)), { status: reply.statusCode, wait: reply.retryAfter });
    }
    return reply;
  }

  async connected(state) {
    try {
      // A chat that was read before may have gone on without us.
      for (const room of this.rooms.values()) room.stale = true;
      await this.readQueues();
      if (this.current) await this.load(this.current);
      state('live', null);
    } catch (problem) {
      if (problem.status && problem.status !== 401) console.error(problem);
    }
  }

  async readQueues() {
    await this.queues.read();
    this.ready = true;
    this.changed();
  }

  /** Many pushes in one go are one reason to look. */
  lookAgain() {
    clearTimeout(this.looking);
    this.looking = setTimeout(() => this.readQueues().catch(() => {}), 120);
  }

  /** Shows the closed chats, or no more. */
  wantClosed(wanted) {
    this.queues.closedWanted = wanted;
    if (wanted) this.lookAgain();
  }

  search(query) {
    if (query === this.queues.query) return;
    this.queues.search(query);
    this.lookAgain();
  }

  showMore(name) {
    this.queues.wantMore(name);
    this.lookAgain();
  }

  room(id) {
    if (!this.rooms.has(id)) {
      const history = new History((argument) => this.ask('getChatMessages', argument));
      this.rooms.set(id, { messages: [], history, ready: false, stale: false, first: null, seen: null });
    }
    return this.rooms.get(id);
  }

  /** Who the guest of a chat is; its entry says so, and guests speak first. */
  guestOf(id) {
    return this.chats.get(id)?.guestId ?? this.rooms.get(id)?.messages[0]?.from ?? null;
  }

  async load(id) {
    const room = this.room(id);
    await this.readFrom(id, room, 0);
    room.ready = true;
    room.stale = false;
    this.changed();
  }

  readFrom(id, room, start) {
    return room.history.read({ chatId: id }, room.messages, start);
  }

  /** The answer to a message may not tell its id and place: then the end of the chat is read again, once for several. */
  settle(id) {
    const room = this.room(id);
    clearTimeout(room.settling);
    room.settling = setTimeout(async () => {
      const start = room.messages.findIndex((message) => !message.id);
      if (start < 0) return;
      await this.readFrom(id, room, start).catch(() => {});
      this.changed();
    }, 150);
  }

  arrived(entry) {
    const id = plain(entry);
    const known = this.chats.get(id);
    this.chats.set(id, { ...known, ...entry, id, queue: known?.queue ?? 'elsewhere' });
    this.queues.move(id, 'waiting');
    this.lookAgain();
    this.changed();
  }

  pushed(push) {
    // The same name also brings the answers to what we sent ourselves.
    if (!push || push.statusCode || !push.message) return;
    const id = plain(push.chatId);
    const { message, from } = push.message;
    const room = this.rooms.get(id);
    if (room && !room.messages.some((each) => each.id && each.id === push._id)) {
      room.messages.push({ from, message, id: push._id, time: push.time });
    }
    const chat = this.chats.get(id);
    if (chat) {
      chat.lastMessage = message;
      chat.time = push.time ?? new Date().toISOString();
      if (from !== this.owner.ownerId) chat.unread = (chat.unread ?? 0) + 1;
    }
    this.endTyping(id, from);
    // An answer moves a chat, whoever gave it; an unknown chat has just begun.
    if (chat?.queue !== 'active') this.lookAgain();
    if (!chat || from === this.guestOf(id)) this.heard(id, message);
    this.changed();
  }

  wasClosed(push) {
    if (!push || push.statusCode) return;
    this.closed(plain(push.chatId));
  }

  closed(id) {
    this.queues.move(id, 'closed');
    this.endTyping(id);
    this.changed();
  }

  /** Who types in a chat: its guest, or a colleague. */
  typed({ chatId, from, typing } = {}) {
    const id = plain(chatId);
    if (!from || from === this.owner.ownerId) return;
    this.endTyping(id, from);
    if (typing === false) return;
    if (!this.typing.has(id)) this.typing.set(id, new Map());
    this.typing.get(id).set(from, setTimeout(() => this.endTyping(id, from), TYPING_LASTS));
    this.changed();
  }

  /** Nobody types in a chat any more, or one of them does not. */
  endTyping(id, from) {
    const typists = this.typing.get(id);
    if (!typists) return;
    for (const who of from === undefined ? [...typists.keys()] : [from]) {
      clearTimeout(typists.get(who));
      typists.delete(who);
    }
    if (typists.size === 0) this.typing.delete(id);
    this.changed();
  }

  guestTypes(id) {
    return Boolean(this.typing.get(id)?.has(this.guestOf(id)));
  }

  colleagueTypes(id) {
    const guest = this.guestOf(id);
    return [...(this.typing.get(id)?.keys() ?? [])].some((from) => from !== guest);
  }

  /** How far the guest has read; what a colleague has read is another matter. */
  seen({ chatId, from, _id } = {}) {
    const id = plain(chatId);
    if (from !== this.guestOf(id)) return;
    this.room(id).seen = _id;
    this.changed();
  }

  lastHeard(room) {
    return room.messages.findLast((message) => message.id && message.from !== this.owner.ownerId)?.id;
  }

  isRead(id) {
    const room = this.rooms.get(id);
    return Boolean(room?.read) && !room.stale && room.read === this.lastHeard(room);
  }

  /** Says that I have read a chat to its end. */
  read(id) {
    const chat = this.chats.get(id);
    const room = this.room(id);
    const last = this.lastHeard(room);
    if (!chat || !last || room.read === last) return;
    room.read = last;
    chat.unread = 0;
    this.socket.emit('seen', { chatId: id, token: this.owner.token, _id: last });
    this.changed();
  }

  tellTyping(id, typing) {
    this.socket.emit('typing', { chatId: id, token: this.owner.token, typing });
  }

  deliver({ chat, content, client_id }) {
    return this.ask('newMessage', { chatId: chat, message: content, client_id });
  }

  async sent(letter, reply, repeated) {
    const room = this.room(letter.chat);
    const id = reply.data?._id ?? reply._id;
    if (!id && repeated) {
      // The first attempt may have arrived: only the server knows where it stands.
      await this.load(letter.chat).catch(() => {});
    } else if (room.ready && !(id && room.messages.some((each) => each.id === id))) {
      room.messages.push({ from: this.owner.ownerId, message: letter.content, id, time: reply.data?.time ?? letter.written });
      if (!id) this.settle(letter.chat);
    }
    const chat = this.chats.get(letter.chat);
    if (chat) {
      chat.lastMessage = letter.content;
      chat.time = new Date().toISOString();
      this.queues.move(letter.chat, 'active');
    }
    this.changed();
  }

  /** Said again after a lost answer it closes nothing that has begun anew. */
  async closeChat(id, key) {
    await this.ask('closeChat', { chatId: id, client_id: key });
    this.closed(id);
  }
}
