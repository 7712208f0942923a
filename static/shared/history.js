// A chat's messages, read from the server page by page into a list to which pushed messages are appended meanwhile.

const PAGE = 100;

/**
 * @typedef {object} Message
 * @property {string | undefined} from
 * @property {string} message
 * @property {string} [id] absent until the server has answered
 * @property {string} [time]
 */

/** @typedef {{chatId?: string, token?: string}} Argument the chat, and the credentials */

export class History {
  /** @param {(argument: object) => Promise<any>} ask is getChatMessages; it fails with `lost` when the connection broke */
  constructor(ask) {
    this.ask = ask;
    this.limit = PAGE;
  }

  /**
   * Replaces `messages` from index `start` on by what the server has, and keeps what was pushed meanwhile.
   * @param {Argument} argument
   * @param {Message[]} messages
   * @param {number} start
   */
  async read(argument, messages, start) {
    /** @type {Message[]} */
    const all = [];
    // What was there before and is not told now is not on the server any more, as after a restore.
    const before = new Set(messages);
    for (;;) {
      const { limit } = this;
      const reply = await this.page({ ...argument, limit, skip: start + all.length });
      for (const { from, message, _id, time } of reply.data) all.push({ from, message, id: _id, time });
      // A page shorter than its limit need not be the last one.
      if (reply.data.length === 0 || !(reply.has_more ?? reply.data.length >= limit)) break;
    }
    this.limit = PAGE;
    const last = all.at(-1)?.id ?? '';
    const later = messages.slice(start).filter((message) => !before.has(message) && message.id !== undefined && message.id > last);
    messages.splice(start, Infinity, ...all, ...later);
  }

  /** @param {Argument & {limit: number, skip: number}} argument */
  async page(argument) {
    try {
      return await this.ask(argument);
    } catch (problem) {
      // A page that broke the connection may be too large for it: the next attempt asks for half.
      if (/** @type {{lost?: boolean}} */ (problem).lost) this.limit = Math.max(1, argument.limit >> 1);
      throw problem;
    }
  }
}
