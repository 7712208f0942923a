// Tells the server how far I have read, when the newest message is really before my eyes.
import { post } from '../shared/api.js';

export class ReadMarks {
  /** @param {import('./model.js').Model} model */
  constructor(model) {
    this.model = model;
    /** How far each chat was read, as the server was told. @type {Map<number, number>} */
    this.reported = new Map();
    /** What is to be told, by chat. @type {Map<number, number>} */
    this.waiting = new Map();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {Promise<unknown> | undefined} */
    this.request = undefined;
    // The page may go before the time is over.
    window.addEventListener('pagehide', () => this.tell());
  }

  /** Everything in this chat is read. @param {number} id */
  read(id) {
    const entry = this.model.chats.get(id);
    const room = this.model.room(id);
    const { last } = room;
    if (!entry?.member || !room.ready || room.later || !last || last.id <= (this.reported.get(id) ?? 0)) return;
    const unread = entry.unread > 0;
    this.reported.set(id, last.id);
    entry.unread = 0;
    this.model.markRead(id, last.id);
    // My own words are read by nature: no need to tell.
    if (!unread && last.sender_id === this.model.me.id) return;
    this.waiting.set(id, last.id);
    this.timer ??= setTimeout(() => this.tell(), 250);
  }

  /** All that was said in a chat is read, without a look at it. @param {number} id */
  readAll(id) {
    const entry = this.model.chats.get(id);
    if (!entry?.member) return;
    const upTo = Math.max(entry.last_id, entry.last_position);
    this.reported.set(id, upTo);
    this.model.markRead(id, upTo);
    this.waiting.set(id, upTo);
    this.tell();
  }

  tell() {
    clearTimeout(this.timer);
    this.timer = undefined;
    const marks = [...this.waiting];
    this.waiting.clear();
    this.request = Promise.all(marks.map(([id, upTo]) => this.report(id, upTo)));
  }

  /** What the server was told it may not know any more. */
  forget() {
    this.reported.clear();
    this.waiting.clear();
  }

  /** A read mark that is told after leaving a chat would be refused. @param {number} id */
  async settle(id) {
    this.waiting.delete(id);
    await this.request;
  }

  /**
   * @param {number} id
   * @param {number} upTo
   */
  async report(id, upTo) {
    // Who has left meanwhile has nothing to tell.
    if (!this.model.chats.get(id)?.member) return;
    try {
      await post(`/api/chats/${id}/read`, { up_to: String(upTo) }, { keepalive: true });
    } catch {
      // Not told: the next look tells it, with whatever came since.
      if (this.reported.get(id) === upTo) this.reported.delete(id);
    }
  }
}

/** Whether somebody looks at this page just now. */
export const isWatched = () => document.visibilityState === 'visible' && document.hasFocus();
