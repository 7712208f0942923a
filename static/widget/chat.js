// The guest's chat: what was said, and how it reaches the server whatever happens to the line, the page or the tab.
import '../parlance-socket.js';
import { alone, unique } from './alone.js';
import { History } from './history.js';

const TYPING_EVERY = 2_500;
const TYPING_LASTS = 6_000;
const QUIET_FOR = 1_500;
/** After so long a message that another tab wrote is sent by this one as well: that tab may be gone. */
const ORPHANED = 10_000;
const TAB = 'parlance.tab';

/** Chat ids come as text or as `{_id}`. */
const plain = (id) => String(id?._id ?? id);
const passing = (status) => !status || status === 429 || status >= 500;

/** The same over a page load, so that the next page of this tab sends at once what was left. */
function tabId() {
  try {
    const known = sessionStorage.getItem(TAB) ?? unique(8);
    sessionStorage.setItem(TAB, known);
    return known;
  } catch {
    return unique(8);
  }
}

export class Chat {
  /**
   * `changed()` after every change, `heard(text)` for the other side's words, `typing(on)`, and `refused(problem, text)`
   * when the server does not take the guest, with what they had written.
   */
  constructor({ server, domain, kept, changed, heard, typing, refused }) {
    Object.assign(this, { server, domain, kept, changed, heard, typing, refused });
    this.tab = tabId();
    this.socket = null;
    this.forgetChat();
    window.addEventListener('storage', (event) => {
      if (event.key === kept.key || event.key === null) this.otherTab();
    });
  }

  forgetChat() {
    this.messages = [];
    this.ready = false;
    this.lastTold = 0;
    this.history = new History((argument) => this.ask('getChatMessages', argument));
  }

  get guest() {
    return this.kept.guest;
  }

  get connected() {
    return Boolean(this.socket?.connected);
  }

  connect() {
    if (this.socket) return;
    this.socket = globalThis.ParlanceSocket.connect(this.server);
    this.socket
      .on('connect', ({ recovered }) => this.joined(recovered))
      .on('disconnect', () => this.showTyping(false))
      .on('status', ({ status }) => {
        if (status === 'waiting' || status === 'offline') this.alarm ??= setTimeout(() => this.changed(), QUIET_FOR);
      })
      .on('newMessage', (push) => this.pushed(push))
      .on('closeChat', (push) => this.wasClosed(push))
      .on('typing', ({ chatId, from, typing: on } = {}) => {
        const me = this.guest;
        if (me && plain(chatId) === me.chatId && from !== me.guestId) this.showTyping(on !== false);
      });
  }

  /** Whether the line has been down for longer than a blink. */
  get away() {
    return Boolean(this.socket && !this.connected && this.alarm);
  }

  async joined(recovered) {
    clearTimeout(this.alarm);
    this.alarm = null;
    if (recovered && this.ready) this.settle();
    else await this.enter();
    this.changed();
    this.drain();
  }

  /** Forgets the guest, here and in every other tab. */
  reset() {
    this.kept.forget();
    this.leave();
  }

  leave() {
    this.socket?.close();
    this.socket = null;
    clearTimeout(this.alarm);
    this.alarm = null;
    this.forgetChat();
    this.showTyping(false);
    this.changed();
  }

  otherTab() {
    const me = this.guest;
    if (!me) {
      if (this.socket) this.leave();
    } else {
      if (this.chatId && me.chatId && me.chatId !== this.chatId) this.forgetChat();
      this.connect();
      if (this.connected && !this.ready) this.enter().then(() => this.drain());
      else this.drain();
    }
    this.changed();
  }

  /** Asks the server; a refusal is thrown with its status. */
  async ask(event, argument) {
    const reply = await this.socket.ask(event, argument);
    if (reply?.statusCode >= 400) {
      throw Object.assign(new Error(String(reply.data)), { status: reply.statusCode, field: reply.validation?.keys?.[0], wait: reply.retryAfter });
    }
    return reply;
  }

  /** Makes the server know this guest, and reads what was said: once for all who want it at the same time. */
  enter() {
    this.entering ??= this.enterNow().finally(() => {
      this.entering = null;
    });
    return this.entering;
  }

  async enterNow() {
    const before = this.guest;
    try {
      await this.introduce();
      await this.load();
    } catch (problem) {
      if (problem.status === 401 || problem.status === 404) await this.beginAnew(before?.guestToken);
      else if (!passing(problem.status)) this.turnedAway(problem);
      else if (problem.status) this.later(() => this.enter().then(() => this.drain()), problem.wait);
    }
  }

  /** However many tabs do this at once, the key makes it one guest. */
  async introduce() {
    const me = this.guest;
    if (!me || me.guestToken) return;
    const { name, email, key } = me;
    const reply = await this.ask('getNewChat', { name, email, domain: this.domain, client_id: key });
    // Meanwhile another tab may have done the same, or forgotten the guest.
    if (this.guest?.key !== key) return;
    this.kept.put({ guest: { name, email, guestToken: reply.guestToken, chatId: plain(reply.chatId), guestId: reply.guestId } });
  }

  /** Who a guest is, and under which key they come, is settled by one tab. */
  settleGuest(name) {
    return alone(`${this.kept.key} first`, name);
  }

  /** The token has run out: the same person, a new chat. */
  async beginAnew(token) {
    await this.settleGuest(() => {
      const me = this.guest;
      if (!me || me.guestToken !== token) return;
      this.kept.put({ guest: { name: me.name, email: me.email, key: unique(32) }, seen: null, closed: null });
    });
    this.forgetChat();
    try {
      await this.introduce();
      await this.load();
    } catch (problem) {
      if (!passing(problem.status)) this.turnedAway(problem);
    }
  }

  turnedAway(problem) {
    const [first] = this.kept.outbox;
    this.kept.forget();
    this.forgetChat();
    this.refused(problem, first?.message ?? '');
    this.changed();
  }

  async load() {
    const me = this.guest;
    if (!me?.guestToken) return;
    this.chatId = me.chatId;
    await this.readFrom(me, 0);
    this.ready = true;
    this.changed();
  }

  readFrom({ chatId, guestToken }, start) {
    return this.history.read({ chatId, token: guestToken }, this.messages, start);
  }

  /** The answer to a message may not tell its id and place: then the end of the chat is read again, once for several. */
  settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(async () => {
      const start = this.messages.findIndex((message) => !message.id);
      if (start < 0 || !this.connected || !this.guest) return;
      await this.readFrom(this.guest, start).catch(() => {});
      this.changed();
    }, 150);
  }

  pushed(push) {
    const me = this.guest;
    // The same name also brings the answers to what we sent ourselves.
    if (!me || !push || push.statusCode || plain(push.chatId) !== me.chatId) return;
    const { message, from } = push.message;
    if (push._id && this.messages.some((each) => each.id === push._id)) return;
    this.messages.push({ from, message, id: push._id, time: push.time });
    this.goesOn();
    if (from !== me.guestId) {
      this.showTyping(false);
      this.heard(message);
    }
    this.changed();
  }

  wasClosed(push) {
    if (push?.statusCode || plain(push?.chatId) !== this.guest?.chatId) return;
    this.kept.put({ closed: true });
    this.showTyping(false);
    this.changed();
  }

  goesOn() {
    if (this.kept.all().closed) this.kept.put({ closed: null });
  }

  /** Begins the chat, unless another tab just has: then this is one more message in it. */
  async begin(person, message) {
    await this.settleGuest(() => {
      if (!this.guest) this.kept.put({ guest: { ...person, key: unique(32) } });
    });
    this.queue(message);
    this.connect();
    if (this.connected && !this.ready) await this.enter();
    this.drain();
  }

  say(message) {
    this.queue(message);
    this.tellTyping(false);
    this.drain();
  }

  /** Kept first, sent second: a message outlives the page it was written on. */
  queue(message) {
    const entry = { client_id: unique(12), message, tab: this.tab, written: Date.now() };
    this.kept.put({ outbox: [...this.kept.outbox, entry] });
    this.changed();
  }

  /** The next message that is this tab's to send, if it can be now. */
  next() {
    if (!this.connected || !this.guest?.guestToken || this.pausing) return undefined;
    const due = (entry) => !entry.tab || entry.tab === this.tab || Date.now() - entry.written > ORPHANED;
    return this.kept.outbox.find((entry) => !entry.refused && due(entry));
  }

  later(work, seconds = 3) {
    clearTimeout(this.pausing);
    this.pausing = setTimeout(() => {
      this.pausing = null;
      work();
    }, (seconds + Math.random() * 2) * 1000);
  }

  async drain() {
    if (this.sending) return;
    this.sending = true;
    try {
      for (let entry = this.next(); entry; entry = this.next()) await this.send(entry);
    } finally {
      this.sending = false;
    }
    const others = this.kept.outbox.some((entry) => !entry.refused && entry.tab && entry.tab !== this.tab);
    clearTimeout(this.inheriting);
    if (others) this.inheriting = setTimeout(() => this.drain(), ORPHANED);
  }

  async send(entry) {
    const me = this.guest;
    const repeated = Boolean(entry.tried);
    this.kept.edit(entry.client_id, { tried: true });
    try {
      const reply = await this.ask('newMessage', { chatId: me.chatId, token: me.guestToken, message: entry.message, client_id: entry.client_id });
      this.kept.drop(entry.client_id);
      this.goesOn();
      await this.sent(me, entry, reply, repeated);
      this.changed();
    } catch (problem) {
      if (problem.status === 401 || problem.status === 404) await this.enter();
      else if (passing(problem.status)) {
        // When the line broke, the next one sends again; the same client_id makes that harmless.
        if (this.connected) this.later(() => this.drain(), problem.wait ?? (problem.status ? 3 : 0));
      } else {
        this.kept.edit(entry.client_id, { refused: true });
        this.changed();
      }
    }
  }

  async sent(me, entry, reply, repeated) {
    const id = reply.data?._id ?? reply._id;
    if (!id && repeated) {
      // The first attempt may have arrived: only the server knows where it stands.
      await this.load();
    } else if (!id || !this.messages.some((each) => each.id === id)) {
      this.messages.push({ from: me.guestId, message: entry.message, id, time: reply.data?.time ?? new Date().toISOString() });
      if (!id) this.settle();
    }
  }

  /** How many answers the guest has not seen. */
  unread() {
    const { guest, seen } = this.kept.all();
    const at = this.messages.findIndex((message) => message.id && message.id === seen);
    return this.messages.slice(at + 1).filter((message) => message.from !== guest?.guestId).length;
  }

  /** Remembers, and tells, that the guest has read to the end. */
  see() {
    const { guest, seen } = this.kept.all();
    const last = this.messages.findLast((message) => message.id && message.from !== guest?.guestId);
    if (!guest || !last || seen === last.id) return;
    this.kept.put({ seen: last.id });
    this.socket?.emit('seen', { chatId: guest.chatId, token: guest.guestToken, _id: last.id });
  }

  tellTyping(on) {
    const me = this.guest;
    if (!me?.guestToken || !this.connected) return;
    if (on && Date.now() - this.lastTold < TYPING_EVERY) return;
    if (!on && this.lastTold === 0) return;
    this.lastTold = on ? Date.now() : 0;
    this.socket.emit('typing', { chatId: me.chatId, token: me.guestToken, typing: on });
  }

  showTyping(on) {
    clearTimeout(this.typingEnds);
    if (on) this.typingEnds = setTimeout(() => this.showTyping(false), TYPING_LASTS);
    this.typing(on);
  }
}
