// A reader that stops reading while 100,000 messages are sent to its chat: the server's memory stays
// flat, others are not slowed, and when it reads again it gets all of them in order.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { test } from "node:test";

import { Server, clients } from "./clients.mjs";

const COUNT = Number(process.env.MESSAGES ?? 100_000);
/** How many are sent before while both readers read: what those sent past a stalled one compare with. */
const COMPARED = Math.min(COUNT / 2, 20_000);
const ALL = COMPARED + COUNT;
const SENDERS = 64;
const WORDS = "x".repeat(200);
/** How much the server may grow, in KiB: less than the messages that were not read. */
const GROWTH = 32 * 1024;

const websocket = clients.find((it) => it.major === 4 && it.transport === "websocket");

/** The server's resident memory, in KiB. */
function memory(server) {
  const status = readFileSync(`/proc/${server.process.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)[1]);
}

/** Posts to a chat as the owner, over a connection that is kept. */
function post(server, agent, account, chat, content) {
  return new Promise((resolve, reject) => {
    const headers = {
      "Content-Type": "application/x-www-form-urlencoded",
      Cookie: `user_id=${account.ownerId}; token=${account.token}`,
    };
    const path = `/api/chats/${chat}`;
    const options = { method: "POST", port: server.ports[0], host: "127.0.0.1", agent, path, headers };
    const sent = request(options, (answer) => {
      answer.resume();
      answer.once("end", () =>
        answer.statusCode === 201 ? resolve() : reject(new Error(`status ${answer.statusCode}`)),
      );
    });
    sent.once("error", reject);
    sent.end(`content=${content}`);
  });
}

/** Notes what a socket is told, and how late: every message says when it was sent. */
class Listener {
  constructor(teller) {
    this.ids = [];
    this.late = [];
    teller.socket.off("newMessage");
    teller.socket.on("newMessage", (body) => {
      if ("statusCode" in body) return;
      this.ids.push(body._id);
      this.late.push(Date.now() - Number(body.message.message.split(".")[0]));
      if (this.ids.length === this.awaited) this.done?.();
    });
  }

  /** Waits until that many have come. */
  has(count) {
    return new Promise((resolve) => {
      this.awaited = count;
      this.done = resolve;
      if (this.ids.length >= count) resolve();
    });
  }

  /** The lateness that half, and 99 of 100, of some messages stayed below, in milliseconds. */
  lateness(from, to) {
    const sorted = this.late.slice(from, to).sort((a, b) => a - b);
    return [0.5, 0.99].map((share) => sorted[Math.floor((sorted.length - 1) * share)]);
  }
}

test("a reader that stops reading costs nobody anything", { timeout: 1_500_000 }, async (context) => {
  const server = await new Server({
    ROCKET_SOCKET_PING_INTERVAL: '"1h"',
    ROCKET_SOCKET_PING_TIMEOUT: '"1h"',
  }).start();
  const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });
  try {
    const account = await server.owner("localhost");
    const [slow, quick] = [await websocket.connect(server.url), await websocket.connect(server.url)];
    const guest = { email: "email@mail.com", name: "Name", domain: "localhost" };
    const { chatId, guestToken } = await slow.ask("getNewChat", guest);
    await quick.ask("getChatMessages", { chatId, token: guestToken });
    const [stalled, other] = [new Listener(slow), new Listener(quick)];
    const chat = parseInt(chatId, 16);
    const say = () => post(server, agent, account, chat, `${Date.now()}.${WORDS}`);

    let left = ALL;
    /** Sends until so many are left, and returns how many a second came to the other reader. */
    const send = async (until) => {
      const [count, began] = [left - until, Date.now()];
      const sender = async () => {
        while (left > until) {
          left -= 1;
          await say();
        }
      };
      await Promise.all(Array.from({ length: SENDERS }, sender));
      await other.has(ALL - until);
      return (1000 * count) / (Date.now() - began);
    };
    // What any traffic takes at all is in memory before anything is compared.
    const warm = COMPARED / 4;
    await send(ALL - warm);
    const together = await send(COUNT);
    await stalled.has(COMPARED);
    const before = memory(server);
    slow.socket.io.engine.transport.ws._socket.pause();
    let most = before;
    const watch = setInterval(() => (most = Math.max(most, memory(server))), 200);
    const alone = await send(0);
    clearInterval(watch);
    const read = stalled.ids.length;
    const tell = (what, rate, late) =>
      context.diagnostic(`${what}: ${Math.round(rate)} messages/s, heard ${late.join(" ms, at 99 % ")} ms late`);
    tell("both read", together, other.lateness(warm, COMPARED));
    tell("one has stopped reading", alone, other.lateness(COMPARED, ALL));
    context.diagnostic(`rate of the second to the first: ${(alone / together).toFixed(2)}; the stalled reader had read ${read} of ${ALL}`);
    context.diagnostic(`memory: ${before} KiB before, ${most} KiB at most`);
    assert.ok(read < ALL, "it has stopped reading");
    assert.ok(most - before < GROWTH, "memory stays flat");

    const resumed = Date.now();
    slow.socket.io.engine.transport.ws._socket.resume();
    await stalled.has(ALL);
    context.diagnostic(`the stalled reader had the rest after ${Date.now() - resumed} ms`);
    assert.deepEqual(stalled.ids, other.ids);
    assert.deepEqual(stalled.ids, [...new Set(stalled.ids)].sort());
  } finally {
    agent.destroy();
    websocket.closeAll();
    await server.stop();
  }
});
