// The clients of one chat, what they say and are told there, and whether that is what is there.

import { pause, until } from './ground.mjs';
import { Ledger, Unknown, clock, now } from './ledger.mjs';
import { listeners, open, writers } from './place.mjs';
import { request } from './senders.mjs';
import { OF_A_MIRROR, OF_THE_LOG, ofLog, ofMirror } from './verify.mjs';

/** Which part of the clients of a chat writes. */
const WRITE = 16 / 43;
/** How many messages of a deviation are told in full, of how many clients, and how much of what these went through. */
const SHOWN = 3;
const EXPLAINED = 5;
const AROUND = 6_000;
/** When to ask again for what a server refuses for a while. */
const AGAIN = 250;

const none = (names) => Object.fromEntries(names.map((name) => [name, 0]));

export class Site {
  #explained = 0;

  constructor({ url, number, clients, bounds }, diary, counts) {
    Object.assign(this, { url, number, clients, bounds });
    this.ledger = new Ledger(`chat ${number + 1}`, diary, counts);
  }

  async open() {
    const { ledger, number } = this;
    const write = Math.min(this.clients - 1, Math.max(1, Math.round(this.clients * WRITE)));
    this.place = await open(this.url, ledger, `cluster-${number + 1}.example`);
    this.listening = await listeners(this.place, ledger, this.clients - write, number);
    this.writing = writers(this.place, ledger, write, number);
    return { writing: this.writing.length, listening: this.listening.length };
  }

  begin(apart) {
    for (const writer of this.writing) writer.begin(apart);
  }

  /** Lets the run find something wrong. */
  spoil(how) {
    const { ledger, listening } = this;
    if (how === 'lose') ledger.acknowledge(ledger.begin('nobody'));
    // One that is told each message exactly once, so that nothing comes to be well by itself.
    else (listening.find(({ mirror }) => mirror.api === 'messenger') ?? listening[0]).mirror.spoil(how);
  }

  /** Nobody says anything any more, once all that was said is acknowledged. */
  async stop() {
    let isDone = false;
    const stopped = Promise.all(this.writing.map((writer) => writer.stop())).then(() => (isDone = true));
    await Promise.race([stopped, until(`all that was said in ${this.ledger.name} is acknowledged`, () => isDone, this.bounds.late)]);
  }

  /** Compares what was acknowledged, and what each client was told, with what each server tells. */
  async verify(nodes) {
    const { ledger, listening } = this;
    const log = none(OF_THE_LOG);
    let all;
    for (const { name, url } of nodes) {
      const [first, ...said] = await this.#snapshot(url);
      all ??= { first: first.id, said };
      this.#note(`server ${name}`, ofLog(ledger.posts, said), log);
    }
    const { first, said } = all;
    const last = said.at(-1).id;
    const quiet = now();
    const haveAll = () => listening.every(({ mirror }) => mirror.last >= last);
    await until('everybody was told the last message', haveAll, this.bounds.told).catch(() => {});
    const behind = now() - quiet;
    const mirrors = none(OF_A_MIRROR);
    let delivered = 0;
    for (const listener of listening) {
      const told = listener.mirror.messages().filter(({ id }) => id > first);
      delivered += told.length;
      const found = ofMirror(told, said);
      if (this.#note(listener.name, found, mirrors)) await this.#explain(listener, found);
    }
    await Promise.all(listening.map((listener) => listener.close()));
    return { ...this.#counts(), inTheLog: said.length, delivered, behind, log, mirrors };
  }

  #counts() {
    const { posts, refusals, recovered, anew, early, faults, told } = this.ledger;
    const acknowledged = posts.filter((post) => post.acknowledged !== undefined);
    return {
      said: posts.length,
      acknowledged: acknowledged.length,
      tries: posts.reduce((sum, { tries }) => sum + tries, 0),
      latencies: acknowledged.map((post) => post.acknowledged - post.begun),
      refusals: [...refusals],
      recovered,
      anew,
      early,
      faults,
      told,
    };
  }

  /** Counts what is wrong with somebody's messages, and says so. */
  #note(name, found, counts) {
    const wrong = Object.entries(found).filter(([, list]) => list.length > 0);
    for (const [what, list] of wrong) {
      counts[what] += list.length;
      const some = list.slice(0, SHOWN).map(({ id, text, there }) => `${id} "${text}"${there ? ` (there as ${there})` : ''}`);
      this.ledger.fault(`${name}: ${list.length} ${what}: ${some.join(', ')}`);
    }
    return wrong.length > 0;
  }

  /** The whole chat, as a server tells it. */
  async #snapshot(url) {
    const messages = [];
    for (let before = ''; ; before = `&before=${messages.at(-1).id}`) {
      const page = await this.#page(`${url}/api/chats/${this.place.chat}?limit=200${before}`);
      messages.push(...page.messages.map(({ id, content }) => ({ id, text: content })).reverse());
      if (!page.has_more) return messages.reverse();
    }
  }

  /** What is asked for when all is quiet must be answered; by a large run it is asked for once more. */
  async #page(path) {
    for (let left = this.bounds.again; ; left -= 1) {
      try {
        return await request(this.ledger, 'GET', path, undefined, this.place.bo.headers);
      } catch (error) {
        if (!(error instanceof Unknown) || left === 0) throw error;
        await pause(AGAIN);
      }
    }
  }

  /** What a client went through when something was said that it was told wrongly. */
  async #explain({ name, journal }, found) {
    this.#explained += 1;
    if (this.#explained > EXPLAINED) return;
    for (const { id, text } of Object.values(found).flat().slice(0, SHOWN)) {
      const post = this.ledger.posts.find((one) => one.text === text);
      const at = post?.acknowledged ?? post?.begun;
      if (at === undefined) continue;
      const lines = await journal.between(at - AROUND, at + AROUND);
      console.log(`  ${name}: ${id} was acknowledged at ${clock(at)}; it went through\n${lines.map((line) => `    ${line}`).join('\n')}`);
    }
  }
}
