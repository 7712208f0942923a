// What this page knows: people, chats and their messages. A snapshot, kept fresh by events.
import { filled, mentions, withoutGaps } from './chat-entry.js';
import { Presence } from './presence.js';
import { Room } from './room.js';

/** @typedef {{id: number, name: string, photo?: string | null, online?: boolean, last_seen?: string | null}} Person */
/** @typedef {Person & {email?: string, external_photos?: boolean}} Me */

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
 * @property {boolean} [mentions_all]
 */

/** @typedef {import('./chat-entry.js').Chat} Chat */
/** @typedef {{messages: Message[], people?: Person[], has_more?: boolean, has_newer?: boolean, more?: boolean, cursor?: string}} Page */
/** @typedef {{chats: Partial<Chat>[], people?: Person[], has_more?: boolean, cursor?: string}} ChatPage */

export class Model {
  /** @param {Me} me */
  constructor(me) {
    this.me = me;
    this.people = new Map([[me.id, me.name]]);
    /** @type {Map<number, string>} */
    this.photos = new Map();
    /** Others' read marks in the chats opened so far. @type {Map<number, Map<number, number>>} */
    this.reads = new Map();
    /** The members and their roles, of the chats whose members were read. @type {Map<number, Map<number, string>>} */
    this.members = new Map();
    this.presence = new Presence(me.id, () => this.changed());
    if (me.photo) this.photos.set(me.id, me.photo);
    /** @type {Map<number, Chat>} */
    this.chats = new Map();
    /** Messages of the chats opened so far. @type {Map<number, Room>} */
    this.rooms = new Map();
    /** How far I have read, as this page has told the server. @type {Map<number, number>} */
    this.readMarks = new Map();
    this.more = false;
    /** What was applied while answers are awaited, to be applied once more after them. @type {Set<(() => unknown)[]>} */
    this.recordings = new Set();
    /** How often everything was forgotten: what was asked for before is asked for again. */
    this.epoch = 0;
    /** Of chats that are gone: what they were called, and why. @type {Map<number, {title: string, why: string}>} */
    this.lost = new Map();
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
    queueMicrotask(() => this.due && this.tell());
  }

  /** Runs the listeners now, for a caller that needs what they draw. */
  tell() {
    this.due = false;
    for (const listener of this.listeners) listener();
  }

  /**
   * Takes what the server answers. It may be older than an event that came meanwhile, so those are applied once more
   * after it: they may repeat what they find.
   * @template T
   * @param {() => Promise<T>} read
   * @param {(answer: T) => void} take
   */
  async taking(read, take) {
    /** @type {(() => unknown)[]} */
    const meanwhile = [];
    this.recordings.add(meanwhile);
    try {
      let { epoch } = this;
      let answer = await read();
      while (epoch !== this.epoch) {
        epoch = this.epoch;
        answer = await read();
      }
      take(answer);
      this.recordings.delete(meanwhile);
      for (const applyAgain of meanwhile) applyAgain();
      return answer;
    } finally {
      this.recordings.delete(meanwhile);
    }
  }

  /** @param {() => unknown} applyAgain */
  record(applyAgain) {
    for (const meanwhile of this.recordings) meanwhile.push(applyAgain);
  }

  /**
   * The log is not the continuation of what was told before: messages, members and read marks may not be there any
   * more, and all of it is read anew.
   */
  forget() {
    this.epoch += 1;
    for (const known of [this.rooms, this.reads, this.members, this.readMarks, this.lost]) known.clear();
  }

  /** @param {number} person */
  name(person) {
    return this.people.get(person) ?? 'Somebody';
  }

  /** The address of a person's photo. @param {number} person */
  photo(person) {
    return this.photos.get(person) ?? null;
  }

  /** @param {Person[] | undefined} people */
  addPeople(people) {
    for (const { id, name, photo, ...presence } of people ?? []) {
      this.people.set(id, name);
      if (photo) this.photos.set(id, photo);
      else if (photo === null) this.photos.delete(id);
      this.presence.take(id, presence);
    }
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
    for (const chat of answer.chats.map(filled)) {
      known.set(chat.id, chat);
      // Read to its end here, it is not unread for an answer that does not know it yet.
      if (chat.last_id > 0 && (this.readMarks.get(chat.id) ?? 0) >= chat.last_id) Object.assign(chat, { unread: 0, unread_mentions: 0, first_unread: null });
    }
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
   * What I have just done to a chat: an answer that was asked for before that does not take it back.
   * @param {Partial<Chat> & {id: number}} chat
   */
  takeDone(chat) {
    this.record(() => this.chats.has(chat.id) && this.takeChat(chat));
    this.takeChat(chat);
  }

  /**
   * A chat begun here, before the server tells of it: the newest of all.
   * @param {Partial<Chat> & {id: number}} chat
   */
  takeBegun(chat) {
    this.record(() => this.chats.has(chat.id) || this.takeBegun(chat));
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
    this.room(chat).takeAround(answer.messages, { more: Boolean(answer.has_more), later: Boolean(answer.has_newer) });
    this.changed();
  }

  /**
   * How far the members of a chat have read.
   * @param {number} chat
   * @param {{person_id: number, up_to: number}[]} reads
   */
  takeReads(chat, reads) {
    this.reads.set(chat, new Map(reads.map(({ person_id: person, up_to: upTo }) => [person, upTo])));
    this.changed();
  }

  /**
   * A message of mine that the server has accepted, shown before its event comes round.
   * @param {number} chat
   * @param {Message} message
   */
  takeSent(chat, message) {
    this.record(() => this.takeSent(chat, message));
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
    this.record(() => this.apply(event));
    const chat = this.chats.get(event.chat_id ?? event.chat?.id);
    switch (event.type) {
      case 'message':
        if (!chat) return 'chats';
        return this.applyMessage(chat, event);
      case 'edited':
      case 'deleted':
        return this.applyChanged(chat, event);
      case 'chat':
        this.applyChat(event);
        return null;
      case 'member':
        return this.applyMember(chat, event);
      case 'read':
        return this.applyRead(chat, event);
      case 'settings':
        if (chat) Object.assign(chat, event.settings);
        return null;
      case 'person':
        return this.applyPerson(event.person);
      case 'reaction':
        this.rooms.get(event.chat_id)?.react(event, event.person_id === this.me.id);
        return null;
      case 'typing':
        this.presence.applyTyping(event);
        return null;
      case 'presence':
        this.presence.take(event.person_id, event);
        return null;
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
    this.presence.stopped(chat.id, message.sender_id);
    this.summarize(chat.id, message);
    const fresh = position > chat.last_position;
    chat.last_position = Math.max(chat.last_position, position);
    this.takeRead(chat.id, message.sender_id, message.id);
    if (!fresh || message.id <= (this.readMarks.get(chat.id) ?? 0)) return null;
    if (message.sender_id === this.me.id) {
      // Who says something has read what was said before, also where they said it on another device.
      this.markRead(chat.id, message.id);
      return null;
    }
    chat.unread += 1;
    chat.first_unread ??= message.id;
    if (mentions(message, this.me.id)) chat.unread_mentions = (chat.unread_mentions ?? 0) + 1;
    return null;
  }

  /**
   * How far another one has read a chat whose read marks are known.
   * @param {number} chat
   * @param {number} person
   * @param {number} upTo
   */
  takeRead(chat, person, upTo) {
    const reads = this.reads.get(chat);
    if (reads && person !== this.me.id) reads.set(person, Math.max(upTo, reads.get(person) ?? 0));
  }

  /**
   * @param {Chat | undefined} chat
   * @param {{person_id: number, up_to: number, chat_id: number}} event
   */
  applyRead(chat, { person_id: person, up_to: upTo, chat_id: id }) {
    if (person !== this.me.id) {
      this.takeRead(id, person, upTo);
      return null;
    }
    if (!chat) return null;
    this.markRead(chat.id, upTo);
    return chat.unread > 0 && !this.rooms.get(chat.id)?.ready ? 'chats' : null;
  }

  /** A person has another name or photo, or is gone. @param {Person & {deleted_at?: string | null}} person */
  applyPerson(person) {
    this.addPeople([person]);
    if (person.id === this.me.id) this.me.name = person.name;
    for (const chat of this.chats.values()) if (chat.person_id === person.id) chat.title = person.name;
    return null;
  }

  /**
   * @param {Chat | undefined} chat
   * @param {{type: string, chat_id: number, message: Message}} event
   */
  applyChanged(chat, { type, chat_id: id, message }) {
    this.rooms.get(id)?.change(message);
    if (!chat) return null;
    if (chat.last_id === message.id) chat.last_message = message.content;
    const read = message.id < (chat.first_unread ?? 0) || message.id <= (this.readMarks.get(id) ?? 0);
    if (chat.unread === 0 || read || message.sender_id === this.me.id) return null;
    // What is deleted is unread no more, and an edit may name me or name me no more: the list has the counts.
    const named = mentions(message, this.me.id) || (chat.unread_mentions ?? 0) > 0;
    return type === 'deleted' || named ? 'chats' : null;
  }

  /** @param {any} event */
  applyChat(event) {
    const { id, open, title, direct } = event.chat;
    const before = this.chats.get(id);
    // What is closed while one is not in it is told once more, without its title.
    const closed = open === false && (before ? !before.member : !direct && !title);
    if (event.chat.deleted_at || event.chat.deleted || closed) {
      if (before) this.lose(before, closed ? 'This chat is private now, and you are not in it.' : 'This chat was deleted.');
      this.changed();
      return;
    }
    this.takeChat(event.chat);
  }

  /** A chat that I may not read any more. @param {Chat} chat @param {string} why */
  lose({ id, title }, why) {
    this.chats.delete(id);
    this.lost.set(id, { title, why });
  }

  /**
   * @param {Chat | undefined} chat
   * @param {any} event
   */
  applyMember(chat, event) {
    const person = event.person?.id ?? event.person ?? event.person_id;
    if (event.person?.name) this.addPeople([event.person]);
    this.presence.stopped(event.chat_id, person);
    if (!chat) return person === this.me.id && event.joined ? 'chats' : null;
    const known = this.members.get(chat.id);
    // A new role comes as somebody who joined: a person that the panel shows is in already.
    const before = known?.has(person);
    if (event.joined) known?.set(person, event.role ?? 'member');
    else known?.delete(person);
    if (event.position > chat.last_position) {
      chat.last_position = event.position;
      this.countMember(chat, { person, known: Boolean(before) }, event);
    }
    if (person !== this.me.id) return null;
    if (event.joined && event.role) chat.role = event.role;
    if (event.joined) {
      // Between looking in and joining some messages may have passed by unseen.
      if (!chat.member) this.room(chat.id).stale = true;
      chat.member = true;
    } else {
      chat.member = false;
      chat.role = null;
      chat.unread = 0;
      if (!chat.open) this.lose(chat, 'You are not in this chat any more.');
    }
    return null;
  }

  /**
   * @param {Chat} chat
   * @param {{person: number, known: boolean}} who known: a member already, as far as the list of members says
   * @param {{role?: string, joined: boolean}} event
   */
  countMember(chat, { person, known }, { role, joined }) {
    const promoted = role === 'admin' && !chat.founding && (chat.members_count ?? 0) > 0;
    if (joined && (known || promoted || (person === this.me.id && chat.role))) return;
    // Who starts a chat is in its first count already; the event of their joining comes after.
    if (chat.founding && role === 'admin') chat.founding = false;
    else if (typeof chat.members_count === 'number') chat.members_count += joined ? 1 : -1;
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
    chat.first_unread = null;
    chat.unread_mentions = 0;
    if (upTo >= (chat.last_id || chat.last_position)) chat.unread = 0;
    else if (room?.ready) {
      const later = room.messages.filter((each) => each.id > upTo && each.sender_id !== this.me.id && !each.deleted_at);
      chat.unread = Math.min(chat.unread, later.length);
      chat.first_unread = later[0]?.id ?? null;
      chat.unread_mentions = later.filter((each) => mentions(each, this.me.id)).length;
    }
    this.changed();
  }
}
