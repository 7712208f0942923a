// Those who listen: each keeps a mirror of the chat as its client would, with recoveries, cursors and histories.
//
// Who resumes (a cursor, a recovered connection) must be told everything exactly once. Who connects anew is not told what was
// said meanwhile: it reads the history, after it has begun to listen, and passes over what it has.

import { EventSource, STREAMED } from '../together/receivers.mjs';
import { APIS, number } from '../together/words.mjs';
import { Client } from './client.mjs';
import { pause } from './ground.mjs';

/** How long a poll is held, and after how long its client gives it up. */
const HELD = 5;
const GIVEN_UP = 9_000;
const AGAIN = 200;
/** What a balancer or a server says that cannot answer just now. */
export const FOR_A_WHILE = [502, 503, 504];

/** What a client was told of the chat, in that order. */
export class Mirror {
  /** Two lists side by side: of a large crowd there are millions of entries. */
  #ids = [];
  #texts = [];
  /** Whether something was told that is not after all before it. */
  #isMixed = false;
  /** What a history has told up to here may be told once more by the connection that it was read on, and by its recoveries. */
  #read = 0;
  /** The highest id that this connection has told. */
  #heard = 0;
  /** The highest id. */
  last = 0;
  #spoil;

  constructor(name, api, chat, ledger, journal) {
    Object.assign(this, { name, api, chat, ledger, journal });
  }

  get count() {
    return this.#ids.length;
  }

  messages() {
    return this.#ids.map((id, at) => ({ id, text: this.#texts[at] }));
  }

  /** The text of a message that was told. */
  #known(id) {
    if (this.#isMixed) return this.#texts[this.#ids.indexOf(id)];
    let [from, to] = [0, this.#ids.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#ids[middle] < id) from = middle + 1;
      else to = middle;
    }
    return this.#ids[from] === id ? this.#texts[from] : undefined;
  }

  /** The message in an event, if it is one of this chat. */
  message(event, body) {
    // A new set each time: what is told twice is a message twice, and no edit.
    const { chat = this.chat, word } = APIS[this.api].translate(event, body, new Set());
    if (word?.[0] !== 'message' || chat !== this.chat) return undefined;
    return { id: word[1], text: word[2] };
  }

  /** Spoils what is told next, for a run that must fail: that is left out, doubled, told after the next, told otherwise. */
  spoil(how) {
    const next = {
      drop: () => {},
      double: (message) => [message, message].forEach((one) => this.#told(one)),
      swap: (message) => (this.#spoil = (other) => [other, message].forEach((one) => this.#told(one))),
      alter: ({ id, text }) => this.#told({ id, text: `${text}!` }),
    }[how];
    this.#spoil = next;
  }

  /** A message was told. */
  told(message) {
    const spoil = this.#spoil;
    this.#spoil = undefined;
    if (spoil) spoil(message);
    else this.#told(message);
  }

  #told({ id, text }) {
    if (id <= this.#heard) {
      this.#wrong(`was told ${id} ${this.#known(id) === undefined ? 'out of order' : 'again'}, after ${this.#heard}`);
    } else {
      this.#heard = id;
      if (id <= this.#read) {
        if (this.#known(id) === text) return;
        this.#wrong(`was told ${id} late, which its history lacked`);
      }
    }
    this.#add(id, text);
  }

  /** The history from the last known message on was read, oldest first. */
  read(history) {
    for (const { id, text } of history) {
      if (id > this.last) this.#add(id, text);
      else if (this.#known(id) !== text) this.#wrong(`lacks ${id}, which the history has, before ${this.last}`);
    }
    this.#read = this.last;
  }

  /** A connection has begun that goes on where no other was. */
  begun() {
    this.#heard = 0;
  }

  #add(id, text) {
    if (id <= this.last) this.#isMixed = true;
    this.last = Math.max(this.last, id);
    this.#ids.push(id);
    this.#texts.push(this.ledger.kept(id, text));
  }

  #wrong(what) {
    this.journal.note(what);
    this.ledger.fault(`${this.name} ${what}`);
  }
}

/** How one listens: `close()`, `mirror`, `journal`. */
export class SocketListener {
  #buffer = [];
  /** Whether something may have been said that neither this connection tells nor a history has. */
  #lacks = true;

  constructor(name, url, how, { api, chat, credentials, begin, history }, ledger) {
    this.client = new Client(name, url, how, credentials, ledger, (isRecovered, isOn) => this.#ready(isRecovered, isOn));
    this.journal = this.client.journal;
    this.mirror = new Mirror(name, api, chat, ledger, this.journal);
    Object.assign(this, { name, begin, history });
    for (const event of APIS[api].events) this.client.socket.on(event, (body) => this.#told(event, body));
    this.client.socket.on('disconnect', () => this.#lost());
  }

  #lost() {
    if (!this.client.how.recovers) this.#lacks = true;
  }

  #told(event, body) {
    const message = this.mirror.message(event, body);
    if (!message) return;
    this.journal.note(`told ${message.id}`);
    if (this.#lacks) this.#buffer.push(message);
    else this.mirror.told(message);
  }

  async #ready(isRecovered, isOn) {
    const { ledger } = this.client;
    if (isRecovered) ledger.recovered += 1;
    else {
      ledger.anew += 1;
      this.#buffer = [];
      this.#lacks = true;
      this.mirror.begun();
    }
    if (!this.#lacks) return;
    await this.begin(this.client);
    const history = await this.history(this.client, this.mirror);
    if (!isOn()) return;
    this.journal.note(`read ${history.length} messages, up to ${history.at(-1)?.id}`);
    this.mirror.read(history);
    this.#lacks = false;
    for (const message of this.#buffer.splice(0)) this.mirror.told(message);
  }

  close() {
    this.client.close();
  }
}

/** One request after the other, each with the cursor of the one before. */
export class PollListener {
  #over = new AbortController();

  constructor(name, url, { api, chat, headers }, ledger) {
    this.journal = ledger.journal(name);
    this.mirror = new Mirror(name, api, chat, ledger, this.journal);
    Object.assign(this, { name, url, headers, ledger });
  }

  /** Its first request tells where the log stands, and waits for nothing. */
  static async begin(...how) {
    const listener = new PollListener(...how);
    // A chat's own poll begins at its last message.
    const isOfChat = !new URL(listener.url).pathname.startsWith('/api/events');
    const { cursor } = await listener.ask(isOfChat ? undefined : 'now', isOfChat ? undefined : 0);
    listener.cursor = cursor;
    listener.done = listener.#listen();
    return listener;
  }

  async ask(after, timeout = HELD) {
    const address = new URL(this.url);
    if (after) address.searchParams.set('after', after);
    if (after) address.searchParams.set('timeout', String(timeout));
    const signal = AbortSignal.any([this.#over.signal, AbortSignal.timeout(GIVEN_UP)]);
    const response = await fetch(address, { headers: this.headers, signal });
    const text = await response.text();
    if (response.ok) return JSON.parse(text);
    this.journal.note(`${response.status} ${text.slice(0, 120)}`);
    if (!FOR_A_WHILE.includes(response.status)) this.ledger.fault(`${this.name}: ${response.status} ${text}`);
    return undefined;
  }

  async #listen() {
    while (!this.#over.signal.aborted) {
      const body = await this.ask(this.cursor).catch((error) => void this.journal.note(`no answer: ${error.cause?.code ?? error.message}`));
      if (!body) {
        await pause(AGAIN);
        continue;
      }
      const messages = (body.events ?? body.messages).map((event) => this.mirror.message(event.event, event.data ?? event));
      for (const message of messages.filter(Boolean)) {
        this.journal.note(`told ${message.id}`);
        this.mirror.told(message);
      }
      this.cursor = body.cursor;
      if (body.retry_ms > 0) await pause(body.retry_ms);
    }
  }

  async close() {
    this.#over.abort();
    await this.done;
  }
}

/** A stream, by EventSource, which comes back by itself unless it was refused. */
export class StreamListener {
  #isClosed = false;

  constructor(name, url, { api, chat, headers }, ledger) {
    this.journal = ledger.journal(name);
    this.mirror = new Mirror(name, api, chat, ledger, this.journal);
    Object.assign(this, { name, url, headers, ledger, api });
  }

  static async begin(name, url, how, ledger) {
    const { cursor } = await new PollListener(name, url, how, ledger).ask('now', 0);
    const listener = new StreamListener(name, url, how, ledger);
    listener.cursor = cursor;
    listener.#open();
    return listener;
  }

  #open() {
    const address = new URL(this.url);
    address.searchParams.set('after', this.cursor);
    const headers = (init) => ({ ...init, headers: { ...init.headers, ...this.headers } });
    const source = new EventSource(address, { fetch: (url, init) => fetch(url, headers(init)) });
    this.source = source;
    source.addEventListener('open', () => this.journal.note('opened'));
    source.addEventListener('error', ({ message, code }) => this.#failed(source, message, code));
    for (const event of STREAMED[this.api] ?? APIS[this.api].events) {
      source.addEventListener(event, ({ data, lastEventId }) => {
        if (lastEventId) this.cursor = lastEventId;
        const message = this.mirror.message(event, JSON.parse(data));
        if (!message) return;
        this.journal.note(`told ${message.id}`);
        this.mirror.told(message);
      });
    }
    source.addEventListener('gone', () => this.ledger.fault(`${this.name}: the stream says that continuity has ended`));
  }

  #failed(source, message, code) {
    this.journal.note(`broke: ${code ?? ''} ${message ?? ''}`);
    if (this.#isClosed || source.readyState !== source.CLOSED) return;
    if (!FOR_A_WHILE.includes(code)) this.ledger.fault(`${this.name}: ${code} ${message}`);
    setTimeout(() => this.#isClosed || this.#open(), AGAIN);
  }

  close() {
    this.#isClosed = true;
    this.source.close();
  }
}

/** Reads what follows the last known message, oldest first, as each API has it. */
export const HISTORIES = {
  async support(client, mirror, { chatId }) {
    const found = [];
    for (;;) {
      const skip = mirror.count + found.length;
      const { data, has_more: more } = await client.ask('getChatMessages', { chatId, limit: 500, skip });
      found.push(...data.map(({ _id, message }) => ({ id: number(_id), text: message })));
      if (!more) return found;
    }
  },
  embed: (client, mirror, place) =>
    backwards(mirror, async (before) => {
      const query = { limit: 100, ...(before ? { before: String(before) } : {}) };
      const { messages } = await client.ask('list-messages', { chat: place.chat, user: place.user, query });
      return messages.map(({ id, msg }) => ({ id: Number(id), text: msg })).reverse();
    }),
  service: (client, mirror) =>
    backwards(mirror, async (before) => {
      const list = await client.ask('load_more', { limit: 100, ...(before ? { before } : {}) });
      return list.map(({ id, message }) => ({ id, text: Buffer.from(message, 'base64').toString('utf8') }));
    }),
};

/** Pages back, newest first, to what is known. */
async function backwards(mirror, page) {
  const found = [];
  for (;;) {
    const list = await page(found.at(-1)?.id);
    found.push(...list);
    if (list.length === 0 || found.at(-1).id <= mirror.last) break;
  }
  return found.reverse().filter(({ id }) => id > mirror.last);
}
