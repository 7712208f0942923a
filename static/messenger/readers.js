// Which chat is being read in any tab of this browser at this moment: tabs ask each other.
import { scoped } from '../shared/server.js';

const ANSWER_WITHIN = 250;

export class Readers {
  /** @param {(chat: number) => boolean} isReading whether this tab shows the newest of a chat to somebody */
  constructor(isReading) {
    this.isReading = isReading;
    this.channel = new BroadcastChannel(scoped('parlance.readers'));
    /** @type {Map<number, () => void>} */
    this.asked = new Map();
    this.channel.onmessage = ({ data }) => {
      if (data?.ask !== undefined && this.isReading(data.ask)) this.channel.postMessage({ reading: data.ask });
      if (data?.reading !== undefined) this.asked.get(data.reading)?.();
    };
  }

  /** Whether any tab shows the newest of a chat to somebody. @param {number} chat @returns {Promise<boolean>} */
  async isRead(chat) {
    if (this.isReading(chat)) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.answer(chat, false, resolve), ANSWER_WITHIN);
      this.asked.set(chat, () => {
        clearTimeout(timer);
        this.answer(chat, true, resolve);
      });
      this.channel.postMessage({ ask: chat });
    });
  }

  /**
   * @param {number} chat
   * @param {boolean} read
   * @param {(read: boolean) => void} resolve
   */
  answer(chat, read, resolve) {
    this.asked.delete(chat);
    resolve(read);
  }
}
