// What of each chat calls for attention: its level, and how long nothing is to be announced in this browser.
import { mentions } from './chat-entry.js';
import { scoped } from '../shared/server.js';
import { read, watch, write } from '../shared/storage.js';

/** @typedef {import('./chat-entry.js').Chat} Chat */
/** @typedef {import('./model.js').Message} Message */
/** @typedef {'all' | 'mentions' | 'none'} Level */

/** In larger chats only mentions call, unless one chooses otherwise: the server's own default. */
const SMALL = 20;

/** The level of a chat, muted or not. @param {Chat} chat @returns {Level} */
export function levelOf(chat) {
  if (chat.notify && chat.notify_chosen !== false) return chat.notify;
  return chat.direct || (chat.members_count ?? 0) <= SMALL ? 'all' : 'mentions';
}

/** Whether a chat is muted just now. @param {Chat} chat */
export const isMuted = (chat) => Boolean(chat.muted_until) && Date.parse(chat.muted_until ?? '') > Date.now();

export class Levels {
  /**
   * @param {number} person
   * @param {() => void} changed called when a pause begins or ends
   */
  constructor(person, changed) {
    this.me = person;
    this.key = scoped(`parlance.paused.${person}`);
    this.changed = changed;
    watch(this.key, changed);
  }

  /** Until when nothing is to be announced in this browser; 0 when there is no such time. */
  get pausedUntil() {
    const until = Number(read(this.key, 0));
    return until > Date.now() ? until : 0;
  }

  /** @param {number} until 0 ends it */
  pause(until) {
    write(this.key, until || undefined);
    this.changed();
  }

  /** @param {Chat} chat @returns {Level} */
  effective(chat) {
    return chat.member && !isMuted(chat) ? levelOf(chat) : 'none';
  }

  /** How many unread messages of a chat count in the title of the page. @param {Chat} chat */
  count(chat) {
    const level = this.effective(chat);
    if (level === 'none') return 0;
    return level === 'all' ? chat.unread : (chat.unread_mentions ?? 0);
  }

  /**
   * Whether a new message calls for attention.
   * @param {Chat} chat
   * @param {Message} message
   */
  calls(chat, message) {
    if (message.sender_id === this.me || this.pausedUntil > Date.now()) return false;
    const level = this.effective(chat);
    return level === 'all' || (level === 'mentions' && mentions(message, this.me));
  }
}

/** When tomorrow begins to be a day: at eight o'clock. */
export function tomorrow(now = new Date()) {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1, 8).getTime();
}
