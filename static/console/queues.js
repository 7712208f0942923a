// The queues of a site: for each the chats requested so far, in the server's order, and their number.

const PAGE = 100;
/** How many closed chats are read while they are not shown: enough to notice one that was closed while disconnected. */
const LATELY_CLOSED = 20;
/** The server's page limit. */
const LONGEST_PAGE = 500;
const EVENTS = { waiting: 'getWaitingChats', active: 'getActiveChats', closed: 'getClosedChats' };

/** Ids are strings, and chats sometimes `{_id}`. @param {any} id */
export const plain = (id) => String(id?._id ?? id);

/** @typedef {keyof typeof EVENTS} QueueName */
/** @typedef {{ids: string[], wanted: number, total: number, more: boolean}} List */

/**
 * @typedef {object} Chat
 * @property {string} id
 * @property {QueueName | 'elsewhere'} queue
 * @property {string} [name]
 * @property {string} [email]
 * @property {string} [domain]
 * @property {string} [guestId]
 * @property {string} [lastMessage]
 * @property {string} [time]
 * @property {number} [unread]
 */

export const QUEUES = /** @type {QueueName[]} */ (Object.keys(EVENTS));

/** @returns {List} */
const emptyList = () => ({ ids: [], wanted: PAGE, total: 0, more: false });

export class Queues {
  /**
   * @param {object} options
   * @param {(event: string, argument: object) => Promise<any>} options.ask sends a request
   * @param {(id: string) => boolean} options.isRead whether a chat is known to be read, whatever its unread count says
   */
  constructor({ ask, isRead }) {
    this.ask = ask;
    this.isRead = isRead;
    /** @type {Map<string, Chat>} */
    this.chats = new Map();
    this.query = '';
    this.lists = { waiting: emptyList(), active: emptyList(), closed: emptyList() };
    this.closedWanted = false;
    /** The latest reading. @type {object | null} */
    this.turn = null;
  }

  /** Reads all shown queues again. */
  async read() {
    // A response to an older request than the newest is discarded.
    const turn = {};
    this.turn = turn;
    const found = await Promise.all(QUEUES.map((name) => this.readQueue(name)));
    if (this.turn !== turn) return;
    QUEUES.forEach((name, at) => this.take(name, found[at]));
    if (this.query) return;
    const listed = new Set(QUEUES.flatMap((name) => this.lists[name].ids));
    for (const chat of this.chats.values()) if (!listed.has(chat.id)) chat.queue = 'elsewhere';
  }

  /** @param {QueueName} name */
  async readQueue(name) {
    const wanted = name === 'closed' && !this.closedWanted ? LATELY_CLOSED : this.lists[name].wanted;
    /** @type {any[]} */
    const entries = [];
    for (;;) {
      /** @type {{limit: number, query: string, before?: string}} */
      const argument = { limit: Math.min(LONGEST_PAGE, wanted - entries.length), query: this.query };
      if (entries.length > 0) argument.before = plain(entries.at(-1));
      const { data, has_more: more, total } = await this.ask(EVENTS[name], argument);
      entries.push(...data);
      if (!more || data.length === 0 || entries.length >= wanted) return { entries, more: Boolean(more), total };
    }
  }

  /**
   * @param {QueueName} name
   * @param {{entries: any[], more: boolean, total: number}} answer
   */
  take(name, { entries, more, total }) {
    const list = this.lists[name];
    list.ids = entries.map(plain);
    Object.assign(list, { more, total });
    for (const entry of entries) {
      const id = plain(entry);
      const chat = { ...this.chats.get(id), ...entry, id, queue: name };
      // The response may have been sent before the server stored the read mark.
      if (this.isRead(id)) chat.unread = 0;
      this.chats.set(id, chat);
    }
  }

  /**
   * The chats of a queue to show; those that have waited longest come first, however much they write.
   * @param {QueueName} name
   */
  shown(name) {
    const chats = this.lists[name].ids.flatMap((id) => this.chats.get(id) ?? []).filter((chat) => chat.queue === name);
    const when = (/** @type {Chat} */ chat) => Date.parse(chat.time ?? '') || 0;
    return name === 'active' ? chats.sort((a, b) => when(b) - when(a)) : chats;
  }

  /**
   * How many chats a queue has that are not shown.
   * @param {QueueName} name
   */
  left(name) {
    const { ids, total, more } = this.lists[name];
    return more ? Math.max(1, total - ids.length) : 0;
  }

  /** @param {QueueName} name */
  wantMore(name) {
    this.lists[name].wanted += PAGE;
  }

  /** @param {string} query */
  search(query) {
    this.query = query;
    for (const list of Object.values(this.lists)) list.wanted = PAGE;
  }

  /**
   * Puts a chat into a queue that it has moved to; the next read corrects its place.
   * @param {string} id
   * @param {QueueName} queue
   */
  move(id, queue) {
    const chat = this.chats.get(id);
    if (!chat || chat.queue === queue) return;
    const from = chat.queue === 'elsewhere' ? null : this.lists[chat.queue];
    const to = this.lists[queue];
    if (from?.ids.includes(id)) {
      from.ids = from.ids.filter((each) => each !== id);
      from.total -= 1;
    }
    chat.queue = queue;
    if (this.query) return;
    to.ids = queue === 'waiting' ? [...to.ids, id] : [id, ...to.ids];
    to.total += 1;
  }

  /** How many chats wait for an answer or are unread, shown or not. */
  unread() {
    let sum = this.query ? 0 : this.left('waiting');
    for (const chat of this.chats.values()) {
      if (chat.queue === 'waiting') sum += Math.max(1, chat.unread ?? 0);
      else if (chat.queue === 'active') sum += chat.unread ?? 0;
    }
    return sum;
  }
}
