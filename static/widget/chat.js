// The guest's chat: its messages, and their delivery across lost connections, reloads and several tabs.
import '../parlance-socket.js';
import { backoff } from '../shared/backoff.js';
import { claim, release } from '../shared/claim.js';
import { History } from '../shared/history.js';
import { randomId } from '../shared/ids.js';
import { createTypingNotice } from '../shared/composer.js';
import { Outbox } from '../shared/outbox.js';

/** @typedef {import('../shared/history.js').Message} Message */
/** @typedef {import('../shared/outbox.js').Entry} Entry */
/** @typedef {import('./guest-storage.js').GuestStorage} GuestStorage */
/** @typedef {import('./guest-storage.js').Guest} Guest */
/** @typedef {Error & {status?: number, field?: string, wait?: number, lost?: boolean}} Problem */

const TYPING_LASTS = 6_000;
const QUIET_FOR = 1_500;
/** Tabs that begin a chat within this many milliseconds share one. */
const CLAIM_LASTS = 10_000;
/** The outbox key of the guest's only chat. */
const CHAT = 'chat';

/** Chat ids come as text or as `{_id}`. @param {any} id */
const plain = (id) => String(id?._id ?? id);
/** @param {number | undefined} status */
const isPassing = (status) => !status || status === 429 || status >= 500;

export class Chat {
  /**
   * @param {object} options
   * @param {string} options.server
   * @param {string} options.domain
   * @param {GuestStorage} options.storage
   * @param {() => void} options.changed called after every change
   * @param {(text: string) => void} options.received called with a message of the other side
   * @param {(on: boolean) => void} options.typing
   * @param {(problem: Problem, text: string) => void} options.refused called when the server rejects the guest, with their first message
   */
  constructor({ server, domain, storage, changed, received, typing, refused }) {
    this.server = server;
    this.domain = domain;
    this.storage = storage;
    this.changed = changed;
    this.received = received;
    this.typing = typing;
    this.refused = refused;
    /** @type {any} */
    this.socket = null;
    /** The guest as whom this tab has started the chat. @type {Guest | null} */
    this.introduced = null;
    /** @type {Promise<void> | null} */
    this.entering = null;
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.alarm = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.retrying = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.fetchTimer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.typingEnds = undefined;
    this.failures = 0;
    /** @type {Message[]} */
    this.messages = [];
    /** @type {string | undefined} */
    this.chatId = undefined;
    this.ready = false;
    this.history = this.newHistory();
    this.tellTyping = createTypingNotice((on) => this.emitTyping(on));
    /** @type {Outbox<any>} */
    this.outbox = new Outbox({
      key: storage.outboxKey,
      deliver: (entry) => this.deliver(entry),
      judge: (error) => this.judge(/** @type {Problem} */ (error)),
      sent: (entry, reply, repeated) => this.sent(entry, reply, repeated),
      changed,
      ready: () => this.connected && Boolean(this.guest?.guestToken),
    });
    this.importOld();
    storage.watch(() => this.otherTab());
  }

  importOld() {
    this.outbox.import(this.storage.takeOldOutbox().map((/** @type {object} */ entry) => ({ ...entry, chat: CHAT })));
  }

  newHistory() {
    return new History((argument) => this.ask('getChatMessages', argument));
  }

  forgetChat() {
    this.messages = [];
    this.chatId = undefined;
    this.ready = false;
    this.history = this.newHistory();
  }

  get guest() {
    return this.storage.guest;
  }

  get connected() {
    return Boolean(this.socket?.connected);
  }

  connect() {
    if (this.socket) return;
    this.socket = globalThis.ParlanceSocket.connect(this.server);
    this.socket
      .on('connect', (/** @type {{recovered: boolean}} */ { recovered }) => this.onConnect(recovered))
      .on('disconnect', () => this.showTyping(false))
      .on('status', (/** @type {{status: string}} */ { status }) => {
        if (status === 'waiting' || status === 'offline') this.alarm ??= setTimeout(() => this.changed(), QUIET_FOR);
      })
      .on('newMessage', (/** @type {any} */ push) => this.onMessage(push))
      .on('closeChat', (/** @type {any} */ push) => this.onClosed(push))
      .on('typing', (/** @type {any} */ { chatId, from, typing: on } = {}) => {
        const me = this.guest;
        if (me && plain(chatId) === me.chatId && from !== me.guestId) this.showTyping(on !== false);
      });
  }

  /** Whether the connection has been down for longer than a short interruption. */
  get away() {
    return Boolean(this.socket && !this.connected && this.alarm);
  }

  /** @param {boolean} recovered */
  async onConnect(recovered) {
    clearTimeout(this.alarm ?? undefined);
    this.alarm = null;
    if (recovered && this.ready) this.fetchMissingIds();
    else await this.enter();
    this.changed();
    this.outbox.nudge();
  }

  /** Deletes the stored guest, for all tabs. */
  reset() {
    const { guest, socket } = this;
    const unsent = this.outbox.all.filter((entry) => !entry.refused);
    this.forgetGuest();
    if (guest && unsent.length > 0 && socket?.connected) {
      this.socket = null;
      this.finish(socket, guest.guestToken ? guest : (this.introduced ?? guest), unsent)
        .catch(() => {})
        .finally(() => socket.close());
    }
    this.disconnect();
  }

  /**
   * Messages written before the reset are still delivered, so that no chat stays empty; their keys make retries
   * idempotent.
   * @param {any} socket
   * @param {Guest} guest
   * @param {Entry[]} unsent
   */
  async finish(socket, { name, email, key, guestToken, chatId }, unsent) {
    let place = { chatId, token: guestToken };
    if (!guestToken) {
      const reply = await this.askBy(socket, 'getNewChat', { name, email, domain: this.domain, client_id: key });
      place = { chatId: plain(reply.chatId), token: reply.guestToken };
    }
    for (const { content, client_id } of unsent) await this.askBy(socket, 'newMessage', { ...place, message: content, client_id });
  }

  forgetGuest() {
    release(this.claimName(this.guest));
    release(this.claimName(null));
    this.storage.forget();
    this.outbox.clear();
  }

  disconnect() {
    this.socket?.close();
    this.socket = null;
    clearTimeout(this.alarm ?? undefined);
    clearTimeout(this.retrying);
    this.alarm = null;
    this.forgetChat();
    this.showTyping(false);
    this.changed();
  }

  otherTab() {
    this.importOld();
    const me = this.guest;
    if (!me) {
      if (this.socket) this.disconnect();
    } else {
      if (this.chatId && me.chatId && me.chatId !== this.chatId) this.forgetChat();
      this.connect();
      this.resume();
    }
    this.changed();
  }

  /** Connects, signs in or sends, as the stored guest requires. */
  async resume() {
    if (this.connected && !(this.ready && this.guest?.guestToken)) await this.enter();
    this.outbox.run();
  }

  /**
   * Sends a request; an error answer is thrown with its status.
   * @param {string} event
   * @param {object} argument
   */
  ask(event, argument) {
    return this.askBy(this.socket, event, argument);
  }

  /**
   * @param {any} socket
   * @param {string} event
   * @param {object} argument
   */
  async askBy(socket, event, argument) {
    const reply = await socket.ask(event, argument);
    if (reply?.statusCode >= 400) {
      throw Object.assign(new Error(String(reply.data)), { status: reply.statusCode, field: reply.validation?.keys?.[0], wait: reply.retryAfter });
    }
    return reply;
  }

  /** Authenticates the guest and reads the messages; concurrent callers share one run. */
  enter() {
    this.entering ??= this.enterNow().finally(() => {
      this.entering = null;
    });
    return this.entering;
  }

  async enterNow() {
    // Another tab may replace the guest meanwhile; then the new one is authenticated.
    for (let before = this.guest; before;) {
      await this.enterAs(before);
      const now = this.guest;
      if (this.ready || !now || (now.key === before.key && now.guestToken === before.guestToken)) return;
      before = now;
    }
  }

  /** @param {Guest} guest */
  async enterAs(guest) {
    try {
      await this.registerGuest();
      await this.load();
      this.failures = 0;
    } catch (error) {
      const problem = /** @type {Problem} */ (error);
      if (problem.status === 401 || problem.status === 404) this.renewGuest(guest);
      else if (!isPassing(problem.status)) this.rejected(problem, guest);
      else if (this.connected) this.retry(problem);
    }
  }

  /** @param {Problem} problem */
  retry(problem) {
    clearTimeout(this.retrying);
    this.retrying = setTimeout(() => this.resume(), backoff(this.failures, (problem.wait ?? 0) * 1000));
    this.failures += 1;
  }

  /** The claim under which tabs decide which guest starts the chat. @param {Guest | null} guest */
  claimName(guest) {
    return `${this.storage.key} ${guest?.after ?? ''}`;
  }

  /** Starts the chat; the claim and the key make it one guest, however many tabs do so at once. */
  async registerGuest() {
    const mine = this.guest;
    if (!mine || mine.guestToken) return;
    const claimed = this.claimName(mine);
    this.introduced = await claim(claimed, mine, CLAIM_LASTS);
    const { name, email, key } = this.introduced;
    const reply = await this.ask('getNewChat', { name, email, domain: this.domain, client_id: key });
    // Meanwhile another tab may have started it, or the guest may have been reset and replaced.
    const now = this.guest;
    if (!now || now.guestToken || (now.key !== mine.key && now.key !== key)) return;
    this.storage.guest = { name, email, guestToken: reply.guestToken, chatId: plain(reply.chatId), guestId: reply.guestId };
    setTimeout(() => release(claimed), CLAIM_LASTS);
  }

  /** The token has expired: the same person starts a new chat. @param {Guest} guest */
  renewGuest({ name, email, guestToken }) {
    const now = this.guest;
    if (!now || now.guestToken !== guestToken) return;
    this.storage.guest = { name, email, key: randomId(32), after: guestToken };
    this.storage.seen = null;
    this.storage.closed = false;
    this.forgetChat();
  }

  /**
   * @param {Problem} problem
   * @param {Guest} guest
   */
  rejected(problem, guest) {
    // Another tab may have started a new chat meanwhile.
    if (this.guest && this.guest.key !== guest.key) return;
    const written = this.outbox.all.map(({ content }) => content).join('\n');
    this.forgetGuest();
    this.forgetChat();
    this.refused(problem, written);
    this.changed();
  }

  async load() {
    const me = this.guest;
    if (!me?.guestToken) return;
    this.chatId = me.chatId;
    await this.readFrom(me, 0);
    if (this.guest?.guestToken !== me.guestToken) return;
    this.ready = true;
    this.changed();
  }

  /**
   * @param {Guest} guest
   * @param {number} start
   */
  readFrom({ chatId, guestToken }, start) {
    return this.history.read({ chatId, token: guestToken }, this.messages, start);
  }

  /** The answer to a message may lack its id and position: then the end of the chat is read again, once for several. */
  fetchMissingIds() {
    clearTimeout(this.fetchTimer);
    this.fetchTimer = setTimeout(async () => {
      const start = this.messages.findIndex((message) => !message.id);
      if (start < 0 || !this.connected || !this.guest) return;
      await this.readFrom(this.guest, start).catch(() => {});
      this.changed();
    }, 150);
  }

  /** @param {any} push */
  onMessage(push) {
    const me = this.guest;
    // Answers to our own requests arrive under the same event name.
    if (!me || !push || push.statusCode || plain(push.chatId) !== me.chatId) return;
    const { message, from } = push.message;
    if (push._id && this.messages.some((each) => each.id === push._id)) return;
    this.messages.push({ from, message, id: push._id, time: push.time });
    this.storage.closed = false;
    if (from !== me.guestId) {
      this.showTyping(false);
      this.received(message);
    }
    this.changed();
  }

  /** @param {any} push */
  onClosed(push) {
    if (push?.statusCode || plain(push?.chatId) !== this.guest?.chatId) return;
    this.storage.closed = true;
    this.showTyping(false);
    this.changed();
  }

  /**
   * Starts the chat, unless another tab just has: then this is one more message in it.
   * @param {{name: string, email: string}} person
   * @param {string} message
   */
  begin(person, message) {
    if (!this.guest) this.storage.guest = { ...person, key: randomId(32) };
    this.outbox.add(CHAT, message);
    this.connect();
    this.resume();
  }

  /** @param {string} message */
  say(message) {
    this.outbox.add(CHAT, message);
    this.tellTyping(false);
  }

  /** @param {Entry} entry */
  async deliver({ content, client_id }) {
    const me = this.guest;
    const reply = await this.ask('newMessage', { chatId: me?.chatId, token: me?.guestToken, message: content, client_id });
    return { ...reply, sender: me?.guestToken };
  }

  /**
   * @param {Problem} problem
   * @returns {Promise<import('../shared/outbox.js').Verdict>}
   */
  async judge(problem) {
    if (problem.status === 401 || problem.status === 404) {
      await this.enter();
      return { again: true };
    }
    if (!isPassing(problem.status)) return { refused: problem.message };
    // After a broken connection the message is retried; the same client_id makes that idempotent.
    return this.connected ? { retryAfter: (problem.wait ?? 0) * 1000 } : { again: true };
  }

  /**
   * @param {Entry} entry
   * @param {any} reply
   * @param {boolean} repeated
   */
  async sent(entry, reply, repeated) {
    // The message belongs to a guest that was reset.
    if (reply.sender !== this.guest?.guestToken) return;
    const id = reply.data?._id ?? reply._id;
    this.storage.closed = false;
    if (!id && repeated) {
      // The first attempt may have arrived, so the message's position is unknown.
      await this.load().catch(() => {});
    } else if (!id || !this.messages.some((each) => each.id === id)) {
      this.messages.push({ from: this.guest?.guestId, message: entry.content, id, time: reply.data?.time ?? new Date().toISOString() });
      if (!id) this.fetchMissingIds();
    }
  }

  /** The guest's unread count. */
  unread() {
    const { guest, seen } = this.storage;
    // By their order: the message itself may not be there any more, as after a restore.
    const isNew = (/** @type {Message} */ { id }) => !seen || !id || id > seen;
    return this.messages.filter((message) => isNew(message) && message.from !== guest?.guestId).length;
  }

  /** Stores and sends a read mark for the last message. */
  markSeen() {
    const { guest, seen } = this.storage;
    const last = this.messages.findLast((message) => message.id && message.from !== guest?.guestId);
    if (!guest || !last?.id || seen === last.id) return;
    this.storage.seen = last.id;
    this.socket?.emit('seen', { chatId: guest.chatId, token: guest.guestToken, _id: last.id });
  }

  /** @param {boolean} on */
  emitTyping(on) {
    const me = this.guest;
    if (me?.guestToken && this.connected) this.socket.emit('typing', { chatId: me.chatId, token: me.guestToken, typing: on });
  }

  /** @param {boolean} on */
  showTyping(on) {
    clearTimeout(this.typingEnds);
    if (on) this.typingEnds = setTimeout(() => this.showTyping(false), TYPING_LASTS);
    this.typing(on);
  }
}
