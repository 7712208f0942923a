// The console's state: queues and chats, updated over the socket.
import { History } from '../shared/history.js';
import { Queues, plain } from './queues.js';

const TYPING_LASTS = 6_000;
const SERVER = new URL('..', import.meta.url).href;

/** @typedef {import('../shared/history.js').Message} Message */
/** @typedef {import('../shared/outbox.js').Entry} Entry */
/** @typedef {import('../shared/connection-status.js').State} State */
/** @typedef {Error & {status?: number, field?: string, wait?: number, lost?: boolean}} Problem */

/**
 * @typedef {object} ChatState the messages of a chat and their read marks
 * @property {Message[]} messages
 * @property {History} history
 * @property {boolean} ready
 * @property {boolean} stale
 * @property {string | null} seen how far the guest has read
 * @property {string} [read] how far the owner has
 * @property {ReturnType<typeof setTimeout>} [fetchTimer]
 */

export class SupportStore {
  /**
   * @param {object} options
   * @param {import('./sign-in.js').Owner} options.owner
   * @param {() => void} options.changed called after every change
   * @param {(chat: string, message: string) => void} options.received called with a guest's message
   * @param {() => void} options.ended called when the login is over
   * @param {(chat: string) => void} options.gone called when the open chat is not there any more
   * @param {(state: State, until: number | null) => void} options.state shows how the connection is
   */
  constructor({ owner, changed, received, ended, gone, state }) {
    this.owner = owner;
    this.changed = changed;
    this.received = received;
    this.ended = ended;
    this.gone = gone;
    this.queues = new Queues({ ask: (event, argument) => this.ask(event, argument), isRead: (id) => this.isRead(id) });
    /** @type {string | null} */
    this.current = null;
    /** @type {Map<string, ChatState>} */
    this.chatStates = new Map();
    /** Who types, by chat, and when it is over. @type {Map<string, Map<string, ReturnType<typeof setTimeout>>>} */
    this.typing = new Map();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.refreshTimer = undefined;
    this.ready = false;
    this.socket = globalThis.ParlanceSocket.connect(SERVER);
    this.socket
      .on('connect', () => this.onConnect(state))
      .on('status', (/** @type {{status: State | 'connected', until: number | null}} */ { status, until }) => {
        if (status !== 'connected') state(status, until);
      })
      .on('disconnect', () => [...this.typing.keys()].forEach((id) => this.endTyping(id)))
      .on('newMessage', (/** @type {any} */ push) => this.onMessage(push))
      .on('waitingChat', (/** @type {any} */ entry) => this.onWaitingChat(entry))
      .on('closeChat', (/** @type {any} */ push) => this.onClosed(push))
      .on('typing', (/** @type {any} */ signal) => this.onTyping(signal))
      .on('seen', (/** @type {any} */ mark) => this.onSeen(mark));
  }

  get chats() {
    return this.queues.chats;
  }

  close() {
    this.socket.close();
  }

  /**
   * Sends a request; an error answer is thrown with its status.
   * @param {string} event
   * @param {object} [argument]
   */
  async ask(event, argument = {}) {
    const reply = await this.socket.ask(event, { ...argument, token: this.owner.token });
    if (reply?.statusCode >= 400) {
      if (reply.statusCode === 401) this.ended();
      throw Object.assign(new Error(String(reply.data)), { status: reply.statusCode, field: reply.validation?.keys?.[0], wait: reply.retryAfter });
    }
    return reply;
  }

  /** @param {(state: State, until: number | null) => void} state */
  async onConnect(state) {
    try {
      // Chats that were read before may have new messages.
      for (const chat of this.chatStates.values()) chat.stale = true;
      await this.readQueues();
      if (this.current) await this.loadAgain(this.current);
      state('live', null);
    } catch (error) {
      const { status } = /** @type {Problem} */ (error);
      if (status && status !== 401) console.error(error);
    }
  }

  async readQueues() {
    await this.queues.read();
    this.ready = true;
    this.changed();
  }

  /** Many pushes in one task cause one refresh. */
  refreshSoon() {
    clearTimeout(this.refreshTimer);
    this.refreshTimer = setTimeout(() => this.readQueues().catch(() => {}), 120);
  }

  /**
   * Shows or hides the closed chats.
   * @param {boolean} wanted
   */
  wantClosed(wanted) {
    this.queues.closedWanted = wanted;
    if (wanted) this.refreshSoon();
  }

  /** @param {string} query */
  search(query) {
    if (query === this.queues.query) return;
    this.queues.search(query);
    this.refreshSoon();
  }

  /** @param {import('./queues.js').QueueName} name */
  showMore(name) {
    this.queues.wantMore(name);
    this.refreshSoon();
  }

  /** @param {string} id */
  chatState(id) {
    let state = this.chatStates.get(id);
    if (!state) {
      const history = new History((argument) => this.ask('getChatMessages', argument));
      state = { messages: [], history, ready: false, stale: false, seen: null };
      this.chatStates.set(id, state);
    }
    return state;
  }

  /**
   * The guest of a chat: from its entry, or the sender of its first message.
   * @param {string} id
   */
  guestOf(id) {
    return this.chats.get(id)?.guestId ?? this.chatStates.get(id)?.messages[0]?.from ?? null;
  }

  /** @param {string} id */
  async load(id) {
    const state = this.chatState(id);
    await this.readFrom(id, state, 0);
    state.ready = true;
    state.stale = false;
    this.changed();
  }

  /** After a restore from a backup the server may not have the chat any more. @param {string} id */
  async loadAgain(id) {
    try {
      await this.load(id);
    } catch (error) {
      if (/** @type {Problem} */ (error).status !== 404) throw error;
      this.chatStates.delete(id);
      this.chats.delete(id);
      this.gone(id);
    }
  }

  /**
   * @param {string} id
   * @param {ChatState} state
   * @param {number} start
   */
  readFrom(id, state, start) {
    return state.history.read({ chatId: id }, state.messages, start);
  }

  /**
   * The answer to a message may lack its id and position: then the end of the chat is read again, once for several.
   * @param {string} id
   */
  fetchMissingIds(id) {
    const state = this.chatState(id);
    clearTimeout(state.fetchTimer);
    state.fetchTimer = setTimeout(async () => {
      const start = state.messages.findIndex((message) => !message.id);
      if (start < 0) return;
      await this.readFrom(id, state, start).catch(() => {});
      this.changed();
    }, 150);
  }

  /** @param {any} entry */
  onWaitingChat(entry) {
    const id = plain(entry);
    const known = this.chats.get(id);
    this.chats.set(id, { ...known, ...entry, id, queue: known?.queue ?? 'elsewhere' });
    this.queues.move(id, 'waiting');
    this.refreshSoon();
    this.changed();
  }

  /** @param {any} push */
  onMessage(push) {
    // Answers to our own requests arrive under the same event name.
    if (!push || push.statusCode || !push.message) return;
    const id = plain(push.chatId);
    const { message, from } = push.message;
    const state = this.chatStates.get(id);
    if (state && !state.messages.some((each) => each.id && each.id === push._id)) {
      state.messages.push({ from, message, id: push._id, time: push.time });
    }
    const chat = this.chats.get(id);
    if (chat) {
      chat.lastMessage = message;
      chat.time = push.time ?? new Date().toISOString();
      if (from !== this.owner.ownerId) chat.unread = (chat.unread ?? 0) + 1;
    }
    this.endTyping(id, from);
    // An agent's answer moves the chat to another queue; an unknown chat is new.
    if (chat?.queue !== 'active') this.refreshSoon();
    if (!chat || from === this.guestOf(id)) this.received(id, message);
    this.changed();
  }

  /** @param {any} push */
  onClosed(push) {
    if (!push || push.statusCode) return;
    this.closed(plain(push.chatId));
  }

  /** @param {string} id */
  closed(id) {
    this.queues.move(id, 'closed');
    this.endTyping(id);
    this.changed();
  }

  /**
   * A guest or another agent types in a chat.
   * @param {any} [signal]
   */
  onTyping({ chatId, from, typing } = {}) {
    const id = plain(chatId);
    if (!from || from === this.owner.ownerId) return;
    this.endTyping(id, from);
    if (typing === false) return;
    const typists = this.typing.get(id) ?? new Map();
    this.typing.set(id, typists);
    typists.set(
      from,
      setTimeout(() => this.endTyping(id, from), TYPING_LASTS),
    );
    this.changed();
  }

  /**
   * Ends a typing signal: one person's, or all of a chat.
   * @param {string} id
   * @param {string} [from]
   */
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

  /** @param {string} id */
  guestTypes(id) {
    const guest = this.guestOf(id);
    return guest !== null && Boolean(this.typing.get(id)?.has(guest));
  }

  /** @param {string} id */
  colleagueTypes(id) {
    const guest = this.guestOf(id);
    return [...(this.typing.get(id)?.keys() ?? [])].some((from) => from !== guest);
  }

  /**
   * The guest's read mark; those of other agents are ignored.
   * @param {any} [mark]
   */
  onSeen({ chatId, from, _id } = {}) {
    const id = plain(chatId);
    if (from !== this.guestOf(id)) return;
    this.chatState(id).seen = _id;
    this.changed();
  }

  /** @param {ChatState} state */
  lastReceived(state) {
    return state.messages.findLast((message) => message.id && message.from !== this.owner.ownerId)?.id;
  }

  /** @param {string} id */
  isRead(id) {
    const state = this.chatStates.get(id);
    return state?.read !== undefined && !state.stale && state.read === this.lastReceived(state);
  }

  /**
   * Sends a read mark for a chat's last message.
   * @param {string} id
   */
  read(id) {
    const chat = this.chats.get(id);
    const state = this.chatState(id);
    const last = this.lastReceived(state);
    if (!chat || !last || state.read === last) return;
    state.read = last;
    chat.unread = 0;
    this.socket.emit('seen', { chatId: id, token: this.owner.token, _id: last });
    this.changed();
  }

  /**
   * @param {string} id
   * @param {boolean} typing
   */
  tellTyping(id, typing) {
    this.socket.emit('typing', { chatId: id, token: this.owner.token, typing });
  }

  /** @param {Entry} entry */
  deliver({ chat, content, client_id }) {
    return this.ask('newMessage', { chatId: chat, message: content, client_id });
  }

  /**
   * @param {Entry} entry
   * @param {any} reply
   * @param {boolean} repeated
   */
  async sent(entry, reply, repeated) {
    const chatId = String(entry.chat);
    const state = this.chatState(chatId);
    const id = reply.data?._id ?? reply._id;
    if (!id && repeated) {
      // The first attempt may have arrived, so the message's position is unknown.
      await this.load(chatId).catch(() => {});
    } else if (state.ready && !(id && state.messages.some((each) => each.id === id))) {
      state.messages.push({ from: this.owner.ownerId, message: entry.content, id, time: reply.data?.time ?? entry.written });
      if (!id) this.fetchMissingIds(chatId);
    }
    const chat = this.chats.get(chatId);
    if (chat) {
      chat.lastMessage = entry.content;
      chat.time = new Date().toISOString();
      this.queues.move(chatId, 'active');
    }
    this.changed();
  }

  /**
   * Idempotent under its key: a retry after a lost answer does not close a chat that was reopened.
   * @param {string} id
   * @param {string} key
   */
  async closeChat(id, key) {
    await this.ask('closeChat', { chatId: id, client_id: key });
    this.closed(id);
  }
}
