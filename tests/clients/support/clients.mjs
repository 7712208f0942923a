// The clients under test, each of two majors over each of three transports, and a server to talk to.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { io as io4 } from "socket.io-client";
import io2 from "socket.io-client-2";

/** How long anything that must happen may take. */
const PATIENCE = 60_000;

/** How many servers are behind the address of one, each of which gets some of the requests. */
export const SERVERS = Number(process.env.SERVERS ?? 1);

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

  /** A socket that has connected, over its last transport. */
  async connect(url, options = {}) {
    const socket = MAJORS[this.major](url + "/", {
      transports: TRANSPORTS[this.transport],
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 100,
      ...options,
    });
    this.open.push(socket);
    await next(socket, "connect");
    const engine = socket.io.engine;
    if (this.transport === "upgrade" && engine.transport.name === "polling") {
      await next(engine, "upgrade");
    }
    return new Teller(socket);
  }

  closeAll() {
    for (const socket of this.open.splice(0)) socket.disconnect();
  }
}

/** Every client under test. */
export const clients = Object.keys(MAJORS).flatMap((major) =>
  Object.keys(TRANSPORTS).map((transport) => new Client(major, transport)),
);

/** A socket and everything it was told, in order. */
class Teller {
  constructor(socket) {
    this.socket = socket;
    this.told = [];
    this.waiting = [];
    for (const name of [
      "getNewChat", "newMessage", "getChatMessages", "getActiveChats", "getWaitingChats",
      "closeChat", "waitingChat", "typing", "seen",
    ]) {
      socket.on(name, (...args) => this.hear([name, ...args]));
    }
  }

  hear(event) {
    this.told.push(event);
    for (const look of [...this.waiting]) look();
  }

  /** Asks without an acknowledgement, and takes the event that answers. */
  async ask(name, argument) {
    this.socket.emit(name, argument);
    return this.reply(name);
  }

  /** Asks with an acknowledgement: the event that answers says the same. */
  async askBoth(name, argument) {
    const acknowledged = new Promise((resolve) => this.socket.emit(name, argument, resolve));
    const reply = await this.reply(name);
    const body = await within(acknowledged, `no acknowledgement of ${name}`);
    return [reply, body];
  }

  /** The next answer to an event of ours: pushes carry no status. */
  reply(name) {
    return this.take(([event, body]) => event === name && "statusCode" in body, `reply to ${name}`);
  }

  /** The next event of this name that answers nothing of ours. */
  push(name) {
    return this.take(([event, body]) => event === name && !("statusCode" in body), `push ${name}`);
  }

  take(wanted, what) {
    return within(
      new Promise((resolve) => {
        const look = () => {
          const place = this.told.findIndex(wanted);
          if (place < 0) return;
          this.waiting = this.waiting.filter((other) => other !== look);
          resolve(this.told.splice(place, 1)[0][1]);
        };
        this.waiting.push(look);
        look();
      }),
      `no ${what} came`,
    );
  }
}

/** A server of its own, on a database of its own, with both ports. */
export class Server {
  constructor(settings = {}) {
    this.settings = settings;
    this.folder = mkdtempSync(join(tmpdir(), "parlance-support-"));
  }

  async start() {
    this.ports ??= [await freePort(), await freePort()];
    const [port, second] = this.ports;
    const url = `sqlite://${join(this.folder, "chat.db")}`;
    this.process = spawn(process.env.PARLANCE, [], {
      cwd: this.folder,
      stdio: ["ignore", "ignore", "inherit"],
      env: {
        ...process.env,
        ROCKET_PORT: String(port),
        ROCKET_SOCKET_PORT: String(second),
        ROCKET_BCRYPT_COST: "4",
        ROCKET_RATE_LIMITS: "false",
        ROCKET_LOG_FILTER: "error",
        ROCKET_DATABASES: `{chat={url="${url}"}}`,
        ...this.settings,
      },
    });
    this.ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.urls = this.ports.map((number) => `http://127.0.0.1:${number}`);
    this.url = this.urls[0];
    const deadline = Date.now() + PATIENCE;
    for (const address of this.urls) {
      while (!(await fetch(`${address}/health`).then((it) => it.ok, () => false))) {
        if (Date.now() > deadline) throw new Error("the server does not start");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    return this;
  }

  /** Ends the process at once, as a power cut would. */
  async kill() {
    this.process.kill("SIGKILL");
    await this.ended;
  }

  /** Stops as an operator would, and starts again on the same ports and data. */
  async restart(meanwhile = async () => {}) {
    this.process.kill("SIGTERM");
    await this.ended;
    await meanwhile();
    return this.start();
  }

  async stop() {
    this.process.kill("SIGTERM");
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Posts JSON and returns the answer with its status. */
  async post(path, body, headers = {}) {
    const answer = await fetch(this.url + path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    return { status: answer.status, headers: answer.headers, body: await answer.json() };
  }

  /** A registered owner who has signed in: `ownerId`, `token`, `level`, `appId`. */
  async owner(domain, email = `owner@${domain}.example`) {
    const account = { email, password: "correct horse" };
    const registered = await this.post("/owner/register", { ...account, domain });
    if (registered.status !== 200) throw new Error(JSON.stringify(registered.body));
    return (await this.post("/owner/login", account)).body.data;
  }
}

/**
 * A port below those that systems give to connections: it stays free while a server is restarted, and a client that asks in
 * vain meanwhile does not get it as its own.
 */
function freePort() {
  return new Promise((resolve) => {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const listener = createServer().listen(port, "127.0.0.1", () => listener.close(() => resolve(port)));
    listener.once("error", () => resolve(freePort()));
  });
}

/** The arguments of the next `event`; fails when it does not come. */
export function next(emitter, event) {
  return within(
    new Promise((resolve) => emitter.once(event, (...args) => resolve(args))),
    `no "${event}" came`,
  );
}

export function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(what)), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
