// What was typed and is not yet known to be kept by the server: sent in order, and however often it is tried, once.
import { Refusal, Unreachable, cookiePerson, hedged, post } from './api.js';
import { alone, read, stored, write } from './kept.js';
import { backoff, createPause } from './patience.js';
import { inWords } from './refusals.js';

const PATIENCE = 10_000;

/** Fits the server's 1-64 visible characters, and no two are alike. */
function newClientId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export class Outbox {
  /** `changed()` after any change; `sent(chat, message)` when the server has a message; `ended()` when the login is over; `unanswered()` when nobody answers. */
  constructor({ person, changed, sent, ended, unanswered }) {
    Object.assign(this, { person, changed, sent, ended, unanswered });
    this.key = `parlance.outbox.${person}`;
    this.pause = createPause();
    this.failures = 0;
    this.inDoubt = false;
    this.stopped = false;
    this.running = false;
    this.entries = read(this.key, []);
    this.onStorage = (event) => {
      if (event.key !== stored(this.key) && event.key !== null) return;
      this.entries = read(this.key, []);
      this.changed();
      this.run();
    };
    window.addEventListener('storage', this.onStorage);
  }

  start() {
    this.run();
  }

  stop() {
    this.stopped = true;
    window.removeEventListener('storage', this.onStorage);
    this.breaker?.abort();
    this.pause.nudge();
  }

  nudge() {
    this.failures = Math.min(this.failures, 1);
    this.pause.nudge();
    this.run();
  }

  /** The connection may be dead: what was just sent on it goes out again, on another one. */
  restart() {
    this.failures = 0;
    this.inDoubt = true;
    this.breaker?.abort();
    this.nudge();
  }

  of(chat) {
    return this.entries.filter((entry) => entry.chat === chat);
  }

  get waiting() {
    return this.entries.filter((entry) => !entry.refused).length;
  }

  /** Keeps a message before anything is tried, so that closing the page cannot lose it. */
  add(chat, content) {
    const entry = { client_id: newClientId(), chat, content, written: new Date().toISOString() };
    this.edit((entries) => [...entries, entry]);
    this.run();
    return entry;
  }

  /** Tries a refused message again, as the newest one. */
  again(clientId) {
    this.edit((entries) => {
      const entry = entries.find((each) => each.client_id === clientId);
      if (!entry) return entries;
      return [...entries.filter((each) => each !== entry), { ...entry, refused: undefined }];
    });
    this.run();
  }

  remove(clientId) {
    if (!this.entries.some((entry) => entry.client_id === clientId)) return;
    this.edit((entries) => entries.filter((entry) => entry.client_id !== clientId));
  }

  /** Other tabs write the same list: always change what is kept, not what we remember of it. */
  edit(change) {
    this.entries = change(read(this.key, []));
    write(this.key, this.entries.length ? this.entries : undefined);
    this.changed();
  }

  async run() {
    if (this.running || this.stopped) return;
    this.running = true;
    try {
      await alone(this.key, () => this.drain());
    } finally {
      this.running = false;
    }
    if (!this.stopped && this.waiting > 0) this.run();
  }

  async drain() {
    this.entries = read(this.key, this.entries);
    for (;;) {
      const entry = this.entries.find((each) => !each.refused);
      if (!entry || this.stopped) return;
      // Somebody else signed in from this browser: these words are not theirs.
      if (cookiePerson() !== String(this.person)) {
        this.stop();
        this.ended();
        return;
      }
      await this.attempt(entry);
    }
  }

  async attempt(entry) {
    this.breaker = new AbortController();
    try {
      const form = { content: entry.content, client_id: entry.client_id };
      const request = (signal) =>
        post(`/api/chats/${entry.chat}`, form, { headers: { Prefer: 'return=representation' }, signal, patience: PATIENCE });
      const { body, headers } = await (this.inDoubt ? hedged(request, this.breaker.signal) : request(this.breaker.signal));
      this.failures = 0;
      this.inDoubt = false;
      const message = body.message ?? {
        id: Number(headers.get('X-Message-Id')),
        time: headers.get('X-Message-Time'),
        content: entry.content,
        sender_id: this.person,
        client_id: entry.client_id,
      };
      if (message.id) this.sent(entry.chat, message);
      this.remove(entry.client_id);
    } catch (error) {
      if (this.stopped || this.breaker.signal.aborted) return;
      if (error instanceof Unreachable) this.unanswered();
      if (error instanceof Refusal && error.status === 401) {
        this.stop();
        this.ended();
      } else if (error instanceof Refusal && !error.passing) {
        this.failures = 0;
        this.edit((entries) =>
          entries.map((each) =>
            each.client_id === entry.client_id ? { ...each, refused: inWords(error) } : each,
          ),
        );
      } else {
        if (!(error instanceof Refusal || error instanceof Unreachable)) console.error(error);
        this.inDoubt = error instanceof Unreachable && this.failures === 0;
        const wait = backoff(this.failures, error.retryAfter);
        this.failures += 1;
        this.changed();
        await this.pause.wait(wait);
      }
    }
  }
}
