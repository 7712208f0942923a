// Drafts by chat, in storage under one key a chat, so that they survive a reload and are changed independently.
import { keys, read, watch, write } from './storage.js';

export class Drafts {
  /** @param {string} key */
  constructor(key) {
    this.key = key;
    /** @type {Set<() => void>} */
    this.listeners = new Set();
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
    const began = this.get(chat) !== '';
    write(`${this.key} ${chat}`, text || undefined);
    if (began !== (text !== '')) for (const listener of this.listeners) listener();
  }

  /** Every chat with a draft that says something. @returns {[string, string][]} */
  all() {
    const prefix = `${this.key} `;
    return keys(prefix)
      .map((key) => /** @type {[string, string]} */ ([key.slice(prefix.length), read(key, '')]))
      .filter(([, text]) => text.trim() !== '');
  }

  /** Calls `listener` when a draft is begun or given up, here or in another tab. @param {() => void} listener */
  onChange(listener) {
    this.listeners.add(listener);
    watch(`${this.key} `, listener);
  }

  /** Imports the drafts that earlier versions of the pages stored under a single key. */
  importAll() {
    const all = read(this.key, null);
    if (all === null) return;
    for (const [chat, text] of Object.entries(all)) if (this.get(chat) === '') this.set(chat, String(text));
    write(this.key, undefined);
  }
}
