// The outbox: messages that the server has not confirmed. They are stored before they are sent, sent in order, and retried
// under the same client_id until the server answers, so that closing the page loses none and retries duplicate none.
//
// All tabs share the storage. Each sends its own messages; those of a closed tab are sent by another one.
import { createPause, backoff } from './backoff.js';
import { randomId, tabId } from './ids.js';
import { keys, read, watch, write } from './storage.js';

/** After this many milliseconds another tab's message is sent by this one too: that tab may have crashed. */
const ORPHANED = 10_000;

/**
 * @typedef {object} Entry a message that is not confirmed
 * @property {string} client_id
 * @property {string | number} chat
 * @property {string} content
 * @property {string} written when it was written, in ISO 8601
 * @property {number} order its position in the outbox
 * @property {string} [tab] the tab that sends it; without one any tab does
 * @property {boolean} [tried] whether it may have reached the server already
 * @property {string} [refused] why the server rejected it
 * @property {string} [title] of its chat, for where nothing else of the chat is known
 * @property {number} [reply_to] the message that it answers
 * @property {any} [quote] what is shown of that message
 */

/**
 * @typedef {{refused: string} | {retryAfter: number | null, inDoubt?: boolean} | {ended: true} | {again: true}} Verdict
 * what follows from a failed attempt: the message is rejected, is retried later (not before that many milliseconds), the
 * login has ended, or the cause was removed and it is retried now. `inDoubt` is passed to the next attempt: the connection
 * may be dead.
 */

/**
 * @template Reply
 * @typedef {object} Delivery
 * @property {string} key the storage key
 * @property {(entry: Entry, attempt: {signal: AbortSignal, repeated: boolean, inDoubt: boolean}) => Reply | Promise<Reply>} deliver sends a message
 * @property {(error: unknown, failures: number) => Verdict | Promise<Verdict>} judge decides what follows from a failed attempt
 * @property {(entry: Entry, reply: Reply, repeated: boolean) => unknown} sent called when the server has a message
 * @property {() => void} changed called after every change
 * @property {() => boolean} [ready] whether anything can be sent just now; `run` is to be called when it becomes so
 */

/** @template Reply */
export class Outbox {
  /** @param {Delivery<Reply>} delivery */
  constructor({ key, deliver, judge, sent, changed, ready = () => true }) {
    this.key = key;
    this.deliver = deliver;
    this.judge = judge;
    this.sent = sent;
    this.changed = changed;
    this.ready = ready;
    this.tab = tabId();
    this.pause = createPause();
    this.failures = 0;
    this.inDoubt = false;
    this.stopped = false;
    this.running = false;
    /** @type {AbortController | null} */
    this.breaker = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.adoption = undefined;
    /** What is kept, until it is changed here or in another tab. @type {Entry[] | null} */
    this.cached = null;
    this.importList();
    this.unwatch = watch(key, () => {
      this.cached = null;
      this.importList();
      this.changed();
      this.run();
    });
    this.release = () => {
      for (const entry of this.all) if (entry.tab === this.tab) this.keep({ ...entry, tab: undefined });
    };
    // This tab sends nothing more, so other tabs need not wait for it.
    window.addEventListener('pagehide', this.release);
  }

  /** All messages, oldest first. */
  get all() {
    this.cached ??= this.readAll();
    return this.cached;
  }

  /** @returns {Entry[]} */
  readAll() {
    return keys(`${this.key} `)
      .map((key) => /** @type {Entry | null} */ (read(key, null)))
      .filter((entry) => entry !== null)
      .sort((a, b) => a.order - b.order || (a.client_id < b.client_id ? -1 : 1));
  }

  /** @param {string | number} chat */
  of(chat) {
    return this.all.filter((entry) => entry.chat === chat);
  }

  /** How many are to be sent. */
  get waiting() {
    return this.all.filter((entry) => !entry.refused).length;
  }

  /** @param {string} id @returns {Entry | null} */
  find(id) {
    return read(`${this.key} ${id}`, null);
  }

  /** @param {Entry} entry */
  keep(entry) {
    write(`${this.key} ${entry.client_id}`, entry);
    this.cached = null;
  }

  /** @param {string} id */
  discard(id) {
    write(`${this.key} ${id}`, undefined);
    this.cached = null;
  }

  nextOrder() {
    return Math.max(Date.now(), (this.all.at(-1)?.order ?? 0) + 1);
  }

  /**
   * @param {string | number} chat
   * @param {string} content
   * @param {{title?: string, reply_to?: number}} [further]
   */
  add(chat, content, further = {}) {
    this.keep({ ...further, client_id: randomId(), chat, content, written: new Date().toISOString(), order: this.nextOrder(), tab: this.tab });
    this.changed();
    this.run();
  }

  /** Retries a rejected message, as the newest one. @param {string} id */
  retry(id) {
    const entry = this.find(id);
    if (!entry) return;
    this.keep({ ...entry, refused: undefined, order: this.nextOrder(), tab: this.tab });
    this.changed();
    this.run();
  }

  /** @param {string} id */
  remove(id) {
    if (!this.find(id)) return;
    this.discard(id);
    this.changed();
  }

  clear() {
    for (const { client_id: id } of this.all) this.discard(id);
  }

  /** Imports the messages that earlier versions of the pages stored under a single key. */
  importList() {
    const list = read(this.key, null);
    if (!Array.isArray(list)) return;
    this.import(list);
    write(this.key, undefined);
  }

  /** @param {any[]} list */
  import(list) {
    for (const { client_id, chat, content, message, written, time, refused } of list) {
      const when = new Date(written ?? time ?? Date.now());
      this.keep({ client_id, chat, content: content ?? message, written: when.toISOString(), order: this.nextOrder(), refused, tried: true });
    }
  }

  /** Sends no more from this page. */
  stop() {
    this.stopped = true;
    this.unwatch();
    window.removeEventListener('pagehide', this.release);
    clearTimeout(this.adoption);
    this.breaker?.abort();
    this.pause.nudge();
  }

  /** Ends the wait for the next attempt. */
  nudge() {
    this.failures = Math.min(this.failures, 1);
    this.pause.nudge();
    this.run();
  }

  /** The connection may be dead: pending messages are sent again. */
  restart() {
    this.failures = 0;
    this.inDoubt = true;
    this.breaker?.abort();
    this.nudge();
  }

  /** The next message that is this tab's to send. */
  next() {
    if (this.stopped || !this.ready()) return undefined;
    return this.all.find((entry) => !entry.refused && this.isMine(entry));
  }

  /** @param {Entry} entry */
  isMine({ tab, written }) {
    return !tab || tab === this.tab || Math.abs(Date.now() - Date.parse(written)) > ORPHANED;
  }

  async run() {
    if (this.running || this.stopped) return;
    this.running = true;
    try {
      for (let entry = this.next(); entry; entry = this.next()) await this.attempt(entry);
    } finally {
      this.running = false;
    }
    clearTimeout(this.adoption);
    if (!this.stopped && this.all.some((entry) => !entry.refused && !this.isMine(entry))) {
      this.adoption = setTimeout(() => this.run(), ORPHANED);
    }
  }

  /** @param {Entry} entry */
  async attempt(entry) {
    const { client_id: id } = entry;
    const repeated = Boolean(entry.tried);
    const breaker = new AbortController();
    this.breaker = breaker;
    if (!repeated) this.keep({ ...entry, tried: true });
    try {
      const reply = await this.deliver(entry, { signal: breaker.signal, repeated, inDoubt: this.inDoubt });
      this.failures = 0;
      this.inDoubt = false;
      this.discard(id);
      const shown = this.sent(entry, reply, repeated);
      this.changed();
      await shown;
    } catch (error) {
      if (!this.stopped && !breaker.signal.aborted) await this.failed(entry, await this.judge(error, this.failures));
    }
  }

  /**
   * @param {Entry} entry
   * @param {Verdict} verdict
   */
  async failed(entry, verdict) {
    if ('ended' in verdict) {
      this.stop();
    } else if ('refused' in verdict) {
      this.failures = 0;
      // Deleted meanwhile, it stays deleted.
      if (this.find(entry.client_id)) this.keep({ ...entry, tried: true, refused: verdict.refused });
      this.changed();
    } else {
      this.inDoubt = 'inDoubt' in verdict && Boolean(verdict.inDoubt);
      const wait = 'again' in verdict && this.failures === 0 ? 0 : backoff(this.failures, 'retryAfter' in verdict ? verdict.retryAfter : 0);
      this.failures += 1;
      this.changed();
      if (wait > 0) await this.pause.wait(wait);
    }
  }
}
