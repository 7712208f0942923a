// The messages of one chat that this page has: a piece of its history without gaps, not always up to its end.

/** @typedef {import('./model.js').Message} Message */

/** So many are kept; what is far from where one reads is forgotten, and read again when one comes back to it. */
export const KEPT = 1_000;

/** What an answer shows of the message that it answers, in characters: as much as the server gives. */
const QUOTED = 200;

/** Compares the way the log does. @param {Message} a @param {Message} b */
const byId = (a, b) => a.id - b.id;

export class Room {
  constructor() {
    /** @type {Message[]} */
    this.messages = [];
    /** Whether the server has earlier ones. */
    this.more = false;
    /** Whether the server has later ones. */
    this.later = false;
    this.ready = false;
    /** Whether some may have been missed. */
    this.stale = false;
    /** The newest message that is known of, even where it is not kept. */
    this.heard = 0;
  }

  get first() {
    return this.messages[0];
  }

  get last() {
    return this.messages.at(-1);
  }

  /** Where a message is, or would be. @param {number} id */
  indexOf(id) {
    let low = 0;
    let high = this.messages.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.messages[middle].id < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {number} id */
  find(id) {
    const found = this.messages[this.indexOf(id)];
    return found?.id === id ? found : undefined;
  }

  /** @param {Message[]} messages */
  merge(messages) {
    if (messages.length === 0) return;
    const { first, last } = this;
    if (last && messages.every((message) => message.id > last.id)) this.messages = [...this.messages, ...messages.sort(byId)];
    else if (first && messages.every((message) => message.id < first.id)) this.messages = [...messages.sort(byId), ...this.messages];
    else {
      const all = new Map(this.messages.map((message) => [message.id, message]));
      for (const message of messages) all.set(message.id, message);
      this.messages = [...all.values()].sort(byId);
    }
    this.heard = Math.max(this.heard, this.last?.id ?? 0);
  }

  /**
   * The newest page. What we had is kept only when the two overlap.
   * @param {Message[]} page
   * @param {boolean} more
   */
  takeNewest(page, more) {
    const { last } = this;
    const joined = !more || (last && page.length > 0 && page[0].id <= last.id);
    if (!joined) this.messages = [];
    if (!joined || !this.ready) this.more = more;
    // Without earlier ones the page is all there is.
    if (!more) this.more = false;
    this.settle();
    this.later = false;
    this.merge(page);
    this.forgetEarliest();
  }

  /**
   * A page around some place, in place of what we had.
   * @param {Message[]} page
   * @param {{more: boolean, later: boolean}} further
   */
  takeAround(page, { more, later }) {
    this.messages = [];
    this.more = more;
    this.settle();
    this.merge(page);
    this.later = later || this.heard > (this.last?.id ?? 0);
  }

  /**
   * @param {Message[]} page
   * @param {boolean} more
   */
  takeEarlier(page, more) {
    this.merge(page);
    this.more = more;
    if (this.messages.length <= KEPT) return;
    this.messages = this.messages.slice(0, KEPT);
    this.later = true;
  }

  /**
   * @param {Message[]} page what follows the last message
   * @param {boolean} later whether the server has still later ones
   */
  takeLater(page, later) {
    this.merge(page);
    // One that came meanwhile, while we did not reach to the end, is in no page yet.
    this.later = later || this.heard > (this.last?.id ?? 0);
    this.forgetEarliest();
  }

  /** One that was just sent. @param {Message} message */
  takeLive(message) {
    this.heard = Math.max(this.heard, message.id);
    // What may lack messages is read anew: put at its end, this one would hide the gap.
    if (this.ready && !this.stale && !this.later) this.merge([message]);
  }

  /** One that is different now, and so is what its answers quote of it. @param {Message} message */
  change(message) {
    const { id, content, deleted_at: deleted } = message;
    this.messages = this.messages.map((each) => {
      if (each.id === id) return { ...message, reactions: mine(message.reactions, each.reactions) };
      if (each.reply_to?.id !== id) return each;
      return { ...each, reply_to: { ...each.reply_to, content: [...content].slice(0, QUOTED).join(''), deleted_at: deleted } };
    });
  }

  /**
   * @param {{message_id: number, emoji: string, added: boolean, count?: number}} event without a count it is not confirmed yet
   * @param {boolean} byMe
   */
  react({ message_id: id, emoji, added, count: told }, byMe) {
    const message = this.find(id);
    if (!message) return;
    const reactions = message.reactions ?? [];
    const before = reactions.find((each) => each.emoji === emoji);
    if (told === undefined && Boolean(before?.me) === added) return;
    const count = told ?? (before?.count ?? 0) + (added ? 1 : -1);
    const after = { emoji, count, me: byMe ? added : Boolean(before?.me) };
    const changed = before ? reactions.map((each) => (each === before ? after : each)) : [...reactions, after];
    this.messages = this.messages.with(this.indexOf(id), { ...message, reactions: changed.filter((each) => each.count > 0) });
  }

  settle() {
    this.ready = true;
    this.stale = false;
  }

  forgetEarliest() {
    if (this.messages.length <= KEPT) return;
    this.messages = this.messages.slice(-KEPT);
    this.more = true;
  }
}

/**
 * An event is the same for all readers: which reactions are mine is known from before.
 * @param {import('./model.js').Reaction[] | undefined} told
 * @param {import('./model.js').Reaction[] | undefined} before
 */
function mine(told, before) {
  return told?.map((reaction) => ({ ...reaction, me: reaction.me ?? before?.find(({ emoji }) => emoji === reaction.emoji)?.me }));
}
