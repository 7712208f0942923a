// The clients under test: each of two majors over each of three transports.

import { io as io4 } from "socket.io-client";
import io2 from "socket.io-client-2";

export const LAB = process.env.LAB_URL;
export const RECOVERY = process.env.RECOVERY_URL;

/** How long anything that must happen may take. */
export const PATIENCE = 60_000;

const TRANSPORTS = {
  websocket: ["websocket"],
  polling: ["polling"],
  upgrade: ["polling", "websocket"],
};

const MAJORS = { 4: io4, 2: io2 };

/** A client of one major over one transport, as a factory of sockets. */
class Client {
  constructor(major, transport) {
    this.major = Number(major);
    this.transport = transport;
    this.name = `socket.io-client ${major} over ${transport}`;
    this.open = [];
  }

  /** A socket that has begun to connect. `options` are the client's own. */
  start(namespace = "/", options = {}, url = LAB) {
    const socket = MAJORS[this.major](url + namespace, {
      transports: TRANSPORTS[this.transport],
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 100,
      ...options,
    });
    this.open.push(socket);
    return socket;
  }

  /** A socket that has connected, over its last transport. */
  async connect(namespace = "/", options = {}, url = LAB) {
    const socket = this.start(namespace, options, url);
    await connected(socket);
    await this.settled(socket);
    return socket;
  }

  /** Waits until the socket's transport is the last it will have. */
  async settled(socket) {
    const engine = socket.io.engine;
    if (this.transport === "upgrade" && engine.transport.name === "polling") {
      await next(engine, "upgrade");
    }
  }

  /** What the server says to a socket that it does not let in. */
  async refusal(namespace, options = {}) {
    const socket = this.start(namespace, { reconnection: false, ...options });
    const [error] = await next(socket, this.major === 4 ? "connect_error" : "error");
    return error;
  }

  closeAll() {
    for (const socket of this.open.splice(0)) socket.disconnect();
  }
}

/** Every client under test. */
export const clients = Object.keys(MAJORS).flatMap((major) =>
  Object.keys(TRANSPORTS).map((transport) => new Client(major, transport)),
);

/** The arguments of the next `event`; fails when it does not come. */
export function next(emitter, event) {
  return within(
    new Promise((resolve) => emitter.once(event, (...args) => resolve(args))),
    `no "${event}" came`,
  );
}

/** The first `count` events of that name. */
export function several(emitter, event, count) {
  const seen = [];
  const all = new Promise((resolve) => {
    const listener = (...args) => {
      if (seen.push(args) === count) {
        emitter.off(event, listener);
        resolve(seen);
      }
    };
    emitter.on(event, listener);
  });
  return within(all, () => `${seen.length} of ${count} "${event}" came`);
}

/** What the server acknowledges the event with. */
export function ask(socket, event, ...args) {
  return within(
    new Promise((resolve) => socket.emit(event, ...args, (...answer) => resolve(answer))),
    `"${event}" was not acknowledged`,
  );
}

export async function connected(socket) {
  if (!socket.connected) await next(socket, "connect");
}

/** The value of the promise, unless it takes too long. */
export async function within(promise, complaint) {
  let timer;
  const late = new Promise((_, reject) => {
    const fail = () => reject(new Error(typeof complaint === "string" ? complaint : complaint()));
    timer = setTimeout(fail, PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The same value with its binary parts, whatever their type, as Buffers. */
export function plain(value) {
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

