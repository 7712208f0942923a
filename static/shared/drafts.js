// Drafts by chat, in storage under one key a chat, so that they survive a reload and are changed independently.
import { read, write } from './storage.js';

export class Drafts {
  /** @param {string} key */
  constructor(key) {
    this.key = key;
    this.importAll();
  }

  /** @param {string | number} chat */
  get(chat) {
    return read(`${this.key} ${chat}`, '');
  }

  /**
   * @param {string | number} chat
   * @param {string} text
   */
  set(chat, text) {
    write(`${this.key} ${chat}`, text || undefined);
  }

  /** Imports the drafts that earlier versions of the pages stored under a single key. */
  importAll() {
    const all = read(this.key, null);
    if (all === null) return;
    for (const [chat, text] of Object.entries(all)) if (this.get(chat) === '') this.set(chat, String(text));
    write(this.key, undefined);
  }
}
