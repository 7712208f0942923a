// What an application does with Socket.IO, with every client over every transport.

import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { RECOVERY, ask, clients, connected, next, plain, several } from "./clients.mjs";

const BYTES = Buffer.from([0, 1, 2, 3, 254, 255]);

for (const client of clients) {
  describe(client.name, { concurrency: false }, () => {
    afterEach(() => client.closeAll());

    test("connects, and its id is not the connection's", async () => {
      const socket = await client.connect();
      assert.ok(socket.connected);
      assert.equal(typeof socket.id, "string");
      assert.equal(socket.id === socket.io.engine.id, client.major === 2);
      assert.equal(socket.io.engine.transport.name, client.transport === "polling" ? "polling" : "websocket");
    });

    test("text comes back as it went", async () => {
      const socket = await client.connect();
      const args = ["text", "", "é ü 漢 😀 \u0000 \u2028 \"\\", 0, -1.5, 2 ** 53, true, null, [], {}, { deep: [{ er: [1, [2]] }] }];
      socket.emit("echo", ...args);
      assert.deepEqual(await next(socket, "echo"), args);
      assert.deepEqual(await ask(socket, "echo", ...args), args);
      assert.deepEqual(await ask(socket, "echo"), []);
    });

    test("binary comes back as it went", async () => {
      const socket = await client.connect();
      const args = [BYTES, Buffer.alloc(0), { inside: [BYTES, { deeper: BYTES }] }, Buffer.alloc(300, 0x1e)];
      socket.emit("echo", ...args);
      assert.deepEqual(plain(await next(socket, "echo")), args);
      assert.deepEqual(plain(await ask(socket, "echo", ...args)), args);
    });

    test("text and binary mix", async () => {
      const socket = await client.connect();
      const args = ["before", BYTES, { name: "x", data: BYTES, n: 1 }, null, "after"];
      assert.deepEqual(plain(await ask(socket, "echo", ...args)), args);
      const [file] = await ask(socket, "file", { name: "a.png", data: BYTES });
      assert.deepEqual(plain(file), { name: "a.png", size: 6, head: BYTES.subarray(0, 4) });
    });

    test("the server makes binary of its own", async () => {
      const socket = await client.connect();
      assert.deepEqual(plain(await ask(socket, "reverse", BYTES)), [Buffer.from(BYTES).reverse()]);
      socket.emit("pack", 5);
      const [text, { parts }, empty] = plain((await next(socket, "pack")).slice(0, 3));
      assert.equal(text, "text");
      assert.deepEqual(parts, [0, 1, 2, 3, 4].map((at) => Buffer.from([at])));
      assert.equal(empty.length, 0);
    });

    test("the server acknowledges", async () => {
      const socket = await client.connect();
      const sums = await Promise.all([1, 2, 3, 4, 5].map((n) => ask(socket, "sum", n, 10)));
      assert.deepEqual(sums, [[11], [12], [13], [14], [15]]);
    });

    test("the client acknowledges", async () => {
      const socket = await client.connect();
      socket.on("question", (...args) => args.pop()("re", ...args));
      socket.emit("ask", "why", BYTES);
      assert.deepEqual(plain(await next(socket, "answered")), ["re", "why", BYTES]);
      socket.emit("ask", 1);
      assert.deepEqual(await next(socket, "answered"), ["re", 1]);
    });

    test("the server does not wait forever for an acknowledgement", async () => {
      const socket = await client.connect();
      const asked = next(socket, "question-in-vain");
      socket.emit("ask-in-vain", 50);
      assert.deepEqual(await next(socket, "unanswered"), [true]);
      // An answer that comes too late harms nobody.
      (await asked).at(-1)("late");
      assert.deepEqual(await ask(socket, "sum", 1, 1), [2]);
    });

    test("the handshake is known to the server", async () => {
      const headers = { "x-lab": "yes" };
      const options =
        client.major === 4
          ? { query: { colour: "a b&c=d" }, auth: { token: "t" }, extraHeaders: headers }
          : {
              query: { colour: "a b&c=d" },
              transportOptions: { polling: { extraHeaders: headers }, websocket: { extraHeaders: headers } },
            };
      const socket = await client.connect("/", options);
      const [who] = await ask(socket, "whoami");
      assert.equal(who.query.colour, "a b&c=d");
      assert.equal(who.query.EIO, client.major === 4 ? "4" : "3");
      assert.equal(who.lab, "yes");
      if (client.major === 4) {
        assert.deepEqual(who.auth, { token: "t" });
        assert.equal(who.id, socket.id);
      }
    });

    test("a namespace lets in who may", async () => {
      const socket =
        client.major === 4
          ? await client.connect("/admin", { auth: { token: "letmein" } })
          : await client.connect("/admin?token=letmein");
      assert.deepEqual(plain(await ask(socket, "echo", "in", BYTES)), ["in", BYTES]);
    });

    test("a namespace refuses with a message and data", async () => {
      if (client.major === 4) {
        const error = await client.refusal("/admin", { auth: { token: "please" } });
        assert.equal(error.message, "that is not the word");
        assert.deepEqual(error.data, { code: 403, given: "please" });
      } else {
        assert.deepEqual(await client.refusal("/admin?token=please"), { code: 403, given: "please" });
      }
    });

    test("a namespace refuses with a message alone", async () => {
      const error = await client.refusal("/closed");
      assert.equal(client.major === 4 ? error.message : error, "we are closed");
    });

    test("an unknown namespace is refused", async () => {
      const error = await client.refusal("/nowhere");
      assert.equal(error.message ?? error, "Invalid namespace");
    });

    test("a namespace may be made when it is asked for", async () => {
      const socket = await client.connect("/team-7");
      assert.deepEqual(await ask(socket, "where"), ["/team-7"]);
    });

    test("namespaces share a connection and nothing else", async () => {
      const main = await client.connect();
      const team = main.io.socket("/team-1");
      client.open.push(team);
      await connected(team);
      assert.deepEqual(await ask(team, "where"), ["/team-1"]);
      team.disconnect();
      assert.deepEqual(await ask(main, "sum", 2, 2), [4]);
      team.connect();
      await connected(team);
      assert.deepEqual(await ask(team, "where"), ["/team-1"]);
    });

    test("rooms are heard by those inside", async () => {
      const [ann, bo, eve] = await Promise.all([client.connect(), client.connect(), client.connect()]);
      const room = `r-${ann.id}`;
      assert.deepEqual(await ask(ann, "join", room), [[room]]);
      await Promise.all([ask(bo, "join", room), ask(eve, "join", `${room}-other`)]);
      const heard = { ann: [], bo: [], eve: [] };
      ann.on("said", (...args) => heard.ann.push(args));
      bo.on("said", (...args) => heard.bo.push(args));
      eve.on("said", (...args) => heard.eve.push(args));

      const said = several(bo, "said", 3);
      ann.emit("say", room, "to others", BYTES);
      ann.emit("shout", room, "to all");
      ann.emit("say-except", room, `${room}-other`, "not to eve");
      await said;
      // Every answer comes after what was sent before it.
      await Promise.all([ask(ann, "sum", 0, 0), ask(eve, "sum", 0, 0)]);
      assert.deepEqual(plain(heard.bo), [["to others", BYTES], ["to all"], ["not to eve"]]);
      assert.deepEqual(heard.ann, [["to all"], ["not to eve"]]);
      assert.deepEqual(heard.eve, []);

      assert.deepEqual(await ask(bo, "leave", room), [[]]);
      ann.emit("shout", room, "bo is gone");
      await ask(ann, "sum", 0, 0);
      await ask(bo, "sum", 0, 0);
      assert.equal(heard.bo.length, 3);
    });

    test("a whole room acknowledges", async () => {
      const sockets = await Promise.all(["a", "b", "c"].map(() => client.connect()));
      const room = `v-${sockets[0].id}`;
      for (const [at, socket] of sockets.entries()) {
        socket.on("vote", (ack) => ack(`vote ${at}`));
        await ask(socket, "join", room);
      }
      assert.deepEqual(await ask(sockets[0], "poll-room", room), [["vote 0", "vote 1", "vote 2"]]);
    });

    test("a volatile event arrives where nothing is in its way", async () => {
      const socket = await client.connect();
      const heard = next(socket, "volatile");
      socket.emit("volatile", "now");
      if (client.transport === "polling") {
        // Between two polls it may be lost; what follows it may not.
        heard.catch(() => {});
        assert.deepEqual(await ask(socket, "sum", 1, 1), [2]);
      } else {
        assert.deepEqual(await heard, ["now"]);
      }
    });

    test("order is kept from the server", async () => {
      const socket = await client.connect();
      const events = several(socket, "burst", 500);
      await ask(socket, "burst", 500);
      for (const [at, [number, bytes]] of plain(await events).entries()) {
        assert.equal(number, at);
        assert.deepEqual(bytes, at % 10 === 0 ? Buffer.from([at % 256]) : null);
      }
    });

    test("order is kept to the server, through an upgrade too", async () => {
      const socket = client.start();
      await connected(socket);
      for (let at = 0; at < 300; at++) socket.emit("number", at, at % 50 === 0 ? BYTES : null);
      await client.settled(socket);
      for (let at = 300; at < 350; at++) socket.emit("number", at);
      const [numbers] = await ask(socket, "numbers");
      assert.deepEqual(numbers, Array.from({ length: 350 }, (_, at) => at));
    });

    test("large messages pass both ways", async () => {
      const socket = await client.connect();
      const [text, bytes] = plain(await ask(socket, "big", 200_000));
      assert.equal(text, "x".repeat(200_000));
      assert.ok(bytes.equals(Buffer.alloc(200_000, 7)));
      const sent = [`${"é".repeat(100_000)}😀`, Buffer.alloc(300_000, 9)];
      const [back, backBytes] = plain(await ask(socket, "echo", ...sent));
      assert.equal(back, sent[0]);
      assert.ok(backBytes.equals(sent[1]));
    });

    test("lives through heartbeats", async () => {
      const socket = await client.connect();
      if (client.major === 4) {
        await several(socket.io, "ping", 3);
      } else {
        await several(socket, "pong", 3);
      }
      assert.deepEqual(await ask(socket, "sum", 3, 4), [7]);
    });

    test("the server ends a socket", async () => {
      const socket = await client.connect();
      socket.emit("kick");
      assert.equal((await next(socket, "disconnect"))[0], "io server disconnect");
    });

    test("the server ends a connection", async () => {
      const socket = await client.connect("/", { reconnection: false });
      socket.emit("hang-up");
      const [reason] = await next(socket, "disconnect");
      assert.ok(["io server disconnect", "transport close", "transport error"].includes(reason), reason);
    });

    test("the server knows who left", async () => {
      const watcher = await client.connect();
      await ask(watcher, "watch");
      const leaver = await client.connect();
      const [{ id }] = await ask(leaver, "whoami");
      const left = several(watcher, "left", 1);
      leaver.disconnect();
      const [[who, reason]] = await left;
      assert.equal(who, id);
      const reasons = ["client namespace disconnect", "transport close", "transport error"];
      assert.ok(reasons.includes(reason), reason);
    });

    test("comes back after its connection is lost", async () => {
      const socket = await client.connect();
      const before = socket.id;
      const lost = next(socket, "disconnect");
      socket.emit("drop");
      await lost;
      // Sent while away, it is delivered after the return.
      const answer = ask(socket, "sum", 20, 22);
      await connected(socket);
      assert.deepEqual(await answer, [42]);
      assert.notEqual(socket.id, before);
    });

    test("recovers what it missed", { skip: client.major === 2 && "revision 4 has no recovery" }, async () => {
      const socket = await client.connect("/", {}, RECOVERY);
      const sender = await client.connect("/", {}, RECOVERY);
      assert.equal(socket.recovered, false);
      const before = socket.id;
      const room = `m-${before}`;
      await ask(socket, "join", room);
      sender.emit("say", room, "first");
      assert.equal((await next(socket, "said"))[0], "first");

      const heard = several(socket, "said", 3);
      const lost = next(socket, "disconnect");
      socket.emit("drop");
      await lost;
      sender.emit("say", room, "missed", BYTES);
      sender.emit("say", room, "missed too");
      await ask(sender, "sum", 0, 0);
      await connected(socket);
      assert.equal(socket.recovered, true);
      assert.equal(socket.id, before);
      sender.emit("say", room, "live");
      const texts = (await heard).map(([text]) => text);
      assert.deepEqual(texts, ["missed", "missed too", "live"]);
    });

    test("a stranger's claim to recover is a new connection", { skip: client.major === 2 }, async () => {
      const socket = await client.connect("/", { auth: { pid: "made-up", offset: "made-up" } }, RECOVERY);
      assert.equal(socket.recovered, false);
      assert.deepEqual(await ask(socket, "sum", 1, 2), [3]);
    });
  });
}
