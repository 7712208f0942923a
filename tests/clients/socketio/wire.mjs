// Engine.IO by hand: requests and frames without any client library.

import WebSocket from "ws";
import { within } from "./clients.mjs";

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One server at one path, spoken to in one revision of Engine.IO. */
export class Wire {
  constructor(base, path, revision) {
    this.http = base + path;
    this.ws = this.http.replace("http", "ws");
    this.revision = revision;
  }

  url(base, query) {
    return `${base}?${new URLSearchParams({ EIO: this.revision, ...query })}`;
  }

  get(query = {}, init = {}) {
    return fetch(this.url(this.http, { transport: "polling", ...query }), init);
  }

  post(query, body) {
    return this.get(query, { method: "POST", body });
  }

  /** The open packet's content, and the id to go on with. */
  async open(query = {}) {
    const response = await this.get(query);
    const text = await response.text();
    const packet = this.revision === 3 ? text.slice(text.indexOf(":") + 1) : text;
    return { status: response.status, text, packet, ...JSON.parse(packet.slice(1)) };
  }

  socket(query = {}) {
    return new Socket(this.url(this.ws, { transport: "websocket", ...query }));
  }
}

/** A WebSocket whose messages wait until they are asked for. */
export class Socket {
  #messages = [];
  #waiting = [];

  constructor(url) {
    this.ws = new WebSocket(url);
    this.ws.on("message", (data, binary) => {
      const message = binary ? Buffer.from(data) : data.toString();
      const taker = this.#waiting.shift();
      if (taker) taker(message);
      else this.#messages.push(message);
    });
    this.opened = new Promise((resolve, reject) => {
      this.ws.on("open", resolve);
      this.ws.on("error", reject);
    });
    this.opened.catch(() => {});
    this.closing = new Promise((resolve) => this.ws.on("close", resolve));
    this.refusal = new Promise((resolve) =>
      this.ws.on("unexpected-response", (request, response) => {
        resolve(response.statusCode);
        request.destroy();
      }),
    );
  }

  send(...messages) {
    for (const message of messages) this.ws.send(message);
    return this;
  }

  /** The next message, whatever it is. */
  read() {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift());
    const message = new Promise((resolve) => this.#waiting.push(resolve));
    return within(message, "no message came");
  }

  /** The next message that is no ping. */
  async packet() {
    for (;;) {
      const message = await this.read();
      if (message !== "2") return message;
    }
  }

  /** The status with which the server refused the WebSocket. */
  refused() {
    return within(this.refusal, "the WebSocket was not refused");
  }

  closed() {
    return within(this.closing, "the WebSocket stayed open");
  }

  close() {
    this.ws.close();
  }
}
