// What was said and acknowledged in one chat, what was done to the servers, and what went wrong.

import { createReadStream, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { workerData } from 'node:worker_threads';

const wall = () => performance.timeOrigin + performance.now();

/** When the test began; its threads are told, and so count from the same moment. */
export const BEGAN = workerData?.began ?? wall();

/** Milliseconds since the test began. */
export const now = () => wall() - BEGAN;

/** That time as it is printed. */
export const clock = (at) => `${(at / 1000).toFixed(3).padStart(7)} s`;

/** The outcome of a request is not known, or it was refused for a while: it is repeated under the same key. */
export class Unknown extends Error {}

/** How many faults of a chat are told in full: one cause may have thousands. */
const TOLD = 40;
/** How much is held back before it is written. */
const HELD_BACK = 1 << 16;

/** What was done to servers, in order. */
export class Steps {
  lines = [];

  step(text) {
    const line = `${clock(now())}  ${text}`;
    this.lines.push(line);
    console.log(line);
  }
}

/** What the clients of one thread went through: in a file, for of a large crowd it is too much to be held. */
export class Diary {
  #held = [];
  #size = 0;

  constructor(path) {
    this.path = path;
    this.file = openSync(path, 'a');
  }

  write(line) {
    this.#held.push(line);
    this.#size += line.length;
    if (this.#size > HELD_BACK) this.#flush();
  }

  #flush() {
    writeSync(this.file, this.#held.splice(0).join(''));
    this.#size = 0;
  }

  /** The journal of one client for some time. */
  async between(name, from, to) {
    this.#flush();
    const found = [];
    for await (const line of createInterface({ input: createReadStream(this.path) })) {
      const [at, who, text] = line.split('\t');
      if (who === name && Number(at) >= from && Number(at) <= to) found.push(`${clock(Number(at))}  ${text}`);
    }
    return found;
  }
}

/** What one client went through, for those who look for the cause of something. */
export class Journal {
  constructor(name, diary) {
    Object.assign(this, { name, diary });
  }

  note(text) {
    this.diary.write(`${now().toFixed(1)}\t${this.name}\t${text.replace(/[\t\n]/g, ' ')}\n`);
  }

  between(from, to) {
    return this.diary.between(this.name, from, to);
  }
}

/** Where in the counts that threads share is what. */
export const BEGUN = 0;
export const ACKNOWLEDGED = 1;

export class Ledger {
  faults = 0;
  /** The first of them. */
  told = [];
  posts = [];
  /** One copy of each text that was told, however many clients were told it. */
  #texts = new Map();
  /** Of answers that were not acknowledgements: how often there was which. */
  refusals = new Map();
  /** How often sockets that listen were recovered, and how often they began anew. */
  recovered = 0;
  anew = 0;
  /** How many events sockets were told before the answer to CONNECT. */
  early = 0;

  /** `name` is the chat's, `counts` what the thread shares with the one that waits for progress. */
  constructor(name, diary, counts = new Int32Array(2)) {
    Object.assign(this, { name, diary, counts });
  }

  journal(name) {
    return new Journal(`${this.name}, ${name}`, this.diary);
  }

  fault(text) {
    this.faults += 1;
    if (this.told.length >= TOLD) return;
    this.told.push(`${this.name}: ${text}`);
    console.log(`FAULT at ${clock(now())}: ${this.name}: ${text}`);
  }

  refused(what) {
    this.refusals.set(what, (this.refusals.get(what) ?? 0) + 1);
  }

  /** A message that nobody has said yet. */
  begin(sender) {
    const number = this.posts.length + 1;
    const post = { sender, text: `${number}: ${sender} 你好 <b>&amp;</b>`, key: `key-${number}`, begun: now(), tries: 0 };
    this.posts.push(post);
    Atomics.add(this.counts, BEGUN, 1);
    return post;
  }

  /** A message was acknowledged, under an id if the API tells one. */
  acknowledge(post, id) {
    if (post.id !== undefined && post.id !== id) this.fault(`"${post.text}" was acknowledged as ${post.id} and as ${id}`);
    post.id = id;
    post.acknowledged = now();
    Atomics.add(this.counts, ACKNOWLEDGED, 1);
  }

  /** The same text, as it is kept: that of a message is told to many, and most of them are told the same. */
  kept(id, text) {
    const known = this.#texts.get(id);
    if (known === undefined) this.#texts.set(id, text);
    return known === text ? known : text;
  }
}
