// The Engine.IO protocol, revisions 4 and 3, point by point on the wire.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PATIENCE, within } from "./clients.mjs";
import { Wire, sleep } from "./wire.mjs";

/** Of the servers whose heartbeat is the matter: long enough for a slow machine to answer in time. */
const INTERVAL = 1_000;
const TIMEOUT = 3_000;
/** Of all others. */
const CALM = 60_000;
/** How long a request may be on its way before the server holds it, which nothing tells: tried one after the other. */
const WAITS = [20, 500, 5_000];

const REVISIONS = {
  4: {
    wire: new Wire(process.env.ENGINE_URL, "/engine.io/", 4),
    beating: new Wire(process.env.BEAT_URL, "/engine.io/", 4),
    join: (...packets) => packets.join("\x1e"),
    binary: "bAQIDBA==",
    frame: Buffer.from([1, 2, 3, 4]),
  },
  3: {
    wire: new Wire(process.env.ENGINE3_URL, "/engine.io/", 3),
    beating: new Wire(process.env.BEAT3_URL, "/engine.io/", 3),
    join: (...packets) => packets.map((packet) => `${packet.length}:${packet}`).join(""),
    binary: "b4AQIDBA==",
    frame: Buffer.from([4, 1, 2, 3, 4]),
  },
};

for (const [revision, { wire, beating, join, binary, frame }] of Object.entries(REVISIONS)) {
  const four = revision === "4";

  /** Opens a session that polls in text. */
  const begin = async (at = wire) => (await at.open(four ? {} : { b64: 1 })).sid;

  /** The session is over, or will be soon: until then a poll may still have a packet. */
  const gone = async (sid, at = wire) => {
    const until = Date.now() + PATIENCE;
    for (;;) {
      const { status } = await within(at.get({ sid }), "the session does not end");
      if (status === 400) return;
      assert.ok(Date.now() < until, "the session does not end");
    }
  };

  /** Does something after which a request must be held by the server; again, more patiently, where it was not yet. */
  const patiently = async (work) => {
    for (const wait of WAITS) {
      try {
        return await work(wait);
      } catch (error) {
        if (wait === WAITS.at(-1)) throw error;
      }
    }
  };

  const handshake = (open, upgrades, [interval, timeout] = [CALM, CALM]) => {
    assert.equal(typeof open.sid, "string");
    assert.ok(open.sid.length >= 16, "a short id can be guessed");
    assert.deepEqual(open.upgrades, upgrades);
    assert.equal(open.pingInterval, interval);
    assert.equal(open.pingTimeout, timeout);
    assert.equal(open.maxPayload, 1_000_000);
  };

  /** Posts the payload and returns the answer to the next poll. */
  const exchange = async (sid, payload, at = wire) => {
    const pushed = await at.post({ sid }, payload);
    assert.equal(pushed.status, 200);
    assert.equal(await pushed.text(), "ok");
    const polled = await at.get({ sid });
    assert.equal(polled.status, 200);
    return polled;
  };

  /** A session whose WebSocket has been probed. */
  const probed = async () => {
    const sid = await begin();
    const socket = wire.socket({ sid });
    await socket.opened;
    assert.equal(await socket.send("2probe").read(), "3probe");
    return { sid, socket };
  };

  describe(`Engine.IO ${revision}`, () => {
    describe("the handshake", () => {
      test("polling opens a session", async () => {
        const open = await wire.open();
        assert.equal(open.status, 200);
        assert.equal(open.text, four ? open.packet : `${open.packet.length}:${open.packet}`);
        assert.equal(open.packet[0], "0");
        handshake(open, ["websocket"]);
        const keys = Object.keys(JSON.parse(open.packet.slice(1))).sort();
        assert.deepEqual(keys, ["maxPayload", "pingInterval", "pingTimeout", "sid", "upgrades"]);
      });

      test("a WebSocket opens a session", async () => {
        const socket = wire.socket();
        const open = await socket.read();
        assert.equal(open[0], "0");
        handshake(JSON.parse(open.slice(1)), []);
        socket.close();
      });

      test("a missing revision means 3, where 3 is spoken", async () => {
        const silent = await fetch(`${wire.http}?transport=polling`);
        assert.equal(silent.status, four ? 400 : 200);
        if (four) assert.equal((await silent.json()).code, 5);
      });

      test("a revision that is not spoken is refused", { skip: !four }, async () => {
        for (const EIO of ["abc", "3", "5", "", "__proto__"]) {
          const response = await fetch(`${wire.http}?EIO=${EIO}&transport=polling`);
          assert.equal(response.status, 400, EIO);
          assert.equal((await response.json()).code, 5, EIO);
          assert.equal(await wire.socket({ EIO }).refused(), 400, EIO);
        }
      });

      test("a transport that does not exist is refused", async () => {
        for (const transport of ["abc", "", "__proto__", "constructor"]) {
          const response = await wire.get({ transport });
          assert.equal(response.status, 400);
          assert.equal((await response.json()).code, 0);
        }
        assert.equal((await fetch(`${wire.http}?EIO=${revision}`)).status, 400);
      });

      test("a WebSocket of a transport that does not exist is refused", async () => {
        assert.equal(await wire.socket({ transport: "abc" }).refused(), 400);
        assert.equal(await wire.socket({ transport: "" }).refused(), 400);
      });

      test("only GET opens a session", async () => {
        for (const method of ["POST", "PUT"]) {
          const response = await wire.get({}, { method });
          assert.equal(response.status, 400, method);
          assert.equal((await response.json()).code, 2, method);
        }
      });

      test("a session that does not exist is refused", async () => {
        for (const sid of ["unknown", "__proto__", "constructor"]) {
          const response = await wire.get({ sid });
          assert.equal(response.status, 400);
          assert.equal((await response.json()).code, 1);
          assert.equal(await wire.socket({ sid }).refused(), 400);
        }
      });
    });

    describe("messages by polling", () => {
      test("one text", async () => {
        const payload = join("4hello");
        assert.equal(await (await exchange(await begin(), payload)).text(), payload);
      });

      test("several texts in one poll", async () => {
        const payload = join("4test1", "4test2", "4test3");
        assert.equal(await (await exchange(await begin(), payload)).text(), payload);
      });

      test("no more in one poll than every client takes", async () => {
        const sid = await begin();
        const packets = Array.from({ length: 20 }, (_, at) => `4message ${at}`);
        const first = await exchange(sid, join(...packets));
        assert.equal(await first.text(), join(...packets.slice(0, 16)));
        const second = await wire.get({ sid });
        assert.equal(await second.text(), join(...packets.slice(16)));
      });

      test("text beyond ASCII", async () => {
        const payload = join("4é", "4漢字", "4😀");
        assert.equal(await (await exchange(await begin(), payload)).text(), payload);
      });

      test("text and binary", async () => {
        const payload = join("4hello", binary);
        assert.equal(await (await exchange(await begin(), payload)).text(), payload);
      });

      test("a binary payload", { skip: four && "revision 4 polls in text" }, async () => {
        const { sid } = await wire.open();
        const polled = await exchange(sid, join("4hello", binary));
        const bytes = Buffer.from(await polled.arrayBuffer());
        const text = [0, 6, 255, ...Buffer.from("4hello")];
        assert.deepEqual([...bytes], [...text, 1, 5, 255, 4, 1, 2, 3, 4]);
      });

      test("a malformed payload ends the session", async () => {
        const sid = await begin();
        const pushed = await wire.post({ sid }, "abc").catch(() => ({ status: 400 }));
        assert.equal(pushed.status, 400);
        await gone(sid);
      });

      test("a second poll ends the session", async () => {
        const sid = await begin();
        // Either may come first.
        const answers = await Promise.all([wire.get({ sid }), wire.get({ sid })]);
        const [first, second] = answers.sort((a, b) => a.status - b.status);
        assert.equal(first.status, 200);
        assert.ok([400, 500].includes(second.status));
        assert.equal(await first.text(), join("1"));
        await gone(sid);
      });

      test("a poll that is given up ends the session", async () => {
        await patiently(async (wait) => {
          const sid = await begin();
          const given = new AbortController();
          const poll = wire.get({ sid }, { signal: given.signal });
          poll.catch(() => {});
          await sleep(wait);
          given.abort();
          // What the server has noticed by then is another poll's to say, which is not held itself.
          await sleep(wait);
          const next = new AbortController();
          const after = await Promise.race([wire.get({ sid }, { signal: next.signal }), sleep(wait + 500)]);
          next.abort();
          assert.equal(after?.status, 400);
        });
      });
    });

    describe("messages by WebSocket", () => {
      test("text", async () => {
        const socket = wire.socket();
        await socket.read();
        assert.equal(await socket.send("4hello").packet(), "4hello");
        socket.close();
      });

      test("binary", async () => {
        const socket = wire.socket();
        await socket.read();
        assert.deepEqual(await socket.send(frame).packet(), frame);
        socket.close();
      });

      test("a malformed message ends the session", async () => {
        const socket = wire.socket();
        await socket.read();
        await socket.send("abc").closed();
      });
    });

    describe("the heartbeat", () => {
      test("keeps a polling session alive", async () => {
        const sid = await begin(beating);
        for (let beat = 0; beat < 3; beat++) {
          if (four) {
            const polled = await beating.get({ sid });
            assert.equal(await polled.text(), "2");
            assert.equal((await beating.post({ sid }, "3")).status, 200);
          } else {
            assert.equal(await (await exchange(sid, "1:2", beating)).text(), "1:3");
            await sleep(INTERVAL - 50);
          }
        }
      });

      test("keeps a WebSocket alive, and does not begin at once", async () => {
        const opened = performance.now();
        const socket = beating.socket();
        handshake(JSON.parse((await socket.read()).slice(1)), [], [INTERVAL, TIMEOUT]);
        for (let beat = 0; beat < 3; beat++) {
          if (four) {
            assert.equal(await socket.read(), "2");
            if (beat === 0) assert.ok(performance.now() - opened >= INTERVAL * 0.9);
            socket.send("3");
          } else {
            assert.equal(await socket.send("2").read(), "3");
            await sleep(INTERVAL - 50);
          }
        }
        assert.equal(await socket.send("4alive").packet(), "4alive");
        socket.close();
      });

      test("its absence ends a polling session", async () => {
        const sid = await begin(beating);
        await sleep(INTERVAL + TIMEOUT);
        await gone(sid, beating);
        if (!four) assert.equal((await beating.post({ sid }, "1:2")).status, 400);
      });

      test("its absence ends a WebSocket", async () => {
        const socket = beating.socket();
        await socket.read();
        await socket.closed();
      });

      test("the wrong side's ends the session", async () => {
        const socket = wire.socket();
        await socket.read();
        await socket.send(four ? "2" : "3").closed();
      });
    });

    describe("the end", () => {
      test("of a polling session", async () => {
        await patiently(async (wait) => {
          const sid = await begin();
          const poll = wire.get({ sid });
          await sleep(wait);
          const pushed = await wire.post({ sid }, join("1"));
          assert.equal(await pushed.text(), "ok");
          assert.equal((await poll).status, 200);
          assert.equal(await (await poll).text(), join("6"));
          await gone(sid);
        });
      });

      test("of a WebSocket", async () => {
        const socket = wire.socket();
        await socket.read();
        await socket.send("1").closed();
      });
    });

    describe("the upgrade", () => {
      test("carries the session over", async () => {
        const { sid, socket } = await probed();
        const polled = await wire.get({ sid });
        assert.equal(polled.status, 200);
        assert.equal(await polled.text(), join("6"));
        assert.equal(await socket.send("5", "4hello").packet(), "4hello");
        socket.close();
      });

      test("leaves polling behind", async () => {
        const { sid, socket } = await probed();
        socket.send("5");
        assert.equal(await socket.send("4first").packet(), "4first");
        const response = await wire.get({ sid });
        assert.equal(response.status, 400);
        assert.equal((await response.json()).code, 3);
        assert.equal(await socket.send("4hello").packet(), "4hello");
        socket.close();
      });

      test("happens once", async () => {
        const { sid, socket } = await probed();
        socket.send("5");
        await wire.socket({ sid }).closed();
        assert.equal(await socket.send("4hello").packet(), "4hello");
        socket.close();
      });

      test("that fails leaves polling as it was", async () => {
        const sid = await begin();
        const socket = wire.socket({ sid });
        await socket.opened;
        socket.send("4not a probe");
        await socket.closed();
        const payload = join("4still here");
        assert.equal(await (await exchange(sid, payload)).text(), payload);
      });
    });
  });
}
