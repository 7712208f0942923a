// All clients: divided among chats, and these among threads, for one is soon busy with reading what its clients are told.

import { Worker } from 'node:worker_threads';

import { ACKNOWLEDGED, BEGAN } from './ledger.mjs';
import { divide } from './place.mjs';

class Thread {
  #orders = new Map();
  #next = 0;

  constructor(data) {
    this.counts = new Int32Array(data.shared);
    this.worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData: data, argv: [] });
    this.worker.on('message', ({ number, result, error }) => {
      const { resolve, reject } = this.#orders.get(number);
      this.#orders.delete(number);
      if (error) reject(new Error(error));
      else resolve(result);
    });
    this.worker.on('error', (error) => {
      console.log(`A thread of clients has ended: ${error.stack}`);
      this.error = error;
      for (const { reject } of this.#orders.values()) reject(error);
    });
  }

  order(what, argument) {
    if (this.error) return Promise.reject(this.error);
    return new Promise((resolve, reject) => {
      const number = this.#next++;
      this.#orders.set(number, { resolve, reject });
      this.worker.postMessage({ number, what, argument });
    });
  }
}

export class Crowd {
  /** The clients that `options` asks for; what they went through is written to files in the folder. */
  constructor(url, folder, options) {
    const chats = divide(options.clients, options.chats).map((clients, chat) => ({ chat, clients }));
    this.rate = options.rate;
    this.threads = Array.from({ length: options.threads }, (_, number) => {
      const own = chats.filter(({ chat }) => chat % options.threads === number);
      return new Thread({ url, folder, number, chats: own, bounds: options.bounds, began: BEGAN, shared: new SharedArrayBuffer(8) });
    });
  }

  async #all(what, argument) {
    return (await Promise.all(this.threads.map((thread) => thread.order(what, argument)))).flat();
  }

  /** Everybody is there, and listens. */
  async open() {
    const sites = await this.#all('open');
    this.writing = sites.reduce((sum, { writing }) => sum + writing, 0);
    this.listening = sites.reduce((sum, { listening }) => sum + listening, 0);
  }

  /** Those who write begin: together with so many messages a second, or each with about one. */
  async begin() {
    await this.#all('begin', this.rate ? (1_000 * this.writing) / this.rate : 900);
  }

  spoil(how) {
    return this.threads[0].order('spoil', how);
  }

  /** How many messages were acknowledged. */
  accepted() {
    return this.threads.reduce((sum, { counts }) => sum + Atomics.load(counts, ACKNOWLEDGED), 0);
  }

  stop() {
    return this.#all('stop');
  }

  /** What is found in each chat. */
  verify(nodes) {
    return this.#all('verify', nodes.map(({ name, url }) => ({ name, url })));
  }

  close() {
    return Promise.all(this.threads.map(({ worker }) => worker.terminate()));
  }
}
