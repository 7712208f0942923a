// The guest in browser storage. All tabs of the site share it, so each value has a key of its own.
import { read, watch, write } from '../shared/storage.js';

/**
 * @typedef {object} Guest
 * @property {string} name
 * @property {string} email
 * @property {string} [key] under which the chat is begun; it goes once the server has answered
 * @property {string} [after] the token of the chat that was lost before
 * @property {string} [guestToken]
 * @property {string} [chatId]
 * @property {string} [guestId]
 */

export class GuestStorage {
  /** @param {string} key */
  constructor(key) {
    this.key = key;
  }

  /** Who the guest is. @returns {Guest | null} */
  get guest() {
    return read(this.key, /** @type {{guest?: Guest | null} | null} */ (null))?.guest ?? null;
  }

  set guest(guest) {
    write(this.key, guest ? { guest } : undefined);
  }

  /** The id of the last answer that the guest has seen. @returns {string | null} */
  get seen() {
    return read(`${this.key} seen`, null);
  }

  set seen(id) {
    write(`${this.key} seen`, id ?? undefined);
  }

  /** Whether the panel is open. @returns {boolean} */
  get open() {
    return read(`${this.key} open`, false);
  }

  set open(open) {
    write(`${this.key} open`, open || undefined);
  }

  /** Whether the chat was closed by the other side. @returns {boolean} */
  get closed() {
    return read(`${this.key} closed`, false);
  }

  set closed(closed) {
    if (closed !== this.closed) write(`${this.key} closed`, closed || undefined);
  }

  /** What is being written and not sent yet. @returns {string} */
  get draft() {
    return read(`${this.key} draft`, '');
  }

  set draft(text) {
    if (text !== this.draft) write(`${this.key} draft`, text || undefined);
  }

  get outboxKey() {
    return `${this.key} outbox`;
  }

  forget() {
    this.guest = null;
    this.seen = null;
    this.open = false;
    this.closed = false;
    this.draft = '';
  }

  /** The messages that an earlier version of the widget stored beside the guest, under one key. */
  takeOldOutbox() {
    const old = read(this.key, /** @type {any} */ (null));
    if (!old?.outbox) return [];
    this.guest = old.guest;
    if (old.seen) this.seen = old.seen;
    if (old.closed) this.closed = true;
    return old.outbox;
  }

  /** Calls `listener` when another tab changes any of it. @param {() => void} listener */
  watch(listener) {
    return watch(this.key, listener);
  }
}
