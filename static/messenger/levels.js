// What of each chat calls for attention: its level, and what is muted for a while in this browser.
import { scoped } from '../shared/server.js';
import { read, watch, write } from '../shared/storage.js';

/** @typedef {import('./chat-entry.js').Chat} Chat */
/** @typedef {import('./model.js').Message} Message */
/** @typedef {'all' | 'mentions' | 'none'} Level */

/** In larger chats only mentions call, unless one chooses otherwise: the server's own default. */
const SMALL = 20;

/** The level of a chat, muted or not. @param {Chat} chat @returns {Level} */
export function levelOf(chat) {
  return chat.notify ?? ((chat.members_count ?? 0) <= SMALL ? 'all' : 'mentions');
}

/** Whether a message mentions somebody. @param {Message} message @param {number} person */
export function mentions(message, person) {
  return (message.mentions ?? []).some((each) => (typeof each === 'number' ? each : each.id) === person);
}

export class Levels {
  /**
   * @param {number} person
   * @param {() => void} changed called when something is muted, or no longer
   */
  constructor(person, changed) {
    this.me = person;
    this.key = scoped(`parlance.muted.${person}`);
    this.changed = changed;
    watch(this.key, changed);
  }

  /** Until when a chat is muted, or all of them (`all`); 0 when it is not. @param {number | 'all'} chat */
  mutedUntil(chat) {
    const until = Number(read(`${this.key} ${chat}`, 0));
    return until > Date.now() ? until : 0;
  }

  /**
   * @param {number | 'all'} chat
   * @param {number} until 0 ends it
   */
  mute(chat, until) {
    write(`${this.key} ${chat}`, until || undefined);
    this.changed();
  }

  /** @param {Chat} chat @returns {Level} */
  effective(chat) {
    if (!chat.member || this.mutedUntil(chat.id)) return 'none';
    return levelOf(chat);
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
    if (message.sender_id === this.me || this.mutedUntil('all')) return false;
    const level = this.effective(chat);
    return level === 'all' || (level === 'mentions' && mentions(message, this.me));
  }
}

/** When tomorrow begins to be a day: at eight o'clock. */
export function tomorrow(now = new Date()) {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1, 8).getTime();
}
