// Tells the server how far I have read, when the newest message is really before my eyes.
import { post } from '../shared/api.js';

export class ReadMarks {
  /** @param {import('./model.js').Model} model */
  constructor(model) {
    this.model = model;
    /** How far each chat was read, as the server was told. @type {Map<number, number>} */
    this.reported = new Map();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {Promise<void> | undefined} */
    this.request = undefined;
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
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.request = this.report(id, last.id);
    }, 250);
  }

  /** A read mark that is told after leaving would be refused. */
  async settle() {
    clearTimeout(this.timer);
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
      await post(`/api/chats/${id}/read`, { up_to: String(upTo) });
    } catch {
      // Not told: the next look tells it, with whatever came since.
      if (this.reported.get(id) === upTo) this.reported.delete(id);
    }
  }
}

/** Whether somebody looks at this page just now. */
export const isWatched = () => document.visibilityState === 'visible' && document.hasFocus();
