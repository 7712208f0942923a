// Those who write: by routes, by events in requests and by Socket.IO. Whatever is not answered, or refused for a while, is said
// again under the same key until it is acknowledged.

import { EVENTS } from '../together/senders.mjs';
import { Client, isBusy } from './client.mjs';
import { pause } from './ground.mjs';
import { Unknown, now } from './ledger.mjs';
import { FOR_A_WHILE } from './mirrors.mjs';

/** How long a request may take before its outcome counts as unknown. */
const ANSWER = 4_000;
/** When to say something again. */
const AGAIN = 200;

/** A request; what is not known to have been done or refused is `Unknown`. */
export async function request(ledger, method, url, body, headers = {}) {
  let response;
  let text;
  try {
    response = await fetch(url, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER),
    });
    text = await response.text();
  } catch (error) {
    ledger.refused(`no answer: ${error.cause?.code ?? error.name}`);
    throw new Unknown(`no answer: ${error.cause?.code ?? error.message}`);
  }
  if (response.ok) return JSON.parse(text);
  const words = `${response.status} ${text.slice(0, 160)}`;
  ledger.refused(response.status === 502 ? '502 by the balancer' : words);
  throw FOR_A_WHILE.includes(response.status) ? new Unknown(words) : new Error(words);
}

/** Says one thing after the other, until it is stopped. */
class Sender {
  #isStopped = false;

  constructor(name, ledger, say) {
    Object.assign(this, { name, ledger, say });
  }

  /** Begins, with so many milliseconds from one message to the next on average, more where an answer takes longer. */
  begin(apart) {
    this.done = this.#speak(apart);
  }

  async #speak(apart) {
    // Not all at the same moment.
    let next = now() + Math.random() * apart;
    for (;;) {
      await pause(Math.max(0, next - now()));
      if (this.#isStopped) return;
      next = now() + apart * (0.5 + Math.random());
      await this.#insist(this.ledger.begin(this.name));
    }
  }

  /** Says one thing until it is acknowledged. */
  async #insist(post) {
    for (;;) {
      post.tries += 1;
      try {
        this.ledger.acknowledge(post, await this.say(post.text, post.key));
        return;
      } catch (error) {
        if (!(error instanceof Unknown)) {
          this.ledger.fault(`${this.name}, "${post.text}": ${error.message}`);
          return;
        }
      }
      await pause(AGAIN);
    }
  }

  /** Ends once what was said last is acknowledged. */
  async stop() {
    this.#isStopped = true;
    await this.done;
    this.client?.close();
  }
}

/** By the messenger's routes. */
export function byRoutes(name, ledger, { url, chat }, headers) {
  return new Sender(name, ledger, async (content, key) => {
    const all = { prefer: 'return=representation', 'idempotency-key': key, ...headers };
    return (await request(ledger, 'POST', `${url}/api/chats/${chat}`, { content }, all)).message.id;
  });
}

/** By events in requests; `query` has what says who one is. */
export function byEvents(name, ledger, api, place, person, query) {
  const emit = async (event, argument) => {
    const address = `${place.url}/api/events/${event}?${new URLSearchParams({ dialect: api, ...query })}`;
    const { data } = await request(ledger, 'POST', address, argument);
    if (isBusy(data)) throw new Unknown(JSON.stringify(data));
    return data;
  };
  const { say } = EVENTS[api](emit, place, person);
  return new Sender(name, ledger, say);
}

/** By Socket.IO. */
export function bySocket(name, ledger, api, place, person, how, { credentials, begin }) {
  // A connection may be lost, and recovered, before it has begun.
  let hasBegun = false;
  const client = new Client(name, place.url, how, credentials, ledger, async (isRecovered) => {
    hasBegun &&= isRecovered;
    if (!hasBegun) await begin(client);
    hasBegun = true;
  });
  const emit = (event, argument) => client.ask(event, argument);
  const { say } = EVENTS[api](emit, place, person);
  const sender = new Sender(name, ledger, (text, key) => {
    if (!client.isReady) throw new Unknown('not ready');
    return say(text, key);
  });
  return Object.assign(sender, { client });
}
