// A Socket.IO client that comes back by itself, as those of applications do, and notes what it goes through.

import { CLIENTS } from '../together/receivers.mjs';
import { Unknown } from './ledger.mjs';

/** How long an acknowledgement may take before its outcome counts as unknown. */
const ANSWER = 4_000;
/** When to connect again where the client does not by itself. */
const AGAIN = 300;

/** What a server says that has no access to the database just now. */
const BUSY = /please try again|busy|starting|shutting down|unavailable/i;

/** Whether an answer asks to come again. */
export const isBusy = (body) => body?.code === 'busy' || body?.statusCode === 503 || BUSY.test(JSON.stringify(body ?? ''));

export const TRANSPORTS = { polling: ['polling'], websocket: ['websocket'], upgraded: ['polling', 'websocket'] };

/** The types of packets that count here; they are the same in both versions of the protocol. */
const CONNECT = 0;
const DISCONNECT = 1;
const EVENTS = [2, 5];

/**
 * Watches in which order a connection tells. `early` is called with each event that comes before the answer to CONNECT: socket.io-client
 * keeps it without its offset, and so its application is told it twice where the connection breaks in between. `late` is called with one
 * that was on its way when the connection was closed.
 */
export function watchOrder(manager, early, late) {
  let hasBegun = false;
  let isOpen = false;
  manager.on('open', () => {
    isOpen = true;
    hasBegun = false;
  });
  manager.on('close', () => (isOpen = false));
  manager.on('packet', ({ type, data }) => {
    if (type === CONNECT) hasBegun = true;
    else if (type === DISCONNECT) hasBegun = false;
    else if (EVENTS.includes(type) && !isOpen) late(data[0]);
    else if (EVENTS.includes(type) && !hasBegun) early(data[0]);
  });
}

export class Client {
  isReady = false;
  #isClosed = false;
  #turn = 0;

  /**
   * `how` is protocol, transport and whether it recovers; `ready(isRecovered)` is called at each connection, and once more
   * where it failed.
   */
  constructor(name, url, how, credentials, ledger, ready) {
    Object.assign(this, { name, how, ledger, ready, journal: ledger.journal(name) });
    const { protocol, transport, recovers } = how;
    const shown = { ...credentials, ...(recovers ? { recovery: '1' } : {}) };
    this.socket = CLIENTS[protocol](`${url}/`, {
      transports: TRANSPORTS[transport],
      forceNew: true,
      reconnectionDelay: 100,
      reconnectionDelayMax: 500,
      timeout: ANSWER,
      ...(protocol === 3 ? { query: shown } : { auth: shown, query: recovers ? { recovery: '1' } : {} }),
    });
    this.#listen();
  }

  #listen() {
    const { socket, journal } = this;
    watchOrder(
      socket.io,
      (event) => this.#early(event),
      (event) => journal.note(`${event} came when the connection was closed`),
    );
    socket.on('connect', () => {
      const { engine } = socket.io;
      journal.note(`connected, session ${engine.id}${socket.recovered ? ', recovered' : ''}`);
      engine.on('upgrade', () => journal.note('upgraded'));
      void this.#begin(Boolean(socket.recovered));
    });
    socket.on('disconnect', (reason) => {
      journal.note(`disconnected: ${reason}`);
      this.#turn += 1;
      this.isReady = false;
      if (reason === 'io server disconnect' && !this.#isClosed) {
        this.ledger.fault(`${this.name} was sent away by the server`);
        this.#again();
      }
    });
    // Of a 2.x client this is a refusal, of a 4.x one that or a failure to connect, after which it tries again by itself.
    socket.on(this.how.protocol === 3 ? 'error' : 'connect_error', (error) => this.#refused(error));
    if (this.how.protocol === 3) socket.on('connect_error', (error) => journal.note(`no connection: ${error?.description?.message ?? error}`));
  }

  #early(event) {
    this.journal.note(`was told ${event} before CONNECT`);
    this.ledger.early += 1;
    this.ledger.fault(`${this.name} was told ${event} before the answer to CONNECT`);
  }

  #refused(error) {
    const words = String(error?.message ?? error?.data ?? error);
    this.journal.note(`refused: ${words}`);
    const isRefusal = this.how.protocol === 3 ? typeof error === 'string' || !(error instanceof Error) : !this.socket.active;
    if (!isRefusal || this.#isClosed) return;
    this.ledger.refused(`connect: ${words}`);
    if (!BUSY.test(words)) this.ledger.fault(`${this.name} was refused: ${words}`);
    this.#again();
  }

  #again() {
    setTimeout(() => {
      if (this.#isClosed) return;
      this.socket.disconnect();
      this.socket.io.engine?.close();
      this.socket.connect();
    }, AGAIN);
  }

  async #begin(isRecovered) {
    const turn = ++this.#turn;
    for (;;) {
      try {
        await this.ready(isRecovered, () => turn === this.#turn);
        if (turn === this.#turn) this.isReady = true;
        return;
      } catch (error) {
        if (turn !== this.#turn || this.#isClosed) return;
        if (!(error instanceof Unknown)) this.ledger.fault(`${this.name}: ${error.stack}`);
        this.journal.note(`not ready: ${error.message}`);
        await new Promise((resolve) => setTimeout(resolve, AGAIN));
        if (turn !== this.#turn) return;
      }
    }
  }

  /** Emits an event, and waits for its acknowledgement. */
  ask(event, argument) {
    const { socket } = this;
    if (!socket.connected) return Promise.reject(new Unknown('not connected'));
    return new Promise((resolve, reject) => {
      const gone = () => settle(() => reject(new Unknown(`${event}: disconnected`)));
      const timer = setTimeout(() => settle(() => reject(new Unknown(`${event}: no answer`))), ANSWER);
      const settle = (end) => {
        clearTimeout(timer);
        socket.off('disconnect', gone);
        end();
      };
      socket.on('disconnect', gone);
      socket.emit(event, argument, (body) => settle(() => this.#answered(event, body, resolve, reject)));
    });
  }

  #answered(event, body, resolve, reject) {
    if (body && body.status !== 'error') return resolve(body);
    const words = `${event}: ${JSON.stringify(body)}`;
    this.ledger.refused(words);
    return reject(isBusy(body) ? new Unknown(words) : new Error(words));
  }

  close() {
    this.#isClosed = true;
    this.socket.disconnect();
  }
}
