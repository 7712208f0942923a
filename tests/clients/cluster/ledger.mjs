// What was said and acknowledged, what was done to the servers, and what went wrong.

const BEGAN = performance.now();

/** Milliseconds since the test began. */
export const now = () => performance.now() - BEGAN;

/** That time as it is printed. */
export const clock = (at) => `${(at / 1000).toFixed(3).padStart(7)} s`;

/** The outcome of a request is not known, or it was refused for a while: it is repeated under the same key. */
export class Unknown extends Error {}

/** What one client went through, for those who look for the cause of something. */
export class Journal {
  #lines = [];

  note(text) {
    this.#lines.push({ at: now(), text });
  }

  between(from, to) {
    const lines = this.#lines.filter(({ at }) => at >= from && at <= to);
    return lines.map(({ at, text }) => `${clock(at)}  ${text}`);
  }
}

export class Ledger {
  faults = [];
  posts = [];
  /** What was done to servers. */
  steps = new Journal();
  /** Of answers that were not acknowledgements: how often there was which. */
  refusals = new Map();
  /** How often sockets that listen were recovered, and how often they began anew. */
  recovered = 0;
  anew = 0;

  fault(text) {
    console.log(`FAULT at ${clock(now())}: ${text}`);
    this.faults.push(text);
  }

  /** Something is done to servers. */
  step(text) {
    this.steps.note(text);
    console.log(`${clock(now())}  ${text}`);
  }

  refused(what) {
    this.refusals.set(what, (this.refusals.get(what) ?? 0) + 1);
  }

  /** A message that nobody has said yet. */
  begin(sender) {
    const number = this.posts.length + 1;
    const post = { sender, text: `${number}: ${sender} 你好 <b>&amp;</b>`, key: `key-${number}`, begun: now(), tries: 0 };
    this.posts.push(post);
    return post;
  }

  /** A message was acknowledged, under an id if the API tells one. */
  acknowledge(post, id) {
    if (post.id !== undefined && post.id !== id) this.fault(`"${post.text}" was acknowledged as ${post.id} and as ${id}`);
    post.id = id;
    post.acknowledged = now();
  }

  accepted() {
    return this.posts.filter(({ acknowledged }) => acknowledged !== undefined).length;
  }

  /** Compares a snapshot of the chat with what was acknowledged: each is there exactly once, and nothing else is. */
  compare(name, snapshot) {
    const found = new Map();
    for (const message of snapshot) found.set(message.text, [...(found.get(message.text) ?? []), message]);
    for (const post of this.posts) {
      const there = found.get(post.text) ?? [];
      found.delete(post.text);
      if (post.acknowledged === undefined) this.fault(`"${post.text}" was never acknowledged (${post.tries} tries)`);
      if (there.length !== 1) this.fault(`${name}: "${post.text}" is there ${there.length} times`);
      else if (post.id !== there[0].id) this.fault(`${name}: "${post.text}" is there as ${there[0].id}, acknowledged as ${post.id}`);
    }
    for (const text of found.keys()) this.fault(`${name}: nobody has said "${text}"`);
    const ids = snapshot.map(({ id }) => id);
    if (ids.some((id, index) => index > 0 && id <= ids[index - 1])) this.fault(`${name}: the ids do not ascend`);
  }
}
