// Logins that are ended at one server, and what the others say to them.

import { pause } from './ground.mjs';
import { now } from './ledger.mjs';
import { FOR_A_WHILE } from './mirrors.mjs';

/** A server that cannot see what was ended refuses all logins after so long; a test's own bound is wider, for busy machines. */
const LEASE = 2_000;
const SLACK = 500;
const AT_ONCE = 2;
/** Instead of a status: there was no answer in time. */
const NONE = 0;
/** When to ask again for what a server refuses for a while. */
const AGAIN = 250;

/** Somebody who signs in and out. */
export class Leaver {
  #person = { name: 'leaver', email: 'leaver@cluster.example', password: 'correct horse' };

  /** `bounds` are those of options.mjs. */
  constructor(ledger, bounds) {
    Object.assign(this, { ledger, bounds });
  }

  /** Asks until the answer's status is none that asks to come again, as often as this run bears it. */
  async #answered(ask) {
    for (let left = this.bounds.again; ; left -= 1) {
      const answer = await ask();
      if (left === 0 || !FOR_A_WHILE.includes(answer.status)) return answer;
      await answer.arrayBuffer?.();
      await pause(AGAIN);
    }
  }

  async register(node) {
    await this.#signIn(node, '/api/reg');
  }

  async #signIn(node, path = '/api/login') {
    const body = JSON.stringify(this.#person);
    const headers = { 'content-type': 'application/json' };
    const response = await this.#answered(() => fetch(node.url + path, { method: 'POST', headers, body }));
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return { cookie: response.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ') };
  }

  /** What a server says to a login: its status, and when it was asked and had answered. */
  async #ask(node, headers) {
    const asked = now();
    const address = `${node.url}/api/events?after=now&timeout=0`;
    const status = await fetch(address, { headers, signal: AbortSignal.timeout(this.bounds.answer) }).then(
      async (response) => (await response.arrayBuffer(), response.status),
      () => NONE,
    );
    return { status, asked, answered: now() };
  }

  async #isGood(node, headers) {
    const { status } = await this.#answered(() => this.#ask(node, headers));
    if (status !== 200) throw new Error(`server ${node.name} says ${status} to a login that is good`);
  }

  async #signOut(node, headers) {
    const { status } = await this.#answered(() => fetch(`${node.url}/api/logout`, { headers }));
    if (status !== 200) throw new Error(`server ${node.name} says ${status} to a logout`);
    return now();
  }

  /** Signs in at one server, is known to the others, and signs out: how long the last of them takes to say 401. */
  async #once(at, others) {
    const headers = await this.#signIn(at);
    for (const node of others) await this.#isGood(node, headers);
    const ended = await this.#signOut(at, headers);
    const refused = await Promise.all(
      others.map(async (node) => {
        for (;;) {
          const { status, asked, answered } = await this.#ask(node, headers);
          if (status === 401) return answered - ended;
          if (asked - ended > LEASE + SLACK + (FOR_A_WHILE.includes(status) ? this.bounds.refused : 0)) {
            this.ledger.fault(`server ${node.name} says ${status} ${Math.round(asked - ended)} ms after a logout at ${at.name}`);
            return answered - ended;
          }
        }
      }),
    );
    return Math.max(...refused);
  }

  /** So many logouts, each at another server; the times that these took, sorted. */
  async many(nodes, count) {
    const times = [];
    let left = count;
    const some = async () => {
      while (left > 0) {
        left -= 1;
        const at = nodes[left % nodes.length];
        times.push(await this.#once(at, nodes.filter((node) => node !== at)));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, some));
    return times.sort((one, other) => one - other);
  }

  /**
   * Somebody signs out at one server while another is cut off from the database: from the end of its lease on that one refuses,
   * and once it is back it knows. `cut` cuts it off, `mend` mends it.
   */
  async whileCut(away, at, cut, mend) {
    const headers = await this.#signIn(at);
    await this.#isGood(away, headers);
    await cut();
    try {
      return await this.#signOutWhileCut(away, at, headers, mend);
    } catch (error) {
      await mend();
      throw error;
    }
  }

  async #signOutWhileCut(away, at, headers, mend) {
    const cutAt = now();
    await this.#signOut(at, headers);
    let last = cutAt;
    let refused;
    while (now() < cutAt + LEASE + 1_500) {
      const { status, asked } = await this.#ask(away, headers);
      if (status === 200) last = asked;
      else refused ??= { status, after: asked - cutAt };
      if (status === 200 && asked > cutAt + LEASE + SLACK) {
        this.ledger.fault(`server ${away.name}, cut off, says 200 ${Math.round(asked - cutAt)} ms after that to a login that ended elsewhere`);
      }
      if (![200, 401, 503].includes(status)) this.ledger.fault(`server ${away.name}, cut off, says ${status}`);
      await pause(20);
    }
    await mend();
    for (;;) {
      const { status } = await this.#ask(away, headers);
      if (status === 401) break;
      if (status !== 503) this.ledger.fault(`server ${away.name}, back again, says ${status} to a login that ended meanwhile`);
      if (now() > cutAt + this.bounds.back) throw new Error(`server ${away.name} does not come back`);
      await pause(20);
    }
    return { last: last - cutAt, ...refused };
  }
}
