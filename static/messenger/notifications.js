// Tells of new messages outside the page: a notification and a sound, by the level of each chat, from one tab of all, and
// never of what somebody reads at that moment.
import { BASE, scoped } from '../shared/server.js';
import { read, write } from '../shared/storage.js';
import { plainText } from './markdown.js';
import { Readers } from './readers.js';
import { playSound, prepareSound } from './sound.js';

/** @typedef {{chat: number, message: import('./model.js').Message, count: number}} Waiting */

/** Where there is no TLS browsers have no notifications. */
export const canNotify = () => isSecureContext && 'Notification' in window;

export class Notifications {
  /**
   * @param {object} options
   * @param {import('./model.js').Model} options.model
   * @param {import('./levels.js').Levels} options.levels
   * @param {(chat: number) => boolean} options.isReading
   * @param {() => boolean} options.isForemost whether this tab is the one of all that tells
   */
  constructor({ model, levels, isReading, isForemost }) {
    this.model = model;
    this.levels = levels;
    this.isForemost = isForemost;
    this.key = scoped(`parlance.notify.${model.me.id}`);
    this.readers = new Readers(isReading);
    /** What this page has shown itself, without a service worker. @type {Map<number, Notification>} */
    this.shown = new Map();
    /** What is told in a moment, one for each chat. @type {Map<number, Waiting>} */
    this.waiting = new Map();
    prepareSound();
    navigator.serviceWorker?.addEventListener('message', ({ data }) => {
      if (typeof data?.open === 'number') location.hash = `#/chats/${data.open}`;
    });
  }

  /** @returns {{shown: boolean, sound: boolean}} */
  get settings() {
    return { shown: false, sound: false, ...read(this.key, {}) };
  }

  /** @param {Partial<{shown: boolean, sound: boolean}>} changes */
  set(changes) {
    write(this.key, { ...this.settings, ...changes });
  }

  /** Whether notifications are wanted and allowed. */
  get on() {
    return this.settings.shown && canNotify() && Notification.permission === 'granted';
  }

  /** Asks the browser for its leave, which it gives only when somebody has just pressed a button. */
  async turnOn() {
    const permission = await Notification.requestPermission();
    this.set({ shown: permission === 'granted' });
    return permission;
  }

  /** Called with each event as it is applied. @param {any} event */
  heard(event) {
    if (event.type === 'read' && event.person_id === this.model.me.id) this.close(event.chat_id);
    if (event.type !== 'message' || !this.isForemost()) return;
    const chat = this.model.chats.get(event.chat_id);
    if (!chat || !this.levels.calls(chat, event.message)) return;
    const before = this.waiting.get(chat.id);
    this.waiting.set(chat.id, { chat: chat.id, message: event.message, count: (before?.count ?? 0) + 1 });
    if (!before) this.tell(chat.id);
  }

  /** @param {number} chat */
  async tell(chat) {
    const isRead = await this.readers.isRead(chat);
    const waiting = this.waiting.get(chat);
    this.waiting.delete(chat);
    if (isRead || !waiting || waiting.message.id <= (this.model.readMarks.get(chat) ?? 0)) return;
    if (this.settings.sound) playSound();
    if (this.on) await this.show(waiting);
  }

  /** @param {Waiting} waiting */
  async show({ chat, message, count }) {
    const title = this.model.chats.get(chat)?.title ?? 'Parlance';
    const more = count > 1 ? ` (and ${count - 1} more)` : '';
    /** @type {NotificationOptions & {renotify: boolean}} */
    const options = {
      body: `${this.model.name(message.sender_id)}: ${plainText(message.content)}${more}`,
      tag: this.tag(chat),
      renotify: true,
      icon: new URL('icons/192.png', BASE).href,
      data: { chat, address: new URL(`#/chats/${chat}`, BASE).href },
      // We have a sound of our own, which can be turned off.
      silent: true,
    };
    const worker = await navigator.serviceWorker?.getRegistration(BASE);
    if (worker?.active) {
      await worker.showNotification(title, options);
      return;
    }
    const shown = new Notification(title, options);
    shown.onclick = () => {
      window.focus();
      location.hash = `#/chats/${chat}`;
      shown.close();
    };
    this.shown.set(chat, shown);
  }

  /** @param {number} chat */
  tag(chat) {
    return scoped(`parlance.chat.${chat}`);
  }

  /** What is read needs no notification any more. @param {number} chat */
  async close(chat) {
    this.shown.get(chat)?.close();
    this.shown.delete(chat);
    const worker = await navigator.serviceWorker?.getRegistration(BASE);
    for (const shown of (await worker?.getNotifications({ tag: this.tag(chat) })) ?? []) shown.close();
  }
}
