// What this page knows: people, chats and their messages. A snapshot, kept fresh by events.
import { filled, withoutGaps } from './chat-entry.js';
import { Room } from './room.js';

/** @typedef {{id: number, name: string, photo?: string | null, online?: boolean, last_seen?: string | null}} Person */
/** @typedef {Person & {email?: string}} Me */

/** @typedef {{emoji: string, count: number, me?: boolean}} Reaction */
/** @typedef {{id: number, sender_id: number, content: string, deleted_at?: string | null}} Quote */

/**
 * @typedef {object} Message
 * @property {number} id its place in the log
 * @property {string} content
 * @property {number} sender_id
 * @property {string} time
 * @property {string} [client_id]
 * @property {string | null} [edited_at]
 * @property {string | null} [deleted_at]
 * @property {Quote | null} [reply_to]
 * @property {Reaction[]} [reactions]
 * @property {(number | Person)[]} [mentions]
 */

/** @typedef {import('./chat-entry.js').Chat} Chat */
/** @typedef {{messages: Message[], people?: Person[], has_more?: boolean, has_later?: boolean, more?: boolean, cursor?: string}} Page */
/** @typedef {{chats: Partial<Chat>[], people?: Person[], has_more?: boolean, cursor?: string}} ChatPage */

export class Model {
  /** @param {Me} me */
  constructor(me) {
    this.me = me;
    this.people = new Map([[me.id, me.name]]);
    /** @type {Map<number, Chat>} */
    this.chats = new Map();
    /** Messages of the chats opened so far. @type {Map<number, Room>} */
    this.rooms = new Map();
    /** How far I have read, as this page has told the server. @type {Map<number, number>} */
    this.readMarks = new Map();
    this.more = false;
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    this.due = false;
  }

  /** @param {() => void} listener */
  onChange(listener) {
    this.listeners.add(listener);
  }

  /** Listeners run once for any number of changes made in one go. */
  changed() {
    if (this.due) return;
    this.due = true;
    queueMicrotask(() => {
      this.due = false;
      for (const listener of this.listeners) listener();
    });
  }

  /** @param {number} person */
  name(person) {
    return this.people.get(person) ?? 'Somebody';
  }

  /** @param {Person[] | undefined} people */
  addPeople(people) {
    for (const person of people ?? []) this.people.set(person.id, person.name);
  }

  /** @param {number} chat */
  room(chat) {
    let room = this.rooms.get(chat);
    if (!room) {
      room = new Room();
      this.rooms.set(chat, room);
    }
    return room;
  }

  unread() {
    let sum = 0;
    for (const chat of this.chats.values()) sum += chat.unread;
    return sum;
  }

  /**
   * The chat list as just read from the server. Messages read before it may have gaps now.
   * @param {ChatPage} answer
   */
  takeChats(answer) {
    this.addPeople(answer.people);
    /** @type {Map<number, Chat>} */
    const known = new Map();
    for (const chat of answer.chats.map(filled)) known.set(chat.id, chat);
    this.chats = known;
    this.more = Boolean(answer.has_more);
    for (const room of this.rooms.values()) room.stale = true;
    this.changed();
  }

  /**
   * A further page of the list.
   * @param {ChatPage} answer
   */
  takeMoreChats(answer) {
    this.addPeople(answer.people);
    for (const chat of answer.chats.map(filled)) if (!this.chats.has(chat.id)) this.chats.set(chat.id, chat);
    this.more = Boolean(answer.has_more);
    this.changed();
  }

  /** @param {Partial<Chat> & {id: number}} chat */
  takeChat(chat) {
    const before = this.chats.get(chat.id);
    // A new chat that is open concerns everybody; one that is not is told to its members only.
    const fresh = { ...filled({}), member: chat.open === false, founding: chat.members_count === 1 };
    const active = Math.max(before?.active ?? 0, chat.last_position ?? 0);
    this.chats.set(chat.id, { ...(before ?? fresh), ...withoutGaps(chat), title: chat.title ?? before?.title ?? 'Chat', active });
    this.changed();
  }

  /**
   * A chat begun here, before the server tells of it: the newest of all.
   * @param {Partial<Chat> & {id: number}} chat
   */
  takeBegun(chat) {
    const newest = Math.max(0, ...[...this.chats.values()].map((each) => each.active));
    this.takeChat(chat);
    const begun = this.chats.get(chat.id);
    if (begun) begun.active = Math.max(begun.active, newest + 0.5);
  }

  /**
   * The newest page of a chat. What we had is kept only when the two overlap.
   * @param {number} chat
   * @param {Page} answer
   */
  takePage(chat, answer) {
    this.addPeople(answer.people);
    this.room(chat).takeNewest(answer.messages, Boolean(answer.has_more));
    this.changed();
  }

  /**
   * What a chat I only look into has said since; its list entry has no events to keep it fresh.
   * @param {number} chat
   * @param {Page} answer
   */
  takeNew(chat, answer) {
    this.addPeople(answer.people);
    const room = this.room(chat);
    for (const message of answer.messages) {
      room.takeLive(message);
      this.summarize(chat, message);
    }
    this.changed();
  }

  /**
   * @param {number} chat
   * @param {Page} answer
   */
  takeEarlier(chat, answer) {
    this.addPeople(answer.people);
    this.room(chat).takeEarlier(answer.messages, Boolean(answer.has_more));
    this.changed();
  }

  /**
   * @param {number} chat
   * @param {Page} answer what follows the last message we have
   */
  takeLater(chat, answer) {
    this.addPeople(answer.people);
    this.room(chat).takeLater(answer.messages, Boolean(answer.more));
    this.changed();
  }

  /**
   * @param {number} chat
   * @param {Page} answer
   */
  takeAround(chat, answer) {
    this.addPeople(answer.people);
    this.room(chat).takeAround(answer.messages, { more: Boolean(answer.has_more), later: Boolean(answer.has_later) });
    this.changed();
  }

  /**
   * A message of mine that the server has accepted, shown before its event comes round.
   * @param {number} chat
   * @param {Message} message
   */
  takeSent(chat, message) {
    this.rooms.get(chat)?.takeLive(message);
    this.summarize(chat, message);
    this.changed();
  }

  /**
   * @param {number} id
   * @param {Message} message
   */
  summarize(id, message) {
    const chat = this.chats.get(id);
    if (!chat || message.id < chat.last_id) return;
    chat.last_id = message.id;
    chat.active = Math.max(chat.active, message.id);
    chat.last_message = message.content;
    chat.last_message_time = message.time;
    chat.sender_id = message.sender_id;
  }

  /**
   * Applies one event. Gives 'chats' when the list must be read again to understand it. Events may repeat what
   * the snapshot already holds: `last_position` tells.
   * @param {any} event
   */
  apply(event) {
    const chat = this.chats.get(event.chat_id ?? event.chat?.id);
    switch (event.type) {
      case 'message':
        if (!chat) return 'chats';
        return this.applyMessage(chat, event);
      case 'edited':
      case 'deleted':
        this.applyChanged(event);
        return null;
      case 'chat':
        this.applyChat(event);
        return null;
      case 'member':
        return this.applyMember(chat, event);
      case 'read':
        if (event.person_id !== this.me.id || !chat) return null;
        this.markRead(chat.id, event.up_to);
        return chat.unread > 0 && !this.rooms.get(chat.id)?.ready ? 'chats' : null;
      default:
        return null;
    }
  }

  /**
   * @param {Chat} chat
   * @param {{position: number, message: Message}} event
   */
  applyMessage(chat, { position, message }) {
    this.rooms.get(chat.id)?.takeLive(message);
    this.summarize(chat.id, message);
    const fresh = position > chat.last_position;
    chat.last_position = Math.max(chat.last_position, position);
    const read = message.id <= (this.readMarks.get(chat.id) ?? 0);
    if (fresh && message.sender_id !== this.me.id && !read) chat.unread += 1;
    return null;
  }

  /** @param {{chat_id: number, message: Message}} event */
  applyChanged({ chat_id: id, message }) {
    this.rooms.get(id)?.replace(message);
    const chat = this.chats.get(id);
    if (chat && chat.last_id === message.id) chat.last_message = message.content;
  }

  /** @param {any} event */
  applyChat(event) {
    if (event.chat.deleted_at || event.chat.deleted) {
      this.chats.delete(event.chat.id);
      this.changed();
      return;
    }
    this.takeChat(event.chat);
  }

  /**
   * @param {Chat | undefined} chat
   * @param {any} event
   */
  applyMember(chat, event) {
    const person = event.person?.id ?? event.person ?? event.person_id;
    if (event.person?.name) this.addPeople([event.person]);
    if (!chat) return person === this.me.id && event.joined ? 'chats' : null;
    const fresh = event.position > chat.last_position;
    if (fresh) {
      chat.last_position = event.position;
      // Who starts a chat is in its first count already; the event of their joining comes after.
      if (chat.founding && event.role === 'admin') chat.founding = false;
      else if (typeof chat.members_count === 'number') chat.members_count += event.joined ? 1 : -1;
    }
    if (person !== this.me.id) return null;
    if (event.joined) {
      // Between looking in and joining some messages may have passed by unseen.
      if (!chat.member) this.room(chat.id).stale = true;
      chat.member = true;
    } else {
      chat.member = false;
      chat.unread = 0;
      if (!chat.open) this.chats.delete(chat.id);
    }
    return null;
  }

  /**
   * @param {number} id
   * @param {number} upTo
   */
  markRead(id, upTo) {
    const before = this.readMarks.get(id) ?? 0;
    if (upTo <= before) return;
    this.readMarks.set(id, upTo);
    const chat = this.chats.get(id);
    if (!chat) return;
    const room = this.rooms.get(id);
    if (upTo >= (chat.last_id || chat.last_position)) chat.unread = 0;
    else if (room?.ready) {
      const later = room.messages.filter((each) => each.id > upTo && each.sender_id !== this.me.id);
      chat.unread = Math.min(chat.unread, later.length);
    }
    this.changed();
  }
}
