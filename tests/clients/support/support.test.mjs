// Every event of the support documents, by real clients, over every transport, on both ports.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";

import { Server, clients } from "./clients.mjs";

const HEX = /^[0-9a-f]{24}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let server;
let count = 0;
const newDomain = () => `shop${(count += 1)}`;
const guestOf = (domain) => ({ email: "email@mail.com", name: "Name", domain });

before(async () => {
  server = await new Server().start();
});
after(() => server.stop());

for (const client of clients) {
  for (const port of [0, 1]) {
    describe(`${client.name}, ${["the main port", "the second port"][port]}`, () => {
      const connect = () => client.connect(server.urls[port]);
      afterEach(() => client.closeAll());

      test("the documents' conversation, from the first chat to the last list", async () => {
        const domain = newDomain();
        const account = await server.owner(domain);
        const [guest, owner] = [await connect(), await connect()];

        const waiting = await owner.ask("getWaitingChats", { token: account.token });
        assert.deepEqual(waiting, { statusCode: 200, status: "success", data: [], has_more: false, total: 0 });

        const [chat, acknowledged] = await guest.askBoth("getNewChat", guestOf(domain));
        assert.deepEqual(chat, acknowledged);
        assert.deepEqual(Object.keys(chat).sort(), [
          "chatId", "guestId", "guestToken", "status", "statusCode",
        ]);
        assert.match(chat.chatId, HEX);
        assert.match(chat.guestId, HEX);
        assert.match(chat.guestToken, /^[0-9a-f]{32,}$/);
        const { chatId, guestId, guestToken } = chat;

        const begun = await owner.push("waitingChat");
        assert.equal(begun._id, chatId);
        assert.equal(begun.lastMessage, null);

        const said = await guest.ask("newMessage", { chatId, token: guestToken, message: "hi" });
        assert.deepEqual(said, {
          statusCode: 200,
          status: "success",
          message: "hi",
          data: { message: "hi", from: guestId, _id: said.data._id, time: said.data.time },
        });
        const heard = await owner.push("newMessage");
        assert.match(heard._id, HEX);
        assert.match(heard.time, TIME);
        assert.deepEqual(
          { ...heard, _id: 0, time: 0 },
          { message: { message: "hi", from: guestId }, chatId, _id: 0, time: 0 },
        );
        assert.deepEqual([said.data._id, said.data.time], [heard._id, heard.time]);

        const queue = await owner.ask("getWaitingChats", { token: account.token });
        assert.equal(queue.data.length, 1);
        assert.deepEqual(
          { ...queue.data[0], time: 0 },
          {
            _id: chatId, chatId, guestId, name: "Name", email: "email@mail.com", domain,
            lastMessage: "hi", time: 0, unread: 1,
          },
        );

        // A chat may be given as the list showed it.
        const reply = { chatId: queue.data[0], token: account.token, message: "hello" };
        const [answered, sameAnswer] = await owner.askBoth("newMessage", reply);
        assert.deepEqual(answered, sameAnswer);
        assert.deepEqual([answered.data.message, answered.data.from], ["hello", account.ownerId]);
        const pushed = await guest.push("newMessage");
        assert.deepEqual(pushed.message, { message: "hello", from: account.ownerId });

        const list = { chatId, token: guestToken, limit: 10, skip: 0 };
        const messages = await guest.ask("getChatMessages", list);
        assert.equal(messages.statusCode, 200);
        assert.deepEqual(
          messages.data.map(({ from, message }) => [from, message]),
          [[guestId, "hi"], [account.ownerId, "hello"]],
        );
        for (const message of messages.data) {
          assert.deepEqual(Object.keys(message).sort(), ["_id", "from", "message", "time"]);
        }
        assert.equal(messages.data[0]._id, heard._id);

        const active = await owner.ask("getActiveChats", { token: account.token });
        assert.deepEqual(active.data.map((entry) => entry._id), [chatId]);
        assert.equal(active.data[0].unread, 0);
        const none = await owner.ask("getWaitingChats", { token: account.token });
        assert.deepEqual(none.data, []);

        // Nobody heard themselves, and nobody heard anything twice.
        assert.deepEqual(guest.told, []);
        assert.deepEqual(owner.told, []);
      });

      test("typing, seen and closing reach the other side", async () => {
        const domain = newDomain();
        const account = await server.owner(domain);
        const [guest, owner] = [await connect(), await connect()];
        const { token } = account;
        await owner.ask("getActiveChats", { token });
        const { chatId, guestId, guestToken } = await guest.ask("getNewChat", guestOf(domain));
        await owner.push("waitingChat");
        await guest.ask("newMessage", { chatId, token: guestToken, message: "hi" });
        const { _id } = await owner.push("newMessage");

        for (const typing of [true, false]) {
          const told = await guest.ask("typing", { chatId, token: guestToken, typing });
          assert.equal(told.statusCode, 200);
          assert.deepEqual(await owner.push("typing"), { chatId, from: guestId, typing });
        }
        await owner.ask("seen", { chatId, token, _id });
        assert.deepEqual(await guest.push("seen"), { chatId, from: account.ownerId, _id });

        const closed = await owner.ask("closeChat", { chatId, token });
        assert.equal(closed.statusCode, 200);
        assert.deepEqual(await guest.push("closeChat"), { chatId });
        for (const name of ["getWaitingChats", "getActiveChats"]) {
          assert.deepEqual((await owner.ask(name, { token })).data, [], name);
        }
        await guest.ask("newMessage", { chatId, token: guestToken, message: "one more" });
        const again = await owner.push("waitingChat");
        assert.deepEqual([again._id, again.lastMessage], [chatId, "one more"]);
        const queue = await owner.ask("getWaitingChats", { token });
        assert.deepEqual(queue.data.map((entry) => entry._id), [chatId]);
        await owner.push("newMessage");
        assert.deepEqual([guest.told, owner.told], [[], []]);
      });

      test("every refusal is told, by an event and by the acknowledgement", async () => {
        const domain = newDomain();
        const { token } = await server.owner(domain);
        const guest = await connect();
        const mine = await guest.ask("getNewChat", guestOf(domain));
        const other = await guest.ask("getNewChat", guestOf(domain));
        const refusals = [
          ["getNewChat", guestOf("nowhere"), 400, "Owner for this domain not found"],
          ["getNewChat", { ...guestOf(domain), email: 7 }, 400, "email must be text"],
          ["getNewChat", { ...guestOf(domain), guestToken: "x" }, 401, "Guest not found"],
          ["newMessage", { token, message: "hi" }, 400, "chatId is required"],
          ["newMessage", { chatId: mine.chatId, token: "x", message: "hi" }, 401, "Guest not found"],
          ["newMessage", { chatId: "59f708172b16261fc0165f54", token, message: "hi" }, 404, "Chat not found"],
          ["newMessage", { chatId: other.chatId, token: mine.guestToken, message: "hi" }, 404, "Chat not found"],
          ["newMessage", { chatId: mine.chatId, token: mine.guestToken }, 400, "message is required"],
          ["newMessage", { chatId: mine.chatId, token: mine.guestToken, message: " " }, 400, "message must not be blank"],
          ["getChatMessages", { chatId: other.chatId, token: mine.guestToken }, 404, "Chat not found"],
          ["getChatMessages", { chatId: mine.chatId, token: mine.guestToken, limit: -1 }, 400, "limit must be a whole number, not negative"],
          ["getActiveChats", { token: mine.guestToken }, 401, "Owner not found"],
          ["getWaitingChats", {}, 400, "token is required"],
          ["closeChat", { chatId: "7", token }, 400, "chatId must be 24 hex digits"],
          ["typing", { chatId: mine.chatId, token: mine.guestToken, typing: "x" }, 400, "typing must be true or false"],
          ["seen", { chatId: mine.chatId, token: mine.guestToken }, 400, "_id is required"],
        ];
        for (const [name, argument, statusCode, data] of refusals) {
          const [reply, acknowledged] = await guest.askBoth(name, argument);
          assert.deepEqual(reply, acknowledged);
          assert.deepEqual([reply.statusCode, reply.status, reply.data], [statusCode, "error", data]);
        }
        const nothing = await guest.ask("newMessage", null);
        assert.equal(nothing.data, "the argument must be an object");
      });
    });
  }
}
