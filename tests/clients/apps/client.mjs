// Either socket.io-client behind one face, with every event kept until somebody asks for it.

import { io as io4 } from "socket.io-client";
import io2 from "socket.io-client-2";

export const url = process.env.SERVER_URL ?? "http://127.0.0.1:8000";

const FOREVER = 60_000;
/** How many servers are behind the address of one, each of which gets some of the requests. */
export const SERVERS = Number(process.env.SERVERS ?? 1);

/** The versions that the documents were written for, and the present one. */
export const versions = {
  "socket.io-client 4": (query, options) =>
    io4(url, { auth: query, forceNew: true, reconnection: false, ...options }),
  "socket.io-client 2": (query, options) =>
    io2(url, { query, forceNew: true, reconnection: false, ...options }),
};

export class Client {
  #socket;
  #kept = [];
  #waiting = [];

  constructor(socket) {
    this.#socket = socket;
    const take = (packet) => {
      const [name, ...args] = packet;
      const place = this.#waiting.findIndex((w) => w.name === name && w.wanted(...args));
      if (place >= 0) {
        this.#waiting.splice(place, 1)[0].resolve(args[0]);
      } else {
        this.#kept.push([name, args]);
      }
    };
    const onevent = socket.onevent;
    socket.onevent = function (packet) {
      take(packet.data ?? []);
      onevent.call(this, packet);
    };
  }

  static async connect(version, query = {}, options = {}) {
    const socket = versions[version](query, options);
    const client = new Client(socket);
    await new Promise((resolve, reject) => {
      socket.on("connect", resolve);
      socket.on("connect_error", reject);
      socket.on("error", (error) => reject(error instanceof Error ? error : new Error(error)));
    });
    return client;
  }

  get id() {
    return this.#socket.id;
  }

  emit(...args) {
    this.#socket.emit(...args);
  }

  /** Sends an event and returns what it is acknowledged with. */
  ask(name, ...args) {
    return within(
      new Promise((resolve) => this.#socket.emit(name, ...args, resolve)),
      `the acknowledgement of ${name}`,
    );
  }

  /** Sends an event and returns the event of the same name that comes back. */
  say(name, body) {
    this.#socket.emit(name, body);
    return this.hear(name);
  }

  /** The next event of that name, whether it came already or is to come. */
  hear(name, wanted = () => true) {
    const place = this.#kept.findIndex(([kept, args]) => kept === name && wanted(...args));
    if (place >= 0) {
      return Promise.resolve(this.#kept.splice(place, 1)[0][1][0]);
    }
    const told = new Promise((resolve, reject) => this.#waiting.push({ name, wanted, resolve, reject }));
    return within(told, name);
  }

  /** The names of what came and was not asked for. */
  unheard() {
    return this.#kept.map(([name]) => name);
  }

  gone() {
    return within(new Promise((resolve) => this.#socket.on("disconnect", resolve)), "the end");
  }

  /** Ends the connection, and every wait for what it would hear. */
  close() {
    this.#socket.close();
    for (const { name, reject } of this.#waiting.splice(0)) reject(new Error(`${name} did not come before the end`));
  }
}

function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come`)), FOREVER);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Asks over HTTP and reads JSON. */
export async function http(method, path, body, headers = {}) {
  const response = await fetch(url + path, {
    method,
    headers: { "content-type": "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}
