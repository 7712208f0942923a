// A chat's messages, read from the server page by page into a list that goes on growing meanwhile.

const PAGE = 100;

export class History {
  /** `ask(argument)` is getChatMessages; it fails with `lost` when the connection broke. */
  constructor(ask) {
    this.ask = ask;
    this.limit = PAGE;
  }

  /** Puts what the server has from message number `start` on into `messages`, and keeps what was pushed meanwhile. */
  async read(argument, messages, start) {
    const all = [];
    for (;;) {
      const { limit } = this;
      const reply = await this.page({ ...argument, limit, skip: start + all.length });
      all.push(...reply.data.map(({ from, message, _id, time }) => ({ from, message, id: _id, time })));
      // A page may be shorter than it was asked for, and not be the last one.
      if (reply.data.length === 0 || !(reply.has_more ?? reply.data.length >= limit)) break;
    }
    this.limit = PAGE;
    const last = all.at(-1)?.id ?? '';
    const later = messages.slice(start).filter((message) => message.id > last);
    messages.splice(start, Infinity, ...all, ...later);
  }

  async page(argument) {
    try {
      return await this.ask(argument);
    } catch (problem) {
      // What the line does not carry must not be asked for again as it was.
      if (problem.lost) this.limit = Math.max(1, argument.limit >> 1);
      throw problem;
    }
  }
}
