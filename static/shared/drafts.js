// What is being written and not sent yet, by chat: it outlives the page, and one chat's draft does not touch another's.
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

  /** Takes over the drafts as earlier versions of the pages kept them, all under one key. */
  importAll() {
    const all = read(this.key, null);
    if (all === null) return;
    for (const [chat, text] of Object.entries(all)) if (this.get(chat) === '') this.set(chat, String(text));
    write(this.key, undefined);
  }
}
