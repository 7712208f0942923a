// What keeps guests, owners and sites apart, by sockets: who hears what, and for how long.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";

import { SERVERS, Server, clients, next } from "./clients.mjs";

const guestOf = (domain, more = {}) => ({ email: "email@mail.com", name: "Name", domain, ...more });
const [upgraded, websocket] = [
  clients.find((it) => it.major === 2 && it.transport === "upgrade"),
  clients.find((it) => it.major === 4 && it.transport === "websocket"),
];

let server;
before(async () => {
  server = await new Server().start();
});
after(() => server.stop());
afterEach(() => [upgraded, websocket].forEach((client) => client.closeAll()));

/** A site with its owner on a socket, and two guests who have said something. */
async function site(domain) {
  const account = await server.owner(domain);
  const owner = await websocket.connect(server.url);
  await owner.ask("getWaitingChats", { token: account.token });
  const guests = [];
  for (const words of ["first", "second"]) {
    const socket = await upgraded.connect(server.url);
    const { chatId, guestToken: token, guestId } = await socket.ask("getNewChat", guestOf(domain));
    await owner.push("waitingChat");
    await socket.ask("newMessage", { chatId, token, message: words });
    await owner.push("newMessage");
    guests.push({ socket, chatId, token, guestId });
  }
  return { account, owner, guests };
}

test("a message reaches its guest and the owners of its site, and nobody else", async () => {
  const [here, there] = [await site("here"), await site("there")];
  const stranger = await websocket.connect(server.url);
  const [one, other] = here.guests;
  const { token } = here.account;
  await here.owner.ask("newMessage", { chatId: one.chatId, token, message: "for you alone" });
  await one.socket.ask("newMessage", { chatId: one.chatId, token: one.token, message: "thanks" });
  await here.owner.ask("typing", { chatId: one.chatId, token, typing: true });
  await here.owner.ask("closeChat", { chatId: one.chatId, token });
  assert.equal((await one.socket.push("newMessage")).message.message, "for you alone");
  assert.equal((await here.owner.push("newMessage")).message.message, "thanks");
  await one.socket.push("typing");
  await one.socket.push("closeChat");
  // Each of the others is asked something after that, so whatever was pushed has come before.
  for (const [socket, argument] of [
    [other.socket, { chatId: other.chatId, token: other.token }],
    [there.owner, { chatId: there.guests[0].chatId, token: there.account.token }],
    [there.guests[0].socket, { chatId: there.guests[0].chatId, token: there.guests[0].token }],
  ]) {
    assert.equal((await socket.ask("getChatMessages", argument)).statusCode, 200);
    assert.deepEqual(socket.told, []);
  }
  const refused = await stranger.ask("getChatMessages", { chatId: one.chatId, token: "00" });
  assert.equal(refused.statusCode, 401);
  assert.deepEqual(stranger.told, []);
});

test("a token of one works for none of the others", async () => {
  const [here, there] = [await site("left"), await site("right")];
  const [one, other] = here.guests;
  const socket = await websocket.connect(server.url);
  const tries = [
    [one.token, other.chatId, 404],
    [one.token, there.guests[0].chatId, 404],
    [here.account.token, there.guests[0].chatId, 404],
    [there.account.token, one.chatId, 404],
    [one.token.replace(/^./, (it) => (it === "0" ? "1" : "0")), one.chatId, 401],
  ];
  for (const [token, chatId, status] of tries) {
    for (const [name, more] of [
      ["newMessage", { message: "not mine" }],
      ["getChatMessages", {}],
      ["typing", { typing: true }],
      ["seen", { _id: "000000000000000000000001" }],
      ["closeChat", {}],
    ]) {
      const reply = await socket.ask(name, { chatId, token, ...more });
      assert.deepEqual([name, reply.statusCode], [name, status]);
    }
  }
  for (const name of ["getActiveChats", "getWaitingChats"]) {
    assert.equal((await socket.ask(name, { token: one.token })).statusCode, 401);
  }
  const resumed = await socket.ask("getNewChat", guestOf("left", { guestToken: here.account.token }));
  assert.equal(resumed.statusCode, 401);
  const elsewhere = await socket.ask("getNewChat", guestOf("right", { guestToken: one.token }));
  assert.equal(elsewhere.statusCode, 401);
});

test("pushes end with the token", async () => {
  const { account, owner, guests } = await site("logout");
  const [one] = guests;
  const account2 = await server.post("/owner/login", {
    email: "owner@logout.example",
    password: "correct horse",
  });
  const still = await websocket.connect(server.url);
  await still.ask("getActiveChats", { token: account2.body.data.token });
  // A connection that spoke for nobody else is closed.
  const closed = next(owner.socket, "disconnect");
  const out = await server.post("/owner/logout", { token: account.token });
  assert.deepEqual(out.body, { statusCode: 200, status: "success", data: "Token has been removed" });
  await one.socket.ask("newMessage", { chatId: one.chatId, token: one.token, message: "anybody?" });
  assert.equal((await still.push("newMessage")).message.message, "anybody?");
  assert.deepEqual((await closed)[0], "io server disconnect");
  const again = next(owner.socket, "connect");
  owner.socket.connect();
  await again;
  const reply = await owner.ask("getActiveChats", { token: account.token });
  assert.deepEqual([reply.statusCode, reply.data], [401, "Owner not found"]);
  assert.deepEqual(owner.told, []);
  const twice = await server.post("/owner/logout", { token: account.token });
  assert.deepEqual([twice.status, twice.body.data], [400, "Owner not found"]);
});

test("a guest comes back with the token of before, to the same chat", async () => {
  const { account, owner, guests } = await site("again");
  const [one] = guests;
  const socket = await upgraded.connect(server.urls[1]);
  const back = await socket.ask("getNewChat", guestOf("again", { guestToken: one.token }));
  assert.deepEqual([back.chatId, back.guestId], [one.chatId, one.guestId]);
  assert.notEqual(back.guestToken, one.token);
  await owner.ask("newMessage", { chatId: one.chatId, token: account.token, message: "both" });
  for (const each of [socket, one.socket]) {
    assert.equal((await each.push("newMessage")).message.message, "both");
  }
  // The old token is still good, and one tab hears what the other says.
  await one.socket.ask("newMessage", { chatId: one.chatId, token: one.token, message: "a tab" });
  assert.equal((await socket.push("newMessage")).message.message, "a tab");
  // The same e-mail alone opens a chat of its own.
  const stranger = await socket.ask("getNewChat", guestOf("again"));
  assert.notEqual(stranger.chatId, one.chatId);
});

test("an owner answers the same guest through the messenger, and hears nothing twice", async () => {
  const { account, owner, guests } = await site("curl");
  const [one] = guests;
  const cookie = { Cookie: `user_id=${account.ownerId}; token=${account.token}` };
  const chats = await (await fetch(`${server.url}/api/chats`, { headers: cookie })).json();
  const chat = chats.chats.find((it) => it.id === parseInt(one.chatId, 16));
  assert.equal(chat.title, "Name");
  const sent = await server.post(`/api/chats/${chat.id}`, { content: "from curl" }, cookie);
  assert.equal(sent.status, 201);
  for (const each of [one.socket, owner]) {
    const heard = await each.push("newMessage");
    assert.deepEqual(heard.message, { message: "from curl", from: account.ownerId });
    assert.equal(heard.chatId, one.chatId);
  }
  const active = await owner.ask("getActiveChats", { token: account.token });
  assert.deepEqual(active.data.map((it) => it._id), [one.chatId]);
  assert.deepEqual(owner.told, []);
});

test("a client that connects with a token receives events from the first moment", async () => {
  const { account, guests } = await site("handshake");
  const [one] = guests;
  const { token } = account;
  const [four, two] = [
    await websocket.connect(server.url, { auth: { token } }),
    await upgraded.connect(server.url, { query: { token } }),
  ];
  await one.socket.ask("newMessage", { chatId: one.chatId, token: one.token, message: "hi" });
  for (const each of [four, two]) {
    assert.equal((await each.push("newMessage")).message.message, "hi");
    // And an event may leave the token out.
    assert.equal((await each.ask("getWaitingChats", {})).data.length, 2);
  }
});

test("the same client_id says it once", async () => {
  const { owner, guests } = await site("once");
  const [one] = guests;
  const argument = { chatId: one.chatId, token: one.token, message: "once", client_id: "k1" };
  const [first, second] = [
    await one.socket.ask("newMessage", argument),
    await one.socket.ask("newMessage", argument),
  ];
  assert.deepEqual(first, second);
  const other = await one.socket.ask("newMessage", { ...argument, message: "twice" });
  assert.equal(other.statusCode, 422);
  const list = { chatId: one.chatId, token: one.token };
  const messages = (await one.socket.ask("getChatMessages", list)).data;
  assert.deepEqual(messages.map((it) => it.message), ["first", "once"]);
  await owner.push("newMessage");
  assert.deepEqual(owner.told, []);
});

describe("settings", () => {
  test("support_push = v1 pushes the first document's shape", async () => {
    const old = await new Server({ ROCKET_SUPPORT_PUSH: '"v1"' }).start();
    try {
      const { token } = await old.owner("localhost");
      const [owner, guest] = [await websocket.connect(old.url), await upgraded.connect(old.url)];
      await owner.ask("getActiveChats", { token });
      const { chatId, guestToken } = await guest.ask("getNewChat", guestOf("localhost"));
      await guest.ask("newMessage", { chatId, token: guestToken, message: "hi" });
      assert.deepEqual(await owner.push("newMessage"), { message: "hi", chatId });
    } finally {
      await old.stop();
    }
  });

  test("support_resume_by_email brings a guest back by e-mail alone", async () => {
    const old = await new Server({ ROCKET_SUPPORT_RESUME_BY_EMAIL: "true" }).start();
    try {
      await old.owner("localhost");
      const guest = await upgraded.connect(old.url);
      const one = await guest.ask("getNewChat", guestOf("localhost"));
      const two = await guest.ask("getNewChat", guestOf("localhost"));
      const other = guestOf("localhost", { email: "other@mail.com" });
      const three = await guest.ask("getNewChat", other);
      assert.deepEqual([two.chatId, two.guestId], [one.chatId, one.guestId]);
      assert.notEqual(three.chatId, one.chatId);
    } finally {
      await old.stop();
    }
  });

  test("an address that begins chats by the dozen is slowed down, and told for how long", async () => {
    const strict = await new Server({ ROCKET_RATE_LIMITS: "true" }).start();
    try {
      await strict.owner("localhost");
      const guest = await websocket.connect(strict.url);
      const replies = [];
      for (let each = 0; each < 70; each += 1) {
        replies.push(await guest.ask("getNewChat", guestOf("localhost")));
      }
      const refused = replies.find((it) => it.statusCode !== 200);
      assert.deepEqual(
        { ...refused, retryAfter: 0 },
        {
          statusCode: 429, status: "error", data: "too many chats were begun from here", retryAfter: 0,
        },
      );
      assert.ok(refused.retryAfter >= 1);
      // A guest who has a chat already is not held up.
      const { guestToken } = replies[0];
      const back = await guest.ask("getNewChat", guestOf("localhost", { guestToken }));
      assert.equal(back.chatId, replies[0].chatId);
      const answers = [];
      // Each server counts for itself.
      for (let each = 0; each < 25 * SERVERS; each += 1) {
        const email = `o${each}@x.example`;
        answers.push(await strict.post("/owner/register", {
          email, password: "correct horse", domain: `d${each}`,
        }));
      }
      const late = answers.find((it) => it.status !== 200);
      assert.deepEqual([late.status, late.body.statusCode], [429, 429]);
      assert.ok(Number(late.headers.get("Retry-After")) >= 1);
    } finally {
      await strict.stop();
    }
  });
});

test("a guest's first message waits for the owner, though the server was killed", async () => {
  const shaky = await new Server().start();
  try {
    const { token } = await shaky.owner("localhost");
    const guest = await upgraded.connect(shaky.url, { reconnection: false });
    const { chatId, guestToken } = await guest.ask("getNewChat", guestOf("localhost"));
    await guest.ask("newMessage", { chatId, token: guestToken, message: "is anybody there?" });
    await shaky.kill();
    await shaky.start();
    const owner = await websocket.connect(shaky.url);
    const queue = await owner.ask("getWaitingChats", { token });
    assert.deepEqual(
      queue.data.map((it) => [it._id, it.lastMessage, it.unread]),
      [[chatId, "is anybody there?", 1]],
    );
    await owner.ask("newMessage", { chatId, token, message: "yes" });
    const back = await upgraded.connect(shaky.url);
    const list = await back.ask("getChatMessages", { chatId, token: guestToken });
    assert.deepEqual(list.data.map((it) => it.message), ["is anybody there?", "yes"]);
  } finally {
    await shaky.stop();
  }
});
