// Those who listen: each by an unmodified client of its kind, with everything that it was told, in order.

import { createServer } from 'node:http';

import { EventSource } from 'eventsource';
import { io as io4 } from 'socket.io-client';
import io2 from 'socket.io-client-2';
import { Webhook } from 'standardwebhooks';

import { APIS } from './words.mjs';

/** How long anything that must happen may take. */
const LATE = 120_000;

/** Fails when a promise takes too long. */
export function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${typeof what === 'function' ? what() : what} did not come`)), LATE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** What somebody is told of one chat. */
export class Receiver {
  /** What was told since it was last taken: changes in the order of the log, and who types. */
  #changes = [];
  #typing = [];
  #known = new Set();
  #waiting = new Set();

  constructor(name, api, chat) {
    Object.assign(this, { name, api, chat, words: APIS[api].words });
  }

  /** Something was told. */
  told(name, body) {
    const { chat = this.chat, word } = APIS[this.api].translate(name, body, this.#known);
    if (!word || chat !== this.chat) return;
    (word[0] === 'typing' ? this.#typing : this.#changes).push(word);
    for (const look of this.#waiting) look();
  }

  /** Returns once something is true that changes only by what is told. */
  #until(isTrue) {
    return new Promise((resolve) => {
      const look = () => {
        if (!isTrue()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Everything up to the message with that text, which comes last. */
  async upTo(text) {
    const there = this.#until(() => this.#changes.some(([word, , said]) => word === 'message' && said === text));
    await within(there, () => `${this.name} was told ${JSON.stringify(this.#changes.slice(-3))} last: "${text}"`);
    return this.#changes.splice(0);
  }

  /** Returns once somebody is known to type, or to have stopped. */
  typingKnown(person, on) {
    return this.#until(() => this.knowsTyping(person, on));
  }

  /** Whether the last that was told of a person's typing is this. */
  knowsTyping(person, on) {
    return this.#typing.findLast(([, who]) => who === person)?.[2] === on;
  }

  /** What was told of typing counts no more. */
  forgetTyping() {
    this.#typing = [];
  }
}

/** By a Socket.IO client of one protocol and one transport. */
export class SocketReceiver extends Receiver {
  constructor(name, api, chat, socket) {
    super(name, api, chat);
    this.socket = socket;
    for (const event of APIS[api].events) socket.on(event, (body) => this.told(event, body));
  }

  close() {
    this.socket.close();
  }
}

/** By one request after the other, each with the cursor of the one before. */
export class PollReceiver extends Receiver {
  #over = new AbortController();

  /** Its first request tells where the log stands, and waits for nothing. */
  static async begin(name, api, chat, url, headers) {
    const receiver = new PollReceiver(name, api, chat);
    const { cursor } = await receiver.#ask(url, headers, 'now', 0);
    receiver.done = receiver.#listen(url, headers, cursor);
    return receiver;
  }

  async #ask(url, headers, after, timeout) {
    const address = new URL(url);
    if (after !== 'now' || address.pathname === '/api/events') address.searchParams.set('after', after);
    address.searchParams.set('timeout', String(timeout));
    const response = await fetch(address, { headers, signal: this.#over.signal });
    const body = await response.json();
    if (!response.ok) throw new Error(`${this.name}: ${response.status} ${JSON.stringify(body)}`);
    return body;
  }

  async #listen(url, headers, cursor) {
    try {
      for (;;) {
        const { events, messages, cursor: next, superseded } = await this.#ask(url, headers, cursor, 20);
        if (superseded) throw new Error(`${this.name}: another wait took its place`);
        for (const event of events ?? messages) this.told(event.event, event.data ?? event);
        cursor = next;
      }
    } catch (error) {
      if (!this.#over.signal.aborted) throw error;
    }
  }

  async close() {
    this.#over.abort();
    await this.done;
  }
}

/** The names under which a stream tells what an API's readers are told. */
export const STREAMED = { messenger: ['message', 'edited', 'deleted', 'reaction', 'read', 'typing'] };

export { EventSource };

/** As a stream, by EventSource. */
export class StreamReceiver extends Receiver {
  static async begin(name, api, chat, url, headers) {
    const receiver = new StreamReceiver(name, api, chat);
    const source = new EventSource(url, { fetch: (address, init) => fetch(address, { ...init, headers: { ...init.headers, ...headers } }) });
    receiver.source = source;
    const opened = new Promise((resolve, reject) => {
      source.addEventListener('open', resolve);
      source.addEventListener('error', ({ message, code }) => reject(new Error(`${name}: ${code} ${message}`)));
    });
    for (const event of STREAMED[api] ?? APIS[api].events) {
      source.addEventListener(event, ({ data }) => receiver.told(event, JSON.parse(data)));
    }
    await within(opened, `${name}: the stream`);
    return receiver;
  }

  close() {
    this.source.close();
  }
}

/** By a webhook, whose signatures are verified by the library of Standard Webhooks. */
export class WebhookReceiver extends Receiver {
  /** `register(url)` makes the webhook and answers with its secret. */
  static async begin(name, api, chat, register) {
    const receiver = new WebhookReceiver(name, api, chat);
    receiver.words = receiver.words.filter((word) => word !== 'typing');
    receiver.server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      // A delivery that is repeated without a reason is told twice, and found.
      const { type, data } = receiver.secret.verify(body, request.headers);
      receiver.told(...named(api, type, data));
      response.writeHead(204).end();
    });
    await new Promise((resolve) => receiver.server.listen(0, '127.0.0.1', resolve));
    receiver.secret = new Webhook(await register(`http://127.0.0.1:${receiver.server.address().port}/`));
    return receiver;
  }

  async close() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** A webhook's type as the name that the API has for that event. */
function named(api, type, data) {
  const names = {
    support: { 'message.created': 'newMessage', 'chat.read': 'seen' },
    embed: { 'message.created': 'new-message', 'message.edited': 'edit-message', 'message.deleted': 'delete-message', 'chat.read': 'seen' },
    service: { 'message.created': 'message', 'message.edited': 'message', 'message.deleted': 'message', 'chat.read': 'seen_by' },
  };
  return [names[api]?.[type] ?? type, data];
}

/** The clients under test, by the version of the protocol of Engine.IO that they speak. */
export const CLIENTS = { 3: io2, 4: io4 };
export const SOCKETS = ['polling', 'websocket'].flatMap((transport) => [3, 4].map((protocol) => ({ protocol, transport })));

/** A socket that is connected by that protocol and transport, with `credentials` as its client sends them. */
export async function connect(url, { protocol, transport }, credentials) {
  const { headers, ...auth } = credentials;
  const shown = protocol === 3 ? { query: auth } : { auth };
  const options = { transports: [transport], forceNew: true, reconnection: false, extraHeaders: headers, ...shown };
  const socket = CLIENTS[protocol](`${url}/`, options);
  const connected = new Promise((resolve, reject) => {
    socket.on('connect', resolve);
    socket.on('connect_error', reject);
    socket.on('error', (error) => reject(new Error(String(error?.message ?? error))));
  });
  await within(connected, `a socket by ${transport} of protocol ${protocol}`);
  return socket;
}

/** Emits an event, and waits for its acknowledgement. */
export function ask(socket, event, argument) {
  return within(new Promise((resolve) => socket.emit(event, argument, resolve)), `the acknowledgement of ${event}`);
}
