// Answers of megabytes: a chat of long messages arrives whole, page by page, by every client, with
// the event and with the acknowledgement, and nobody is thrown off by it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Server, clients } from "./clients.mjs";

const COUNT = 100;
/** The longest message there may be, which begins with its number. */
const long = (number) => String(number).padStart(4, "0") + "ж".repeat(8190);
const MAX_PAGE = 1 << 20;

let server, owner, guest;
before(async () => {
  server = await new Server().start();
  owner = await server.owner("localhost");
  const begun = await server.post("/api/events/getNewChat", { email: "email@mail.com", name: "Name", domain: "localhost" });
  guest = begun.body.data;
  for (let number = 0; number < COUNT; number += 1) {
    const message = { chatId: guest.chatId, token: guest.guestToken, message: long(number) };
    assert.equal((await server.post("/api/events/newMessage", message)).status, 200);
  }
});
after(() => server?.stop());

for (const client of clients) {
  test(`${client.name}: a chat of long messages is read in pages`, async () => {
    try {
      const teller = await client.connect(server.url);
      const lost = [];
      teller.socket.on("disconnect", (reason) => lost.push(reason));
      const read = [];
      for (;;) {
        const argument = { chatId: guest.chatId, token: owner.token, limit: 500, skip: read.length };
        const [told, acknowledged] = await teller.askBoth("getChatMessages", argument);
        assert.deepEqual(acknowledged, told);
        assert.ok(Buffer.byteLength(JSON.stringify(told)) <= MAX_PAGE);
        read.push(...told.data.map(({ message }) => Number(message.slice(0, 4))));
        if (!told.has_more) break;
      }
      assert.deepEqual(read, Array.from({ length: COUNT }, (_, number) => number));
      assert.deepEqual(lost, []);
    } finally {
      client.closeAll();
    }
  });

  test(`${client.name}: an owner stays connected while a guest writes long messages`, async () => {
    try {
      const desk = await client.connect(server.url, { query: { token: owner.token }, auth: { token: owner.token } });
      const lost = [];
      desk.socket.on("disconnect", (reason) => lost.push(reason));
      await desk.askBoth("getWaitingChats", { token: owner.token });
      const begun = await server.post("/api/events/getNewChat", { email: "email@mail.com", name: "Name", domain: "localhost" });
      const { chatId, guestToken } = begun.body.data;
      const heard = [];
      for (let number = 0; number < 40; number += 1) {
        await server.post("/api/events/newMessage", { chatId, token: guestToken, message: long(number) });
        if (number % 10 === 9) {
          await desk.askBoth("getChatMessages", { chatId, token: owner.token });
          await desk.askBoth("getWaitingChats", { token: owner.token });
        }
      }
      for (let number = 0; number < 40; number += 1) {
        const told = await desk.push("newMessage");
        heard.push(Number(told.message.message.slice(0, 4)));
      }
      assert.deepEqual(heard, Array.from({ length: 40 }, (_, number) => number));
      assert.deepEqual(lost, []);
    } finally {
      client.closeAll();
    }
  });
}
