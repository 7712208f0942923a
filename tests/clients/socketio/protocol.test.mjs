// The Socket.IO protocol, revision 5, point by point on the wire.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Wire } from "./wire.mjs";

const wire = new Wire(process.env.ECHO_URL, "/socket.io/", 4);
const ONE = Buffer.from([1, 2, 3]);
const TWO = Buffer.from([4, 5, 6]);
const HOLES = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';

/** A WebSocket of which the Engine.IO handshake is done. */
async function open() {
  const socket = wire.socket();
  assert.equal((await socket.read())[0], "0");
  return socket;
}

/** Joins a namespace: the reply's payload, and the event that greets. */
async function join(socket, connect, prefix) {
  const reply = await socket.send(connect).packet();
  assert.ok(reply.startsWith(prefix), reply);
  return { payload: JSON.parse(reply.slice(prefix.length)), greeting: await socket.packet() };
}

async function joined() {
  const socket = await open();
  await join(socket, "40", "40");
  return socket;
}

describe("Socket.IO 5", () => {
  describe("joining", () => {
    for (const [connect, prefix, greeting] of [
      ["40", "40", '42["auth",{}]'],
      ['40{"token":"123"}', "40", '42["auth",{"token":"123"}]'],
      ["40/custom,", "40/custom,", '42/custom,["auth",{}]'],
      ["40/custom", "40/custom,", '42/custom,["auth",{}]'],
      ['40/custom,{"token":"abc"}', "40/custom,", '42/custom,["auth",{"token":"abc"}]'],
    ]) {
      test(`with ${connect}`, async () => {
        const socket = await open();
        const { payload, greeting: heard } = await join(socket, connect, prefix);
        assert.deepEqual(Object.keys(payload), ["sid"]);
        assert.equal(typeof payload.sid, "string");
        assert.equal(heard, greeting);
        socket.close();
      });
    }

    test("the socket's id is not the connection's", async () => {
      const socket = wire.socket();
      const { sid } = JSON.parse((await socket.read()).slice(1));
      const { payload } = await join(socket, "40", "40");
      assert.notEqual(payload.sid, sid);
      socket.close();
    });

    test("an unknown namespace is refused, and the connection lives", async () => {
      const socket = await open();
      const refusal = await socket.send("40/random").packet();
      assert.equal(refusal, '44/random,{"message":"Invalid namespace"}');
      await join(socket, "40", "40");
      socket.close();
    });

    test("is not waited for forever", async () => {
      const socket = await open();
      for (;;) {
        const ping = await Promise.race([socket.read().catch(() => null), socket.closing.then(() => null)]);
        if (ping === null) break;
        assert.equal(ping, "2");
        socket.send("3");
      }
      await socket.closed();
    });
  });

  describe("leaving", () => {
    test("leaves the connection up", async () => {
      const socket = await joined();
      assert.equal(await socket.send("41").read(), "2");
      socket.close();
    });

    test("one namespace leaves the others", async () => {
      const socket = await joined();
      await join(socket, "40/custom", "40/custom,");
      socket.send("41/custom", '42["message","to the main one"]');
      assert.equal(await socket.packet(), '42["message-back","to the main one"]');
      socket.close();
    });
  });

  describe("messages", () => {
    test("an event", async () => {
      const socket = await joined();
      socket.send('42["message",1,"2",{"3":[true]}]');
      assert.equal(await socket.packet(), '42["message-back",1,"2",{"3":[true]}]');
      socket.close();
    });

    test("an event with attachments", async () => {
      const socket = await joined();
      socket.send(`452-["message",${HOLES}]`, ONE, TWO);
      assert.equal(await socket.packet(), `452-["message-back",${HOLES}]`);
      assert.deepEqual([await socket.packet(), await socket.packet()], [ONE, TWO]);
      socket.close();
    });

    test("an acknowledgement", async () => {
      const socket = await joined();
      socket.send('42456["message-with-ack",1,"2",{"3":[false]}]');
      assert.equal(await socket.packet(), '43456[1,"2",{"3":[false]}]');
      socket.close();
    });

    test("an acknowledgement with attachments", async () => {
      const socket = await joined();
      socket.send(`452-789["message-with-ack",${HOLES}]`, ONE, TWO);
      assert.equal(await socket.packet(), `462-789[${HOLES}]`);
      assert.deepEqual([await socket.packet(), await socket.packet()], [ONE, TWO]);
      socket.close();
    });
  });

  describe("what closes the connection", () => {
    test("anything but a packet, before joining", async () => {
      const socket = await open();
      await socket.send("4abc").closed();
    });

    for (const [what, ...messages] of [
      ["an unknown type", "4abc"],
      ["no type", "4"],
      ["a payload that is no list", "42{}"],
      ["an empty list", "42[]"],
      ["a name that is no name", "42[null]"],
      ["a number that is none", '42abc["message-with-ack",1]'],
      ["a reserved name", '42["disconnecting"]'],
      ["a farewell with a payload", "41{}"],
      ["a namespace that was not joined", '42/custom,["message"]'],
      ["joining twice", "40"],
      ["a server's packet", '44{"message":"no"}'],
      ["text while attachments are due", `452-["message",${HOLES}]`, '42["message"]'],
      ["a stray attachment", ONE],
      ["too many attachments", '4511-["message"]'],
      ["a placeholder out of range", '451-["message",{"_placeholder":true,"num":1}]'],
    ]) {
      test(what, async () => {
        const socket = await joined();
        await socket.send(...messages).closed();
      });
    }
  });
});
