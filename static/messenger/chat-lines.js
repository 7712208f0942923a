// The open chat's messages as lines to be drawn: with quotations, mentions, reactions, and who has read so far.
import { h } from '../shared/dom.js';
import { hue, initials, plural } from '../shared/format.js';
import { drawFace } from './face.js';
import { plainText } from './markdown.js';
import { drawBody } from './message-body.js';

/** @typedef {import('./model.js').Message} Message */
/** @typedef {import('./room.js').Room} Room */
/** @typedef {import('../shared/message-view.js').Line} Line */

/** So many faces of readers are shown. */
const READERS = 5;

/**
 * @typedef {object} Doings what pressing a part of a message does
 * @property {(message: Message, emoji: string) => void} react
 * @property {(message: Message, beside: HTMLElement) => void} pick
 * @property {(id: number) => void} jump to a message that is quoted
 * @property {(person: number, beside: HTMLElement) => void} person
 * @property {() => void} changed called when what is shown has changed
 * @property {(message: Message) => void} whoReacted
 * @property {(chip: HTMLElement, message: Message, reaction: import('./model.js').Reaction) => void} nameReactors
 * @property {() => boolean} canReact
 */

export class ChatLines {
  /**
   * @param {object} options
   * @param {import('./model.js').Model} options.model
   * @param {import('../shared/outbox.js').Outbox<any>} options.outbox
   * @param {Doings} options.doings
   */
  constructor({ model, outbox, doings }) {
    this.model = model;
    this.outbox = outbox;
    this.doings = doings;
    /** Long messages of which all is shown. @type {Set<string>} */
    this.unfolded = new Set();
    /** @type {Room | null} */
    this.room = null;
    /** Who has read up to which message, and no further. @type {Map<number, number[]>} */
    this.readers = new Map();
  }

  /** How messages are drawn. @returns {Pick<import('../shared/message-view.js').Options, 'draw' | 'below' | 'face'>} */
  get drawing() {
    return {
      draw: (line) => this.draw(line),
      below: (line) => this.below(line),
      face: (line) => this.face(line),
    };
  }

  /** @param {Message} message */
  keyOf(message) {
    return message.sender_id === this.model.me.id && message.client_id ? `mine ${message.client_id}` : `message ${message.id}`;
  }

  /**
   * @param {number} chat
   * @param {Room} room
   * @param {number | null} divider the message before which the line "New" goes
   * @returns {Line[]}
   */
  all(chat, room, divider) {
    this.room = room;
    this.readers = readersOf(this.model, chat, room);
    const lines = room.messages.map((message) => this.line(message, divider));
    // Where the newest messages are not shown, what comes after them is not either.
    if (room.later) return lines;
    const known = new Set(room.messages.map((message) => message.client_id));
    for (const entry of this.outbox.of(chat)) {
      const { client_id: id, content, written: time } = entry;
      if (!known.has(id)) lines.push({ key: `mine ${id}`, sender: this.model.me.id, time, content, by: 'me', entry });
    }
    return lines;
  }

  /**
   * @param {Message} message
   * @param {number | null} divider
   * @returns {Line}
   */
  line(message, divider) {
    const key = this.keyOf(message);
    const mine = message.sender_id === this.model.me.id;
    const { reactions = [], reply_to: quote } = message;
    const readers = this.readers.get(message.id);
    const photo = this.model.photo(message.sender_id);
    const unfolded = this.unfolded.has(key);
    return {
      key,
      id: message.id,
      sender: message.sender_id,
      time: message.time,
      content: message.content,
      by: mine ? 'me' : 'other',
      name: this.model.name(message.sender_id),
      hue: hue(message.sender_id),
      named: !mine,
      edited: message.edited_at,
      deleted: Boolean(message.deleted_at),
      divided: message.id === divider,
      version: quote || unfolded ? JSON.stringify([quote, quote && this.model.name(quote.sender_id), unfolded]) : '',
      photo,
      look: reactions.length > 0 || readers || photo ? JSON.stringify([reactions, this.namesOf(readers), photo]) : '',
    };
  }

  /** @param {number[]} [people] */
  namesOf(people = []) {
    return people.map((id) => this.model.name(id));
  }

  /** @param {Line} line */
  messageOf(line) {
    return line.id ? this.room?.find(line.id) : undefined;
  }

  /** @param {Line} line */
  draw(line) {
    const message = this.messageOf(line);
    const quote = message?.reply_to ?? line.entry?.quote;
    const body = drawBody(line.content, {
      unfolded: this.unfolded.has(line.key),
      unfold: () => {
        this.unfolded.add(line.key);
        this.doings.changed();
      },
      decorate: this.decorate(message),
      placeName: (place) => this.placeName(place),
    });
    return quote ? [this.quote(quote), ...body] : body;
  }

  /** What an address of this page is shown as. @param {import('./places.js').Place} place */
  placeName({ chat, message }) {
    const title = this.model.chats.get(chat)?.title;
    if (!title) return null;
    return message === null ? title : `A message in ${title}`;
  }

  /** @param {import('./model.js').Quote} quote */
  quote({ id, sender_id: sender, content, deleted_at: deleted }) {
    const name = sender === this.model.me.id ? 'You' : this.model.name(sender);
    return h(
      'button',
      { class: 'quote', type: 'button', tabindex: '-1', 'aria-label': 'Show what this answers', onclick: () => this.doings.jump(id) },
      h('span', { class: 'quote-name', dir: 'auto' }, name),
      h('span', { class: 'quote-words', dir: 'auto' }, deleted ? 'This message was deleted' : plainText(content)),
    );
  }

  /**
   * Names that are mentioned stand out, mine the more.
   * @param {Message | undefined} message
   * @returns {((text: string) => (Node | string)[]) | undefined}
   */
  decorate(message) {
    const mentioned = (message?.mentions ?? []).map((each) => (typeof each === 'number' ? each : each.id));
    if (mentioned.length === 0 && !message?.mentions_all) return undefined;
    const names = new Map(mentioned.map((id) => [this.model.name(id).toLocaleLowerCase(), id]));
    if (message?.mentions_all) names.set('all', this.model.me.id);
    const sought = [...names.keys()].sort((a, b) => b.length - a.length).map(escaped);
    const pattern = new RegExp(`@(?:${sought.join('|')})(?![\\p{L}\\p{N}])`, 'giu');
    return (text) => {
      /** @type {(Node | string)[]} */
      const parts = [];
      let from = 0;
      for (const match of text.matchAll(pattern)) {
        const id = names.get(match[0].slice(1).toLocaleLowerCase());
        parts.push(text.slice(from, match.index), h('span', { class: id === this.model.me.id ? 'mention me' : 'mention' }, match[0]));
        from = match.index + match[0].length;
      }
      parts.push(text.slice(from));
      return parts;
    };
  }

  /** @param {Line} line @returns {import('../shared/dom.js').Item[]} */
  below(line) {
    const message = this.messageOf(line);
    if (!message || message.deleted_at) return [];
    const readers = this.readers.get(message.id) ?? [];
    const reactions = { key: 'reactions', print: JSON.stringify([message.reactions, this.doings.canReact()]), make: () => this.reactions(message) };
    const faces = { key: 'readers', print: JSON.stringify(this.namesOf(readers)), make: () => this.faces(readers) };
    return [...(message.reactions?.length ? [reactions] : []), ...(readers.length > 0 ? [faces] : [])];
  }

  /** @param {Message} message */
  reactions(message) {
    const able = this.doings.canReact();
    const chips = (message.reactions ?? []).map((reaction) => {
      const { emoji, count, me } = reaction;
      const chip = h(
        'button',
        {
          class: 'reaction',
          type: 'button',
          'data-emoji': emoji,
          'aria-pressed': able ? String(Boolean(me)) : null,
          'aria-label': `${emoji}, ${plural(count, 'reaction', 'reactions')}${me ? ', one of them yours' : ''}`,
          onclick: () => (able ? this.doings.react(message, emoji) : this.doings.whoReacted(message)),
        },
        h('span', { class: 'reaction-emoji' }, emoji),
        String(count),
      );
      this.doings.nameReactors(chip, message, reaction);
      return chip;
    });
    const add = (/** @type {Event} */ event) => this.doings.pick(message, /** @type {HTMLElement} */ (event.currentTarget));
    const more = able ? h('button', { class: 'reaction more', type: 'button', 'aria-label': 'Another reaction', onclick: add }, '+') : null;
    return h('div', { class: 'reactions' }, chips, more);
  }

  /** @param {number[]} readers */
  faces(readers) {
    const title = `Read by ${this.namesOf(readers).join(', ')}`;
    const rest = readers.length - READERS;
    return h(
      'p',
      { class: 'readers', title },
      h('span', { class: 'sr-only' }, title),
      readers.slice(0, READERS).map((id) => h('span', { class: `face tiny ${hue(id)}`, 'aria-hidden': 'true' }, initials(this.model.name(id)))),
      rest > 0 ? h('span', { 'aria-hidden': 'true' }, `+${rest}`) : null,
    );
  }

  /** @param {Line} line */
  face(line) {
    const person = Number(line.sender);
    const press = (/** @type {Event} */ event) => this.doings.person(person, /** @type {HTMLElement} */ (event.currentTarget));
    return drawFace({ id: person, name: line.name ?? '', photo: this.model.photo(person), small: true, press });
  }
}

/**
 * Others' read marks, each at the newest message that it covers.
 * @param {import('./model.js').Model} model
 * @param {number} chat
 * @param {Room} room
 */
function readersOf(model, chat, room) {
  /** @type {Map<number, number[]>} */
  const found = new Map();
  for (const [person, upTo] of model.reads.get(chat) ?? []) {
    if (person === model.me.id) continue;
    const at = room.indexOf(upTo + 1) - 1;
    const message = room.messages[at];
    // Further up is where nobody looks for it, and what is not shown has no end.
    if (!message || (room.later && message === room.last)) continue;
    // Who wrote it has read it.
    if (message.sender_id === person) continue;
    found.set(message.id, [...(found.get(message.id) ?? []), person]);
  }
  return found;
}

/** @param {string} text */
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&');
