// Reads the history of the open chat from the server, page by page.
import { get } from '../shared/api.js';

/** @typedef {import('./room.js').Room} Room */

const PAGE = 60;
const FURTHER = 100;

export class ChatHistory {
  /**
   * @param {object} options
   * @param {import('./model.js').Model} options.model
   * @param {() => number | null} options.current the open chat: an answer that comes after another was opened is dropped
   * @param {(busy: 'earlier' | 'later' | null) => void} options.reading called when a further page is on its way, or is there
   */
  constructor({ model, current, reading }) {
    this.model = model;
    this.current = current;
    this.reading = reading;
    /** @type {number | null} */
    this.fetching = null;
    /** Where to go on from with what is new. @type {string | undefined} */
    this.cursor = undefined;
  }

  /**
   * Reads the newest page. Gives whether the chat is still the open one.
   * @param {number} id
   */
  async newest(id) {
    const { body } = await this.model.taking(
      () => get(`/api/chats/${id}?limit=${PAGE}`),
      (answer) => this.model.takePage(id, answer.body),
    );
    if (this.current() !== id) return false;
    this.cursor = body.cursor;
    return true;
  }

  /**
   * A page before what there is, or after it. Gives how many messages came; null when it could not be read.
   * @param {'earlier' | 'later'} direction
   */
  async further(direction) {
    const id = this.current();
    if (id === null || this.fetching === id) return 0;
    const room = this.model.room(id);
    const { first, last } = room;
    if (!first || !last || !(direction === 'earlier' ? room.more : room.later)) return 0;
    this.fetching = id;
    this.reading(direction);
    try {
      const place = direction === 'earlier' ? `before=${first.id}` : `after=${last.id}&timeout=0`;
      let count = 0;
      await this.model.taking(
        () => get(`/api/chats/${id}?${place}&limit=${FURTHER}`),
        ({ body }) => {
          if (this.current() !== id || this.model.room(id) !== room || room.first !== first || room.last?.id !== last.id) return;
          count = body.messages.length;
          if (direction === 'earlier') this.model.takeEarlier(id, body);
          else this.model.takeLater(id, body);
        },
      );
      return count;
    } catch {
      return null;
    } finally {
      if (this.fetching === id) this.fetching = null;
      if (this.current() === id) this.reading(null);
    }
  }

  /**
   * Reads the page around a message, in place of what there is. Gives whether the message is there now.
   * @param {number} id
   * @param {number} message
   */
  async around(id, message) {
    await this.model.taking(
      () => get(`/api/chats/${id}?around=${message}&limit=${FURTHER}`),
      ({ body }) => {
        if (this.current() === id) this.model.takeAround(id, body);
      },
    );
    return this.current() === id && this.model.room(id).find(message) !== undefined;
  }
}
