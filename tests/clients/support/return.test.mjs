// The server stops and starts again: clients come back by themselves and miss nothing.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Server, clients, next } from "./clients.mjs";

for (const client of clients.filter((it) => it.major === 4)) {
  test(`${client.name} misses nothing over a restart`, async () => {
    const server = await new Server().start();
    try {
      const account = await server.owner("localhost");
      const { token } = account;
      const guest = await client.connect(server.url, { query: { recovery: 1 } });
      const owner = await client.connect(server.url, { query: { recovery: 1 } });
      const { chatId, guestToken } = await guest.ask("getNewChat", {
        email: "email@mail.com", name: "Name", domain: "localhost",
      });
      await owner.ask("newMessage", { chatId, token, message: "before" });
      assert.equal((await guest.push("newMessage")).message.message, "before");
      const id = guest.socket.id;
      await guest.ask("newMessage", { chatId, token: guestToken, message: "my own, told to others alone" });
      // Each is out of reach while the other's message is sent.
      guest.socket.io.engine.close();
      await owner.ask("newMessage", { chatId, token, message: "while you were away" });
      await server.restart();
      const cookie = { Cookie: `user_id=${account.ownerId}; token=${token}` };
      const sent = await server.post(`/api/chats/${parseInt(chatId, 16)}`, { content: "and after" }, cookie);
      assert.equal(sent.status, 201);
      if (!guest.socket.connected) await next(guest.socket, "connect");
      for (const expected of ["while you were away", "and after"]) {
        assert.equal((await guest.push("newMessage")).message.message, expected);
      }
      assert.equal(guest.socket.recovered, true);
      assert.equal(guest.socket.id, id);
      const list = await guest.ask("getChatMessages", { chatId, token: guestToken });
      assert.equal(list.data.length, 4);
      assert.deepEqual(guest.told, []);
    } finally {
      client.closeAll();
      await server.stop();
    }
  });
}

for (const client of clients.filter((it) => it.major === 2)) {
  test(`${client.name} comes back by itself and reads what it missed`, async () => {
    const server = await new Server().start();
    try {
      await server.owner("localhost");
      const guest = await client.connect(server.url);
      const { chatId, guestToken } = await guest.ask("getNewChat", {
        email: "email@mail.com", name: "Name", domain: "localhost",
      });
      await guest.ask("newMessage", { chatId, token: guestToken, message: "before" });
      const back = next(guest.socket, "reconnect");
      await server.restart();
      await back;
      const list = await guest.ask("getChatMessages", { chatId, token: guestToken });
      assert.deepEqual(list.data.map((it) => it.message), ["before"]);
    } finally {
      client.closeAll();
      await server.stop();
    }
  });
}
