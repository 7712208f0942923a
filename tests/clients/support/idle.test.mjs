// What an idle socket costs that has support identity: each is a guest with a chat of its own.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Server, clients } from "./clients.mjs";

const COUNT = Number(process.env.SOCKETS ?? 2_000);
/** KiB of resident memory for each socket, at most. */
const MOST = Number(process.env.KIB ?? 8);

const websocket = clients.find((it) => it.major === 4 && it.transport === "websocket");

function memory(server) {
  const status = readFileSync(`/proc/${server.process.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)[1]);
}

/** Lets the allocator give back what was used for a moment. */
async function settled(server) {
  let least = memory(server);
  for (let each = 0; each < 20; each += 1) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    least = Math.min(least, memory(server));
  }
  return least;
}

test("an idle guest is cheap", { timeout: 900_000 }, async (context) => {
  const server = await new Server({ ROCKET_SOCKET_PING_INTERVAL: '"1h"' }).start();
  try {
    const account = await server.owner("localhost");
    const seat = async () => {
      const socket = await websocket.connect(server.url);
      await socket.ask("getNewChat", { email: "e@x", name: "N", domain: "localhost" });
    };
    const seatMany = async (count) => {
      let left = count;
      const next = async () => {
        while (left > 0) {
          left -= 1;
          await seat();
        }
      };
      await Promise.all(Array.from({ length: 16 }, next));
    };
    // What any traffic takes at all is there before anything is compared: the first sockets, and the
    // latest changes, of which the server keeps some thousands.
    await seatMany(COUNT / 10);
    const cookie = { Cookie: `user_id=${account.ownerId}; token=${account.token}` };
    for (let each = 0; each < 250; each += 1) {
      const said = Array.from({ length: 20 }, () => server.post("/api/chats/1", { content: "hi" }, cookie));
      await Promise.all(said);
    }
    const before = await settled(server);
    await seatMany(COUNT);
    const after = await settled(server);
    const each = (after - before) / COUNT;
    context.diagnostic(`${COUNT} idle guests: ${each.toFixed(2)} KiB each`);
    assert.ok(each <= MOST, `${each} KiB`);
  } finally {
    websocket.closeAll();
    await server.stop();
  }
});
