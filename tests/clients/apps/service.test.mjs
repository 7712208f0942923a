// Chat as a service: every route and event of the document, by both generations of clients.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { before, test } from "node:test";

import { Client, SERVERS, http, versions } from "./client.mjs";

const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const admin = { email: process.env.ADMIN_EMAIL, password: process.env.ADMIN_PASSWORD };
let number = 0;
const fresh = (name) => `${name}-${process.pid}-${Date.now()}-${number++}`;
const base64 = (text) => Buffer.from(text, "utf8").toString("base64");

let token;
before(async () => {
  const { status, body } = await http("POST", "/auth/login", admin);
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.email, admin.email);
  token = body.token;
});

async function app(more = {}) {
  const made = await http("POST", "/app", { name: fresh("app"), ...more }, { authorization: token });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body;
}

async function user(app, appUserId, more = {}) {
  const body = { appId: app.applicationId, appUserId, firstName: "use-1", lastName: "usr-1", token: fresh("token"), ...more };
  const made = await http("POST", "/user", body);
  assert.equal(made.status, 200, JSON.stringify(made.body));
  return made.body;
}

async function room(app, users, more = {}) {
  const body = { room: fresh("usr-1-2"), appId: app.applicationId, users, ...more };
  const made = await http("POST", "/room", body);
  assert.equal(made.status, 200, JSON.stringify(made.body));
  return made.body;
}

test("accounts", async () => {
  const wrong = await http("POST", "/auth/login", { ...admin, password: "wrong one" });
  assert.deepEqual([wrong.status, wrong.body], [401, { name: "InvalidLogin", message: "Login failed" }]);
  const email = `${fresh("dev")}@example.com`;
  const body = { firstName: "Ann", middleName: "B", lastName: "Lee", email, password: "correct horse" };
  assert.deepEqual((await http("POST", "/auth/register", body)).body, { error: { status: 401, message: "No token provided" } });
  assert.deepEqual((await http("POST", "/auth/register", body, { authorization: "nonsense" })).body, { message: "invalid token" });
  const made = await http("POST", "/auth/register", body, { authorization: `Bearer ${token}` });
  assert.equal(made.status, 201);
  assert.deepEqual(Object.keys(made.body).sort(), ["email", "firstName", "lastName", "token"]);
  const again = await http("POST", "/auth/register", body, { authorization: token });
  assert.deepEqual([again.status, again.body.message], [400, "ChatUser Already Exists"]);
  const notAdmin = await http("POST", "/auth/register", { ...body, email: "x@example.com" }, { authorization: made.body.token });
  assert.equal(notAdmin.status, 403);
  assert.equal((await http("GET", `/auth/verify?token=${made.body.token}`)).body, true);
  assert.equal((await http("GET", "/auth/verify", undefined, { token: "nonsense" })).body, false);
  const mine = await http("GET", "/app", undefined, { authorization: made.body.token });
  assert.deepEqual(mine.body, []);
});

test("apps", async () => {
  const made = await app({ verifyUrl: "https://example.com/verify" });
  assert.deepEqual(Object.keys(made).sort(), ["applicationId", "authUserId", "createdAt", "deletedAt", "id", "name", "requireAuth", "updatedAt", "verifyUrl"]);
  assert.match(made.applicationId, UUID);
  assert.match(made.createdAt, DATE);
  const listed = await http("GET", `/app?token=${token}`);
  assert.ok(listed.body.some((other) => other.id === made.id));
  assert.equal((await http("GET", "/app")).status, 401);
  const invalid = await http("POST", "/app", {}, { authorization: token });
  assert.deepEqual([invalid.status, invalid.body.message], [422, "Validation failed"]);
  assert.ok(invalid.body.details.name);
  const gone = await http("DELETE", `/app/${made.id}`, undefined, { authorization: token });
  assert.match(gone.body.deletedAt, DATE);
  const again = await http("DELETE", `/app/${made.applicationId}`, undefined, { authorization: token });
  assert.deepEqual([again.status, again.body], [404, { status: 404, message: "App Not Found" }]);
});

test("users", async () => {
  const one = await app();
  const appId = one.applicationId;
  const made = await user(one, 2, { middleName: null });
  assert.deepEqual(Object.keys(made).sort(), ["appId", "appUserId", "createdAt", "deletedAt", "firstName", "id", "lastName", "middleName", "token", "updatedAt"]);
  assert.deepEqual([made.appId, made.appUserId, made.firstName, made.lastName], [one.id, 2, "use-1", "usr-1"]);
  assert.equal(typeof made.token, "string");
  const again = await user(one, 2, { firstName: "other", token: made.token });
  assert.deepEqual([again.id, again.firstName], [made.id, "other"]);
  const { body: listed } = await http("GET", `/user/${appId}`);
  assert.deepEqual(listed.map((row) => [row.id, row.token]), [[made.id, null]]);
  assert.equal((await http("GET", `/user/${one.id}`)).status, 404);
  const short = await http("POST", "/user", { appId, appUserId: 3, firstName: "a", lastName: "b", token: "short" });
  assert.equal(short.status, 422);
  const taken = await http("POST", "/user", { appId, appUserId: 3, firstName: "a", lastName: "b", token: made.token });
  assert.equal(taken.status, 400);
  const gone = await http("DELETE", `/user/${made.id}`, undefined, { appId });
  assert.match(gone.body.deletedAt, DATE);
  const missing = await http("DELETE", `/user/${made.id}`, undefined, { appId });
  assert.deepEqual(missing.body, { status: 404, message: "ChatUser Not Found" });
});

test("rooms", async () => {
  const one = await app();
  const appId = one.applicationId;
  await user(one, 1);
  await user(one, 2);
  const unknown = await http("POST", "/room", { room: "r", appId, users: [1, 3, 4] });
  assert.deepEqual(unknown.body, { status: 400, message: "Users 3,4 not registered" });
  const made = await room(one, [1, 2], { room: "usr-1-2", extra: { a: [1] } });
  assert.deepEqual([made.room, made.appId, made.extra], ["usr-1-2", one.id, { a: [1] }]);
  assert.deepEqual(made.users.map((row) => row.appUserId), [1, 2]);
  const twice = await http("POST", "/room", { room: "usr-1-2", appId, users: [1] });
  assert.deepEqual(twice.body, { status: 400, message: "Room Already Exists" });
  const listed = await http("GET", "/room", undefined, { appId });
  assert.deepEqual(listed.body.map((row) => [row.room, row.users]), [["usr-1-2", undefined]]);
  await user(one, 3);
  for (const [verb, users] of [["add", [1, 2, 3]], ["remove", [1, 2]]]) {
    const told = await http("PUT", `/room/${verb}`, { room: "usr-1-2", appId, users: [3] });
    assert.deepEqual(told.body, { message: "updated" });
    const row = (await http("GET", "/room/usr-1-2", undefined, { appId })).body;
    assert.deepEqual(row.users.map((it) => it.appUserId), users);
  }
  const nobody = await http("PUT", "/room/add", { room: "usr-1-2", appId, users: [9] });
  assert.deepEqual(nobody.body, { status: 404, message: "ChatUser id 9 Not Found" });
  const nowhere = await http("PUT", "/room/add", { room: "nowhere", appId, users: [1] });
  assert.deepEqual(nowhere.body, { status: 404, message: "Room Not Found" });
  const gone = await http("DELETE", `/room/${made.id}`, undefined, { appId });
  assert.match(gone.body.deletedAt, DATE);
  assert.equal((await http("GET", "/room/usr-1-2", undefined, { appId })).status, 404);
});

test("an app that wants its owner's token", async () => {
  const one = await app({ requireAuth: true });
  const bare = await http("GET", "/room", undefined, { appId: one.applicationId });
  assert.deepEqual([bare.status, bare.body], [401, { error: { status: 401, message: "No token provided" } }]);
  const told = await http("GET", "/room", undefined, { appId: one.applicationId, authorization: token });
  assert.equal(told.status, 200);
  const embeds = async (query) => {
    const line = await Client.connect("socket.io-client 4", query);
    const { status, code } = await line.ask("create-user", { user: { external_id: "7", name: "Name", photo: "P" } });
    line.close();
    return [status, code];
  };
  const key = one.applicationId;
  assert.deepEqual(await embeds({ key }), ["error", "unauthenticated"]);
  assert.deepEqual(await embeds({ key, token }), ["ok", undefined]);
});

for (const version of Object.keys(versions)) {
  test(`${version}: one app's users embedded by its key`, async () => {
    const [one, other] = [await app(), await app()];
    const made = await room(one, [(await user(one, 1)).appUserId]);
    const device = await Client.connect(version, { token: (await user(one, 1)).token });
    device.emit("join", made.room);
    await device.hear("room_info");
    const server = await Client.connect(version, { key: one.applicationId });
    const { user: ann } = await server.ask("create-user", { user: { external_id: "1", name: "Ann", photo: "P" } });
    const { user: bo } = await server.ask("create-user", { user: { external_id: "2", name: "Bo", photo: "P" } });
    const { chats } = await server.ask("list-chats", { user: { id: ann.id } });
    assert.deepEqual(chats.map((chat) => [chat.id, chat.name]), [[String(made.id), made.room]]);
    const chat = { id: chats[0].id };
    const added = await server.ask("add-users", { chat, user: { id: ann.id }, users: [bo.id] });
    assert.equal(added.status, "ok", JSON.stringify(added));
    await server.ask("new-message", { chat, user: { id: bo.id }, message: { value: "hi", type: "text" } });
    const message = await device.hear("message");
    assert.deepEqual([message.message, message.userId], [base64("hi"), Number(bo.id)]);
    assert.equal((await server.hear("new-message")).msg, "hi");
    const stranger = await Client.connect(version, { key: other.applicationId });
    for (const [event, body] of [["list-messages", { chat, query: {} }], ["list-chats", { user: { id: ann.id } }]]) {
      assert.equal((await stranger.ask(event, body)).status, "error", event);
    }
    [device, server, stranger].forEach((line) => line.close());
  });


  test(`${version}: a conversation`, async () => {
    const one = await app();
    const [ann, bo] = [await user(one, 1), await user(one, 2)];
    const made = await room(one, [1, 2]);
    const annLine = await Client.connect(version, { token: ann.token });
    const boLine = await Client.connect(version, { token: bo.token });
    annLine.emit("send_message", "too early");
    assert.equal(await annLine.hear("err"), "No message or sender");
    annLine.emit("join", "");
    assert.equal(await annLine.hear("err"), "Input room name");
    annLine.emit("join", "nowhere");
    assert.equal(await annLine.hear("err"), "Invalid room name");

    annLine.emit("join", made.room);
    assert.equal(await annLine.hear("info"), "You have joined the room");
    const info = await annLine.hear("room_info");
    assert.deepEqual([info.id, info.room, info.users.length], [made.id, made.room, 2]);
    assert.equal((await annLine.hear("roomData")).users.length, 1);
    boLine.emit("join", made.room);
    assert.equal(await annLine.hear("info"), `${bo.id} has joined!`);
    const data = await annLine.hear("roomData");
    assert.equal(data.room, made.room);
    assert.deepEqual(data.users.map((it) => [it.appId, it.room, it.roomId, it.sender]), [
      [one.id, made.room, made.id, ann.id],
      [one.id, made.room, made.id, bo.id],
    ]);
    assert.ok(data.users.every((it) => it.id !== annLine.id && it.id !== boLine.id));
    await boLine.hear("room_info");

    annLine.emit("send_message", "hello sumit я");
    for (const line of [annLine, boLine]) {
      const message = await line.hear("message");
      assert.deepEqual(Object.keys(message).sort(), ["createdAt", "deletedAt", "id", "message", "roomId", "updatedAt", "userId"]);
      assert.deepEqual([message.message, message.userId, message.roomId, message.deletedAt], [base64("hello sumit я"), ann.id, made.id, null]);
    }
    const acknowledged = await boLine.ask("send_message", { message: "once", client_id: "k" });
    const replayed = await boLine.ask("send_message", { message: "once", client_id: "k" });
    assert.equal(replayed.id, acknowledged.id);
    await annLine.hear("message");

    boLine.emit("typing", "true");
    for (const line of [annLine, boLine]) {
      const typing = await line.hear("is_typing");
      assert.deepEqual([typing.data.id, typing.data.token, typing.typing], [bo.id, null, "true"]);
    }
    annLine.emit("seen");
    for (const line of [annLine, boLine]) {
      assert.equal((await line.hear("seen_by")).id, ann.id);
    }
    annLine.emit("load_more");
    const listed = await annLine.hear("load_more");
    assert.deepEqual(listed.map((it) => it.message), [base64("once"), base64("hello sumit я")]);
    assert.deepEqual(Object.keys(listed[0]).sort(), ["createdAt", "id", "message", "updatedAt", "userId"].sort());
    annLine.emit("load_more", { page: 2, limit: 1 });
    assert.deepEqual((await annLine.hear("load_more")).map((it) => it.message), [base64("hello sumit я")]);

    boLine.emit("update", { id: acknowledged.id, message: "changed" });
    assert.equal((await annLine.hear("message")).message, base64("changed"));
    annLine.emit("delete", acknowledged.id);
    assert.equal(typeof (await annLine.hear("err")), "string");
    boLine.emit("delete", acknowledged.id);
    assert.match((await annLine.hear("message")).deletedAt, DATE);

    boLine.emit("leave");
    assert.equal(await annLine.hear("info"), `${bo.id} has left`);
    assert.deepEqual((await annLine.hear("roomData")).users.map((it) => it.sender), [ann.id]);
    boLine.emit("join", made.room);
    await annLine.hear("roomData");
    boLine.close();
    assert.equal(await annLine.hear("info", (it) => it.endsWith("left")), `${bo.id} has left`);
    assert.equal((await annLine.hear("roomData")).users.length, 1);
    annLine.close();
  });

  test(`${version}: who is put out of a room is seen and hears there no more`, async () => {
    const one = await app();
    const [ann, bo] = [await user(one, 1), await user(one, 2)];
    const made = await room(one, [1, 2]);
    const annLine = await Client.connect(version, { token: ann.token });
    const boLine = await Client.connect(version, { token: bo.token });
    for (const line of [annLine, boLine]) {
      line.emit("join", made.room);
      await line.hear("room_info");
    }
    const told = await http("PUT", "/room/remove", { room: made.room, appId: one.applicationId, users: [2] });
    assert.equal(told.status, 200);
    assert.equal(await annLine.hear("info", (it) => it.endsWith("left")), `${bo.id} has left`);
    await annLine.hear("roomData", (it) => it.users.length === 1 && it.users[0].sender === ann.id);
    const before = boLine.unheard().length;
    const again = await Client.connect(version, { token: ann.token });
    again.emit("join", made.room);
    await again.hear("room_info");
    await annLine.ask("send_message", "among ourselves");
    assert.equal((await boLine.ask("send_message", "let me in")).message, "No message or sender");
    assert.deepEqual(boLine.unheard().slice(before), ["err"]);

    const gone = await http("DELETE", `/room/${made.id}`, undefined, { appId: one.applicationId });
    assert.equal(gone.status, 200);
    // Who is put out first is told of by who is put out last, which only one server can say.
    const [here, there] = [annLine, again].map((line) => line.hear("info", (it) => it.endsWith("left")));
    const settled = Promise.allSettled([here, there]);
    if (SERVERS === 1) assert.equal(await Promise.any([here, there]), `${ann.id} has left`);
    [annLine, boLine, again].forEach((line) => line.close());
    await settled;
  });

  test(`${version}: tokens at connect`, async () => {
    const one = await app();
    const ann = await user(one, 1);
    const refusal = (query) => Client.connect(version, query).then(() => "let in", (error) => error.message);
    assert.equal(await refusal({ token: "nobody has this" }), "token key mismatch");
    const bare = await Client.connect(version);
    bare.emit("join", "x");
    assert.equal(await bare.hear("err"), "No token key found");
    const line = await Client.connect(version, { token: ann.token });
    await user(one, 1, { token: fresh("replaced") });
    assert.equal(await refusal({ token: ann.token }), "token key mismatch");
    line.emit("join", "");
    assert.equal(await line.hear("err"), "Input room name");
    // The same token in two apps.
    const [two, shared] = [await app(), fresh("shared")];
    await user(one, 5, { token: shared });
    await user(two, 5, { token: shared });
    assert.equal(await refusal({ token: shared }), "token key mismatch");
    assert.equal(await refusal({ token: shared, appId: two.applicationId }), "let in");
    const gone = line.gone();
    await http("DELETE", `/user/${ann.id}`, undefined, { appId: one.applicationId });
    await gone;
    bare.close();
  });
}

test("an app's own system is asked", async () => {
  const asked = [];
  const answers = { good: [200, "ok"], no: [200, "false"], broken: [500, "x"], moved: [302, ""] };
  const system = createServer((request, response) => {
    const token = new URL(request.url, "http://x").searchParams.get("token");
    asked.push(token);
    const [status, body] = answers[token.split("-")[0]];
    response.writeHead(status, { location: "/elsewhere?token=good-1" }).end(body);
  });
  await new Promise((resolve) => system.listen(0, "127.0.0.1", resolve));
  const one = await app({ verifyUrl: `http://127.0.0.1:${system.address().port}/verify?a=b` });
  const version = "socket.io-client 4";
  const connectWith = async (token) => {
    await user(one, token, { token });
    return Client.connect(version, { token }).then(() => "let in", (error) => error.message);
  };
  const words = ["good", "no", "broken", "moved"].map(fresh);
  assert.equal(await connectWith(words[0]), "let in");
  assert.equal(await connectWith(words[0]), "let in");
  for (const word of words.slice(1)) {
    assert.equal(await connectWith(word), "token key mismatch");
  }
  // A server remembers who was let in, and knows nothing of what another one has asked.
  assert.deepEqual(SERVERS === 1 ? asked : [...new Set(asked)], words);
  const unreachable = await app({ verifyUrl: "http://10.0.0.1/verify" });
  const token = fresh("unreachable");
  await user(unreachable, 1, { token });
  const refused = await Client.connect(version, { token }).then(() => "let in", (error) => error.message);
  assert.equal(refused, "token verification unavailable");
  system.close();
});

test("by plain HTTP", async () => {
  const one = await app();
  const ann = await user(one, 1);
  const made = await room(one, [1]);
  const say = (event, body) => http("POST", `/api/events/${event}?room=${made.room}`, body, { authorization: ann.token });
  assert.equal((await say("send_message", { message: "hi" })).body.data.message, base64("hi"));
  assert.equal((await say("load_more", { page: 1 })).body.data.length, 1);
  assert.equal((await say("seen")).body.data.id, ann.id);
  assert.equal((await say("join", made.room)).body.data.id, made.id);

  const hear = (more) => http("GET", `/api/events?dialect=service&room=${made.room}&timeout=0&${more}`, undefined, { authorization: ann.token });
  const { cursor } = (await hear("after=now")).body;
  await say("send_message", { message: "news" });
  const { events } = (await hear(`after=${cursor}`)).body;
  assert.deepEqual(events.map((it) => [it.event, it.data.message]), [["message", base64("news")]]);
  const elsewhere = await http("POST", "/api/events/load_more?room=nowhere", { page: 1 }, { authorization: ann.token });
  assert.deepEqual([elsewhere.status, elsewhere.body.data.message], [404, "Invalid room name"]);
  const nowhere = "/api/events?dialect=service&room=nowhere&after=now&timeout=0";
  assert.equal((await http("GET", nowhere, undefined, { authorization: ann.token })).status, 404);
});
