// Three servers on one PostgreSQL behind a balancer, of which one after the other is killed, paused, cut off and restarted,
// while clients of all APIs and transports write and listen. At the end every message that was acknowledged is in the log
// exactly once, and what each client has heard is what is there, in order.

import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { after, before, describe, test as nodeTest } from 'node:test';

import { Crowd } from './crowd.mjs';
import { Ground, pause } from './ground.mjs';
import { Ledger, Steps, now } from './ledger.mjs';
import { Leaver } from './logins.mjs';
import { OF_A_CHAT, ofProcess } from './options.mjs';
import * as summaries from './summary.mjs';
import { Trouble } from './trouble.mjs';
import { OF_A_MIRROR, OF_THE_LOG } from './verify.mjs';

const options = ofProcess();
const { overNats, messages, bounds } = options;
/** What has nothing to do with how servers tell each other what is new. */
const ALIKE = { skip: overNats && messages === 0 && 'as by PostgreSQL' };
const LOGOUTS = ALIKE.skip ? 60 : 200;
/** How many kinds of refusals are printed, and how many steps after a fault. */
const SHOWN = 20;
const LAST_STEPS = 400;

describe('three servers on one PostgreSQL behind a balancer', () => {
  const steps = new Steps();
  /** Of what is found by those that are in no chat. */
  const ledger = new Ledger('logins');
  const leaver = new Leaver(ledger, bounds);
  let ground;
  let crowd;
  let trouble;
  let began;

  /** A test after whose failure everything is kept. */
  function test(name, how, act) {
    nodeTest(name, how, async () => {
      try {
        await act();
      } catch (error) {
        if (ground) ground.isKept = true;
        throw error;
      }
    });
  }

  before(async () => {
    ground = await Ground.make(options);
    await leaver.register(ground.nodes[0]);
    crowd = new Crowd(ground.url, ground.folder, options);
    trouble = new Trouble(ground, crowd, steps, bounds);
    await crowd.open();
    steps.step(`${crowd.writing} clients write, ${crowd.listening} listen, in ${options.chats} chats`);
    began = now();
    await crowd.begin();
    await trouble.progress();
    if (options.spoil) await crowd.spoil(options.spoil);
  });

  after(async () => {
    await crowd?.close();
    ground?.close();
  });

  test('one after the other is killed, every few seconds', {}, async () => {
    const rounds = ALIKE.skip ? ground.nodes : [...ground.nodes, ...ground.nodes];
    for (const [round, node] of rounds.entries()) await trouble.kill(node, round % 2 === 0);
  });

  test('one after the other is stopped in the middle of a batch, and goes on', ALIKE, async () => {
    const [one, two, three] = ground.nodes;
    for (const [node, time] of [[one, 1_500], [two, 6_500], [three, 800]]) await trouble.stop(node, time);
  });

  test('one is cut off from PostgreSQL, and refuses what ended elsewhere', ALIKE, async () => {
    const [one, two, three] = ground.nodes;
    const told = ({ last, status, after: from }) => `the last 200 was asked for ${Math.round(last)} ms after the cut, ${status} from ${Math.round(from)} ms on`;
    const first = await leaver.whileCut(two, three, () => trouble.cut(two, true), () => trouble.mend(two));
    steps.step(`logged out elsewhere while ${two.name} is cut off: ${told(first)}`);
    await trouble.progress();
    const second = await leaver.whileCut(three, one, () => trouble.cut(three, false), () => trouble.mend(three, { broken: true }));
    steps.step(`logged out elsewhere while ${three.name} is cut off: ${told(second)}`);
    await trouble.progress();
    await trouble.delay(one, 1_000);
  });

  test('NATS is killed, and is there again', { skip: !overNats && 'there is none' }, async () => {
    for (const time of [200, 3_000]) await trouble.killNats(time);
    await trouble.allHear(true);
  });

  test('PostgreSQL is restarted', ALIKE, () => trouble.restartPostgres());

  test('one after the other is stopped and started again, as for an upgrade', ALIKE, async () => {
    for (const node of ground.nodes) await trouble.upgrade(node);
  });

  test('a login that is ended at one is refused by the others', {}, async () => {
    const times = await leaver.many(ground.nodes, LOGOUTS);
    const of = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(1);
    steps.step(`${times.length} logouts, refused at all servers within: p50 ${of(0.5)} ms, p99 ${of(0.99)} ms, at most ${of(1)} ms`);
  });

  const long = `one is killed again and again, until ${messages} messages were acknowledged`;
  test(long, { skip: messages === 0 && 'no number of messages was asked for' }, async () => {
    const end = began + options.minutes * 60_000;
    const isEnough = () => crowd.accepted() >= messages || now() > end;
    for (let turn = 0; !isEnough(); turn += 1) {
      const next = now() + options.every;
      await trouble.next(turn);
      steps.step(`${crowd.accepted()} messages are acknowledged`);
      while (now() < next && !isEnough()) await pause(50);
    }
  });

  test('every acknowledged message is there once, and every client has heard what is there', {}, async () => {
    await crowd.stop();
    const seconds = (now() - began) / 1_000;
    const sites = await crowd.verify(ground.nodes);
    const how = { seconds, troubles: trouble.counts, used: ground.used(), faults: ledger.faults };
    const all = summaries.summary(sites, options, crowd, how);
    if (options.summary) summaries.write(resolve(process.env.CLUSTER_FROM ?? '.', options.summary), all);
    console.log(`\n${summaries.text(all)}answers that were none:`);
    for (const [words, times] of summaries.refusals(sites).slice(0, SHOWN)) console.log(`  ${String(times).padStart(6)} ${words}`);
    if (all.faults > 0) explain();
    const none = (names) => Object.fromEntries(names.map((name) => [name, 0]));
    assert.deepEqual([all.log, all.mirrors], [none(OF_THE_LOG), none(OF_A_MIRROR)]);
    assert.deepEqual([...ledger.told, ...sites.flatMap(({ told }) => told)], []);
    assertEnough(all);
  });

  /** A run in which little has happened shows nothing. */
  function assertEnough(all) {
    const { sockets, troubles, acknowledged } = all;
    assert.ok(acknowledged >= messages || all.seconds > options.minutes * 60, 'as much was said as was asked for');
    assert.ok(all.delivered >= acknowledged, 'what was said was told');
    assert.ok(troubles.in_a_batch > 0, 'something happened to servers in the middle of a batch');
    // A few clients are not of every kind, and may leave a server nothing to write.
    if (options.clients < OF_A_CHAT) return;
    assert.ok(sockets.recovered > 0 && sockets.anew > crowd.listening, 'sockets come back in both ways');
    assert.ok(troubles.in_a_batch > troubles.outside_batches, 'servers have something to write');
  }

  /** What was done to servers, and what they say last; the rest is kept. */
  function explain() {
    console.log('What was done:');
    for (const line of steps.lines.slice(-LAST_STEPS)) console.log(`  ${line}`);
    for (const node of ground.nodes) console.log(`The log of ${node.name} ends:\n${node.lastWords()}`);
  }
});
