// Three servers on one PostgreSQL behind a balancer, of which one after the other is killed, paused, cut off and restarted,
// while clients of all APIs and transports write and listen. At the end every message that was acknowledged is in the log
// exactly once, and what each client has heard is what is there, in order.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Ground, OVER_NATS, pause, until } from './ground.mjs';
import { Ledger, clock, now } from './ledger.mjs';
import { Leaver } from './logins.mjs';
import { listeners, open, senders } from './place.mjs';
import { request } from './senders.mjs';

const LOGOUTS = OVER_NATS ? 60 : 200;
/** What has nothing to do with how servers tell each other what is new. */
const ALIKE = { skip: OVER_NATS && 'as by PostgreSQL' };
/** How many messages are acknowledged after each step before the next. */
const PROGRESS = 10;
/** How many messages of a deviation are told in full, and how much of what its client went through. */
const SHOWN = 3;
const AROUND = 6_000;

describe('three servers on one PostgreSQL behind a balancer', () => {
  const ledger = new Ledger();
  const leaver = new Leaver(ledger);
  let ground;
  let place;
  let writing;
  let listening;

  before(async () => {
    ground = await Ground.make();
    place = await open(ground.url, ledger);
    await leaver.register(ground.nodes[0]);
    listening = await listeners(place, ledger);
    writing = senders(place, ledger);
    for (const sender of writing) sender.begin();
    ledger.step(`${writing.length} clients write, ${listening.length} listen`);
    await progress();
  });

  after(() => ground?.close());

  /** Returns once more messages were acknowledged. */
  async function progress() {
    const enough = ledger.accepted() + PROGRESS;
    await until('messages are acknowledged', () => ledger.accepted() >= enough);
  }

  /** Does something to a server when its next batch has the log's lock, or else soon. */
  async function inABatch(node, what, act) {
    const done = node.way.atLock(() => {
      act();
      return 'in a batch';
    });
    const at = await Promise.race([done, pause(3_000)]);
    if (!at) throw new Error(`server ${node.name} has written nothing for 3 s`);
    ledger.step(`${node.name} ${what}, ${at}`);
  }

  async function startAgain(node) {
    node.start();
    await node.ready();
    ledger.step(`${node.name} is there again`);
    await progress();
  }

  test('one after the other is killed, every few seconds', async () => {
    const rounds = OVER_NATS ? ground.nodes : [...ground.nodes, ...ground.nodes];
    for (const [round, node] of rounds.entries()) {
      if (round % 2 === 0) await inABatch(node, 'is killed', () => node.signal('SIGKILL'));
      else {
        await pause(500 * Math.random());
        ledger.step(`${node.name} is killed`);
        node.signal('SIGKILL');
      }
      await node.ended;
      await pause(600);
      await startAgain(node);
    }
  });

  test('one after the other is stopped in the middle of a batch, and goes on', ALIKE, async () => {
    for (const [node, time] of [[ground.nodes[0], 1_500], [ground.nodes[1], 6_500], [ground.nodes[2], 800]]) {
      await inABatch(node, 'is stopped', () => node.signal('SIGSTOP'));
      await pause(time);
      node.signal('SIGCONT');
      ledger.step(`${node.name} goes on`);
      await progress();
    }
  });

  test('one is cut off from PostgreSQL, and refuses what ended elsewhere', ALIKE, async () => {
    const [one, two, three] = ground.nodes;
    const mend = (node, how) => () => {
      node.way.mend(how);
      ledger.step(`${node.name} has the database again`);
    };
    const told = ({ last, status, after: from }) => `the last 200 was asked for ${Math.round(last)} ms after the cut, ${status} from ${Math.round(from)} ms on`;
    const first = await leaver.whileCut(two, three, () => inABatch(two, 'is cut off', () => two.way.cut()), mend(two));
    ledger.step(`logged out elsewhere while ${two.name} is cut off: ${told(first)}`);
    await progress();
    const cut = async () => {
      three.way.cut();
      ledger.step(`${three.name} is cut off`);
    };
    const second = await leaver.whileCut(three, one, cut, mend(three, { broken: true }));
    ledger.step(`logged out elsewhere while ${three.name} is cut off: ${told(second)}`);
    await progress();
    one.way.delay(40);
    ledger.step(`${one.name} is 80 ms away from the database`);
    await pause(1_000);
    await progress();
    one.way.delay(0);
  });

  test('NATS is killed, and is there again', { skip: !OVER_NATS && 'there is none' }, async () => {
    const all = async (hear) => {
      for (const node of ground.nodes) {
        await until(`server ${node.name} ${hear ? 'hears' : 'hears nothing'}`, async () => (await node.hears()) === hear);
      }
    };
    for (const time of [200, 3_000]) {
      await all(true);
      ground.nats.stop();
      ledger.step('NATS is killed');
      await all(false);
      await progress();
      await pause(time);
      assert.ok((await Promise.all(ground.nodes.map((node) => node.isReady()))).every(Boolean), 'servers serve without it');
      ground.nats.start();
      ledger.step('NATS is there again');
      await progress();
    }
    await all(true);
  });

  test('PostgreSQL is restarted', ALIKE, async () => {
    ledger.step('PostgreSQL is stopped');
    await ground.postgres.stop();
    await pause(1_000);
    await ground.postgres.start();
    ledger.step('PostgreSQL is there again');
    await progress();
  });

  test('one after the other is stopped and started again, as for an upgrade', ALIKE, async () => {
    for (const node of ground.nodes) {
      const began = now();
      ledger.step(`${node.name} is asked to end`);
      await node.end('SIGTERM');
      assert.equal(node.process.exitCode, 0, node.lastWords());
      ledger.step(`${node.name} has ended, after ${Math.round(now() - began)} ms`);
      await startAgain(node);
    }
  });

  test('a login that is ended at one is refused by the others', async () => {
    const times = await leaver.many(ground.nodes, LOGOUTS);
    const of = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(1);
    ledger.step(`${times.length} logouts, refused at all servers within: p50 ${of(0.5)} ms, p99 ${of(0.99)} ms, at most ${of(1)} ms`);
  });

  test('every acknowledged message is there once, and every client has heard what is there', async () => {
    await until('all that was said is acknowledged', async () => (await Promise.all(writing.map((sender) => sender.stop())), true));
    const snapshots = [];
    for (const node of ground.nodes) snapshots.push([`server ${node.name}`, await snapshot(node)]);
    const [[, [first, ...said]]] = snapshots;
    for (const [name, all] of snapshots) ledger.compare(name, all.slice(1));
    const last = said.at(-1).id;
    const have = () => listening.every(({ mirror }) => mirror.last >= last);
    await until('everybody has heard the last message', have, 20_000).catch(() => {});
    for (const listener of listening) compare(listener, said, first.id);
    await Promise.all(listening.map((listener) => listener.close()));
    const { recovered, anew } = ledger;
    console.log(`${said.length} messages, ${listening.length} mirrors; sockets were recovered ${recovered} times and began anew ${anew} times; answers that were none:`);
    for (const [words, times] of ledger.refusals) console.log(`  ${String(times).padStart(5)} ${words}`);
    assert.ok(recovered > 0 && anew > listening.length, 'sockets come back in both ways');
    if (ledger.faults.length > 0) explain();
    assert.deepEqual(ledger.faults, []);
  });

  /** The whole chat, as a server tells it. */
  async function snapshot(node) {
    const messages = [];
    for (let before = ''; ; before = `&before=${messages[0].id}`) {
      const path = `${node.url}/api/chats/${place.chat}?limit=200${before}`;
      const page = await request(ledger, 'GET', path, undefined, place.bo.headers);
      messages.unshift(...page.messages.map(({ id, content }) => ({ id, text: content })));
      if (!page.has_more) return messages;
    }
  }

  /** What somebody has heard, with what is there after the first message. */
  function compare({ mirror, journal }, said, first) {
    const heard = mirror.messages.filter(({ id }) => id > first);
    const known = new Map(heard.map(({ id, text }) => [id, text]));
    const lacks = said.filter(({ id, text }) => known.get(id) !== text);
    const ids = new Set(said.map(({ id }) => id));
    const more = heard.filter(({ id }) => !ids.has(id));
    if (lacks.length === 0 && more.length === 0) return;
    ledger.fault(`${mirror.name} lacks ${lacks.length} of ${said.length} messages, and has ${more.length} that nobody else has`);
    for (const { id, text } of lacks.slice(0, SHOWN)) {
      const { acknowledged } = ledger.posts.find((post) => post.text === text) ?? {};
      console.log(`  it lacks ${id}, "${text}", acknowledged at ${clock(acknowledged)}; it went through`);
      for (const line of journal.between(acknowledged - AROUND, acknowledged + AROUND)) console.log(`    ${line}`);
    }
    for (const { id, text } of more.slice(0, SHOWN)) console.log(`  it has ${id}, "${text}"`);
  }

  /** What was done to servers, and what they say last. */
  function explain() {
    console.log('What was done:');
    for (const line of ledger.steps.between(0, Infinity)) console.log(`  ${line}`);
    for (const node of ground.nodes) console.log(`The log of ${node.name} ends:\n${node.lastWords()}`);
  }
});
