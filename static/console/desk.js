// What the desk knows: the two queues and their chats, kept fresh over the socket.

const PAGE = 500;
const TYPING_LASTS = 6_000;

/** Ids come as text, and chats sometimes as `{_id}`. */
export const plain = (id) => String(id?._id ?? id);

export class Desk {
  /** `changed()` after every change; `heard(chat, message)` for a guest's words; `ended()` when the login is over. */
  constructor({ owner, changed, heard, ended, state }) {
    Object.assign(this, { owner, changed, heard, ended });
    this.chats = new Map();
    this.rooms = new Map();
    this.typing = new Map();
    this.ready = false;
    this.socket = globalThis.ParlanceSocket.connect(location.origin);
    this.socket
      .on('connect', () => this.connected(state))
      .on('waiting', ({ until }) => state('waiting', until))
      .on('disconnect', () => [...this.typing.keys()].forEach((id) => this.endTyping(id)))
      .on('newMessage', (push) => this.pushed(push))
      .on('waitingChat', (entry) => this.arrived(entry))
      .on('typing', (signal) => this.typed(signal))
      .on('seen', (mark) => this.seen(mark));
  }

  close() {
    this.socket.close();
  }

  /** Asks the server; a refusal is thrown with its status. */
  async ask(event, argument = {}) {
    const reply = await this.socket.ask(event, { ...argument, token: this.owner.token });
    if (reply?.statusCode >= 400) {
      if (reply.statusCode === 401) this.ended();
      throw Object.assign(new Error(String(reply.data)), { status: reply.statusCode });
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
    const [waiting, active] = await Promise.all([this.ask('getWaitingChats'), this.ask('getActiveChats')]);
    const chats = new Map();
    for (const [queue, entries] of [['waiting', waiting.data], ['active', active.data]]) {
      entries.forEach((entry, order) => {
        const id = plain(entry);
        const chat = { ...this.chats.get(id), ...entry, id, queue, order };
        // The answer may have left before the server heard that all is read.
        if (this.isRead(id)) chat.unread = 0;
        chats.set(id, chat);
      });
    }
    this.chats = chats;
    this.ready = true;
    this.changed();
  }

  /** Many pushes in one go are one reason to look. */
  lookAgain() {
    clearTimeout(this.looking);
    this.looking = setTimeout(() => this.readQueues().catch(() => {}), 120);
  }

  queue(name) {
    const when = (chat) => Date.parse(chat.time) || 0;
    // Who has waited longest comes first, however much they write: only the server knows since when.
    const order = name === 'waiting' ? (a, b) => a.order - b.order : (a, b) => when(b) - when(a);
    return [...this.chats.values()].filter((chat) => chat.queue === name).sort(order);
  }

  unread() {
    let sum = 0;
    for (const chat of this.chats.values()) sum += chat.queue === 'waiting' ? Math.max(1, chat.unread ?? 0) : (chat.unread ?? 0);
    return sum;
  }

  room(id) {
    if (!this.rooms.has(id)) this.rooms.set(id, { messages: [], ready: false, stale: false, guest: null, seen: null });
    return this.rooms.get(id);
  }

  async load(id) {
    const room = this.room(id);
    await this.readFrom(id, room, 0);
    // Guests speak first; an entry may say who they are more surely.
    room.guest = this.chats.get(id)?.guestId ?? room.messages[0]?.from ?? null;
    room.ready = true;
    room.stale = false;
    this.changed();
  }

  /** Reads a chat from its message number `start` on, and keeps what was pushed meanwhile. */
  async readFrom(id, room, start) {
    const all = [];
    for (;;) {
      const { data } = await this.ask('getChatMessages', { chatId: id, limit: PAGE, skip: start + all.length });
      all.push(...data.map(({ from, message, _id, time }) => ({ from, message, id: _id, time })));
      if (data.length < PAGE) break;
    }
    const last = all.at(-1)?.id ?? '';
    const later = room.messages.slice(start).filter((message) => message.id > last);
    room.messages.splice(start, Infinity, ...all, ...later);
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
    this.chats.set(id, { ...this.chats.get(id), ...entry, id, queue: 'waiting', order: Number.MAX_SAFE_INTEGER });
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
    this.endTyping(id);
    // A colleague's answer moves a chat; an unknown chat has just begun.
    if (!chat || chat.queue === 'waiting') this.lookAgain();
    if (from !== this.owner.ownerId) this.heard(id, message);
    this.changed();
  }

  typed({ chatId, from, typing } = {}) {
    const id = plain(chatId);
    if (from === this.owner.ownerId) return;
    clearTimeout(this.typing.get(id));
    if (typing === false) this.typing.delete(id);
    else this.typing.set(id, setTimeout(() => this.endTyping(id), TYPING_LASTS));
    this.changed();
  }

  endTyping(id) {
    clearTimeout(this.typing.get(id));
    if (this.typing.delete(id)) this.changed();
  }

  seen({ chatId, from, _id } = {}) {
    if (from === this.owner.ownerId) return;
    this.room(plain(chatId)).seen = _id;
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

  async deliver(letter, repeated) {
    const reply = await this.ask('newMessage', { chatId: letter.chat, message: letter.message, client_id: letter.client_id });
    const room = this.room(letter.chat);
    const id = reply.data?._id ?? reply._id;
    if (!id && repeated) {
      // The first attempt may have arrived: only the server knows where it stands.
      await this.load(letter.chat);
    } else if (room.ready && !(id && room.messages.some((each) => each.id === id))) {
      room.messages.push({ from: this.owner.ownerId, message: letter.message, id, time: reply.data?.time ?? letter.time });
      if (!id) this.settle(letter.chat);
    }
    const chat = this.chats.get(letter.chat);
    if (chat) {
      chat.queue = 'active';
      chat.lastMessage = letter.message;
      chat.time = new Date().toISOString();
    }
    this.changed();
  }

  async closeChat(id) {
    await this.ask('closeChat', { chatId: id });
    this.chats.delete(id);
    this.rooms.delete(id);
    this.changed();
  }
}
