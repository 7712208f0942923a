// Answers of megabytes in the embed and service dialects, by both generations of clients and both
// transports: what was asked for arrives, page by page, and the connection lives.

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { Client, http, versions } from "./client.mjs";

const COUNT = 100;
const MEMBERS = 3_000;
/** The longest message there may be, which begins with its number. */
const long = (number) => String(number).padStart(4, "0") + "ж".repeat(8190);
const MAX_PAGE = 1 << 20;
const size = (value) => Buffer.byteLength(JSON.stringify(value));
const key = `large-${process.pid}-${Date.now()}`;

let app, ann, chat;

async function post(path, body, headers = {}) {
  const answer = await http("POST", path, body, headers);
  assert.ok(answer.status < 300, JSON.stringify(answer.body));
  return answer.body;
}

before(async () => {
  const admin = { email: process.env.ADMIN_EMAIL, password: process.env.ADMIN_PASSWORD };
  const { token } = await post("/auth/login", admin);
  app = (await post("/app", { name: key }, { authorization: token })).applicationId;
  const ids = Array.from({ length: MEMBERS }, (_, number) => number + 1);
  const user = (id) => ({ appId: app, appUserId: id, firstName: "Firstname", lastName: "Lastname" });
  ann = await post("/user", { ...user(1), token: key });
  for (let start = 1; start < MEMBERS; start += 50) {
    await Promise.all(ids.slice(start, start + 50).map((id) => post("/user", user(id))));
  }
  await post("/room", { appId: app, room: "crowd", users: ids });
  chat = (await post("/room", { appId: app, room: "long", users: [1] })).id;
  for (let number = 0; number < COUNT; number += 1) {
    await post("/api/events/send_message?room=long", { message: long(number) }, { authorization: key });
  }
});

for (const version of Object.keys(versions)) {
  for (const transport of ["polling", "websocket"]) {
    const connect = async () => {
      const client = await Client.connect(version, { token: key }, { transports: [transport] });
      client.lost = false;
      client.gone().then(() => (client.lost = true), () => {});
      return client;
    };

    test(`${version} by ${transport}: load_more`, async () => {
      const client = await connect();
      await client.ask("join", "long");
      const read = [];
      let before;
      for (;;) {
        const page = await client.ask("load_more", { limit: 200, before });
        assert.deepEqual(await client.hear("load_more"), page);
        assert.ok(size(page) <= MAX_PAGE);
        if (page.length === 0) break;
        read.push(...page.map(({ message }) => Number(Buffer.from(message, "base64").subarray(0, 4))));
        before = page.at(-1).id;
      }
      assert.deepEqual(read, Array.from({ length: COUNT }, (_, number) => COUNT - 1 - number));
      assert.equal(client.lost, false);
      client.close();
    });

    test(`${version} by ${transport}: list-messages`, async () => {
      const client = await connect();
      const read = [];
      const query = {};
      for (;;) {
        const page = await client.ask("list-messages", { chat: { id: String(chat) }, query });
        assert.deepEqual(await client.hear("list-messages"), page);
        assert.ok(size(page) <= MAX_PAGE);
        read.unshift(...page.messages.map(({ msg }) => Number(msg.slice(0, 4))));
        if (!page.has_more) break;
        query.before = page.messages[0].id;
      }
      assert.deepEqual(read, Array.from({ length: COUNT }, (_, number) => number));
      const chats = await client.ask("list-chats", { user: { id: String(ann.id) } });
      assert.equal(chats.chats.find(({ name }) => name === "crowd").users.length, MEMBERS);
      assert.equal(client.lost, false);
      client.close();
    });

    test(`${version} by ${transport}: a room of ${MEMBERS} is joined`, async () => {
      const client = await connect();
      const room = await client.ask("join", "crowd");
      assert.equal(room.users.length, MEMBERS);
      assert.deepEqual(await client.hear("room_info"), room);
      assert.equal((await client.hear("roomData")).users.length >= 1, true);
      assert.equal(client.lost, false);
      client.close();
    });
  }
}
