// Chat inside another product: every event of the document, by both generations of clients.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Client, http, versions } from "./client.mjs";

const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
let number = 0;
const fresh = (name) => `${name}-${process.pid}-${Date.now()}-${number++}`;

const user = (external_id, more = {}) => ({ user: { external_id, name: "Name", photo: "Photo", ...more } });

function dated(thing) {
  for (const key of ["created_at", "modified_at", "updated_at"]) {
    assert.match(thing[key], DATE);
  }
  assert.equal(thing._id, thing.id);
  assert.equal(typeof thing.id, "string");
}

for (const version of Object.keys(versions)) {
  test(`${version}: create-user finds or creates`, async () => {
    const client = await Client.connect(version);
    const external_id = fresh("some-id-to-map-in-your-db");
    // The document's own body: an id that nobody has, beside the external id.
    const made = await client.say("create-user", user(external_id, { id: "chat-id" }));
    assert.equal(made.status, "ok");
    dated(made.user);
    assert.equal(made.user.external_id, external_id);
    assert.deepEqual([made.user.name, made.user.photo], ["Name", "Photo"]);
    const again = await client.ask("create-user", user(external_id, { name: "Other" }));
    assert.deepEqual([again.user.id, again.user.name], [made.user.id, "Other"]);
    const byId = await client.ask("create-user", { user: { id: made.user.id, name: "Name", photo: "P" } });
    assert.deepEqual([byId.user.external_id, byId.user.photo], [external_id, "P"]);
    for (const wrong of [undefined, null, 7, "x", {}, { user: {} }, { user: { name: "a", photo: "b" } },
      { user: { external_id, name: "a" } }, { user: { external_id, photo: "a" } },
      { user: { id: "999999999", name: "a", photo: "b" } }]) {
      const told = await client.ask("create-user", wrong);
      assert.equal(told.status, "error", JSON.stringify(wrong));
      assert.equal(typeof told.error[0].message, "string");
      assert.equal(typeof told.code, "string");
    }
    client.close();
  });

  test(`${version}: a chat from its first message to its list`, async () => {
    // One asks for the twin of each message, two does not until it emits under such a name.
    const [one, two] = [await Client.connect(version, { twin: 1 }), await Client.connect(version)];
    const ann = (await one.say("create-user", user(fresh("ann")))).user;
    const bo = (await two.say("create-user", user(fresh("bo")))).user;
    const made = await one.say("create-chat", { chat: { name: "chat-name" }, users: [ann.id, bo.id] });
    assert.equal(made.status, "ok");
    dated(made.chat);
    assert.equal(made.chat.name, "chat-name");
    assert.deepEqual(made.chat.users, [ann.id, bo.id]);
    const chat = { id: made.chat.id };

    const unknown = await one.ask("create-chat", { chat: { name: "x" }, users: [ann.id, "987654"] });
    assert.equal(unknown.status, "error");
    assert.match(unknown.error[0].message, /987654/);

    // Answered only after everybody's sockets are in the chat: bo hears the very next message.
    one.emit("new-message", { chat, user: { id: ann.id }, message: { value: "message", type: "text" } });
    const twin = `/chat/${chat.id}/new-message`;
    for (const [client, name] of [[one, "new-message"], [one, twin], [two, "new-message"]]) {
      const heard = await client.hear(name);
      dated(heard);
      assert.deepEqual(
        [heard.msg, heard.type, heard.user_id, heard.chat_id],
        ["message", "text", ann.id, chat.id],
      );
    }
    // The twin, and the other kinds.
    two.emit(twin, { user: { id: bo.id }, message: { value: "https://example.com/a.png", type: "img" } });
    assert.equal((await one.hear("new-message")).type, "img");
    // The first that two hears under that name is its own.
    assert.equal((await two.hear(twin)).type, "img");
    const told = await two.ask("new-message", { chat, user: { id: bo.id }, message: { value: "https://example.com/a.pdf", type: "file" }, client_id: "k1" });
    assert.equal(told.status, "ok");
    assert.equal(told.type, "file");
    const replayed = await two.ask("new-message", { chat, user: { id: bo.id }, message: { value: "https://example.com/a.pdf", type: "file" }, client_id: "k1" });
    assert.equal(replayed.id, told.id);
    const bad = await two.ask("new-message", { chat, user: { id: bo.id }, message: { value: "javascript:alert(1)", type: "img" } });
    assert.deepEqual([bad.status, bad.code], ["error", "bad_request"]);

    const all = await one.say("list-messages", { query: {}, chat });
    assert.deepEqual(all.messages.map((m) => m.type), ["text", "img", "file"]);
    assert.equal(all.has_more, false);
    all.messages.forEach(dated);
    const [first, , last] = all.messages;
    const from = await one.ask("list-messages", { query: { from: last.created_at }, chat });
    assert.ok(from.messages.some((m) => m.id === last.id));
    const to = await one.ask("list-messages", { query: { to: first.created_at }, chat });
    assert.ok(to.messages.some((m) => m.id === first.id));
    const older = await one.ask("list-messages", { query: { limit: 1, before: last.id }, chat });
    assert.deepEqual([older.messages.length, older.has_more], [1, true]);

    const later = await one.ask("create-chat", { chat: { name: "later" }, users: [ann.id] });
    const listed = await one.say("list-chats", { user: { id: ann.id } });
    assert.deepEqual(listed.chats.map((c) => c.name), ["later", "chat-name"]);
    assert.deepEqual(listed.chats[1].users, [ann.id, bo.id]);
    listed.chats.forEach(dated);
    assert.ok(later.chat.id);
    one.close();
    two.close();
  });

  test(`${version}: what was added to the document`, async () => {
    const [one, two] = [await Client.connect(version), await Client.connect(version)];
    const ann = (await one.say("create-user", user(fresh("ann")))).user;
    const bo = (await two.say("create-user", user(fresh("bo")))).user;
    const made = await one.ask("create-chat", { chat: { name: "chat-name" }, users: [ann.id] });
    const chat = { id: made.chat.id };
    const me = { chat, user: { id: ann.id } };
    assert.equal((await one.ask("add-users", { ...me, users: [bo.id] })).status, "ok");
    assert.deepEqual((await two.hear("add-users", (it) => it.users[0] === bo.id)).chat, chat);
    assert.equal((await one.say("typing", { ...me, typing: true })).status, "ok");
    const typing = await two.hear("typing");
    assert.deepEqual([typing.chat, typing.user.id, typing.typing], [chat, ann.id, true]);
    const sent = await one.ask("new-message", { ...me, message: { value: "hi", type: "text" } });
    await two.hear("new-message");
    assert.equal((await two.say("seen", { chat, user: { id: bo.id }, message: { id: sent.id } })).status, "ok");
    assert.equal((await one.hear("seen", (it) => it.user.id === bo.id)).message.id, sent.id);
    await one.ask("edit-message", { ...me, message: { id: sent.id, value: "ho" } });
    const edited = await two.hear("edit-message");
    assert.deepEqual([edited.message.msg, edited.user.id], ["ho", ann.id]);
    const foreign = await two.ask("edit-message", { chat, user: { id: bo.id }, message: { id: sent.id, value: "no" } });
    assert.equal(foreign.code, "forbidden");
    await one.ask("delete-message", { ...me, message: { id: sent.id } });
    assert.equal((await two.hear("delete-message")).message.id, sent.id);
    assert.equal((await one.ask("list-messages", { query: {}, chat })).messages.length, 0);
    await one.ask("remove-users", { ...me, users: [bo.id] });
    await two.hear("remove-users");
    const out = await two.ask("new-message", { chat, user: { id: bo.id }, message: { value: "x", type: "text" } });
    assert.equal(out.code, "not_found");
    one.close();
    two.close();
  });

  test(`${version}: nobody speaks for others`, async () => {
    const [one, two] = [await Client.connect(version), await Client.connect(version)];
    const ann = (await one.say("create-user", user(fresh("ann")))).user;
    const made = await one.ask("create-chat", { chat: { name: "secret" }, users: [ann.id] });
    const chat = { id: made.chat.id };
    const bodies = {
      "create-chat": { chat: { name: "x" }, users: [ann.id] },
      "list-chats": { user: { id: ann.id } },
      "list-messages": { query: {}, chat },
      "new-message": { chat, user: { id: ann.id }, message: { value: "x", type: "text" } },
      typing: { chat, user: { id: ann.id }, typing: true },
      seen: { chat, user: { id: ann.id } },
    };
    for (const [name, body] of Object.entries(bodies)) {
      assert.equal((await two.ask(name, body)).status, "error", name);
    }
    const wrong = await Client.connect(version, { key: "00000000-0000-4000-8000-000000000000" }).catch(() => null);
    if (wrong) {
      const told = await wrong.ask("create-user", user(fresh("eve")));
      assert.deepEqual([told.status, told.code], ["error", "unauthenticated"]);
      wrong.close();
    }
    one.close();
    two.close();
  });
}

test("by plain HTTP", async () => {
  const say = async (event, body) => (await http("POST", `/api/events/${event}`, body)).body.data;
  const ann = (await say("create-user", user(fresh("ann")))).user;
  const { chat } = await say("create-chat", { chat: { name: "by curl" }, users: [ann.id] });
  const body = { chat: { id: chat.id }, user: { id: ann.id }, message: { value: "hi", type: "text" } };
  assert.equal((await say("new-message", body)).msg, "hi");
  assert.equal((await say(`chat/${chat.id}/new-message`, body)).msg, "hi");
  const listed = await say("list-messages", { query: {}, chat: { id: chat.id }, user: { id: ann.id } });
  assert.equal(listed.messages.length, 2);
  assert.equal((await say("list-chats", { user: { id: ann.id } })).chats[0].id, chat.id);
});
