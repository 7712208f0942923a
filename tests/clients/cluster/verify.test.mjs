// What is spoiled is found: one message of many that is left out, told twice, told too late, told otherwise, told before CONNECT.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';

import { watchOrder } from './client.mjs';
import { Ledger } from './ledger.mjs';
import { Mirror } from './mirrors.mjs';
import { read } from './options.mjs';
import { divide, pick } from './place.mjs';
import { isWrong, ofLog, ofMirror } from './verify.mjs';

/** Ids have gaps: those of other chats are between. */
const LOG = Array.from({ length: 1_000 }, (_, index) => ({ id: 3 * index + 7, text: `${index + 1}: somebody` }));
const POSTS = LOG.map(({ id, text }, index) => ({ id, text, begun: 10 * index, acknowledged: 10 * index + 25 }));
const AT = 500;

/** How many there are of each, without those of which there are none. */
const counts = (found) => Object.fromEntries(Object.entries(found).flatMap(([what, list]) => (list.length > 0 ? [[what, list.length]] : [])));
const changed = (list, change) => {
  const copy = list.map((entry) => ({ ...entry }));
  change(copy);
  return copy;
};
const swap = (list) => list.splice(AT, 2, list[AT + 1], list[AT]);

/** Does something that says on the console what it finds. */
function quietly(act) {
  const { log } = console;
  console.log = () => {};
  try {
    act();
  } finally {
    console.log = log;
  }
}

test('what is as it must be is not wrong', () => {
  assert.ok(!isWrong(ofMirror(LOG, LOG)));
  assert.ok(!isWrong(ofLog(POSTS, LOG)));
});

test('a mirror that lacks one, has one twice, in another order, with another text or of its own is found', () => {
  const spoiled = (change) => counts(ofMirror(changed(LOG, change), LOG));
  assert.deepEqual(spoiled((list) => list.splice(AT, 1)), { lost: 1 });
  assert.deepEqual(spoiled((list) => list.pop()), { lost: 1 });
  assert.deepEqual(spoiled((list) => list.splice(AT, 0, list[AT])), { doubled: 1 });
  assert.deepEqual(spoiled((list) => list.push(list[AT])), { doubled: 1 });
  assert.deepEqual(spoiled(swap), { outOfOrder: 1 });
  assert.deepEqual(spoiled((list) => (list[AT].text = 'something else')), { altered: 1 });
  assert.deepEqual(spoiled((list) => list.splice(AT, 0, { id: list[AT].id + 1, text: 'nobody said it' })), { foreign: 1 });
  assert.deepEqual(spoiled((list) => (list[AT].id += 1)), { lost: 1, foreign: 1 });
});

test('a log that lacks one that was acknowledged, has one twice, or one that nobody said is found', () => {
  const spoiled = (change) => counts(ofLog(POSTS, changed(LOG, change)));
  assert.deepEqual(spoiled((list) => list.splice(AT, 1)), { lost: 1 });
  assert.deepEqual(spoiled((list) => list.push({ ...list[AT], id: list.at(-1).id + 1 })), { doubled: 1 });
  assert.deepEqual(spoiled((list) => list.push({ id: list.at(-1).id + 1, text: 'nobody said it' })), { foreign: 1 });
  assert.deepEqual(spoiled(swap), { outOfOrder: 1 });
  assert.deepEqual(spoiled((list) => (list[AT].id += 1)), { otherId: 1 });
});

test('one that was never acknowledged is found, and one that comes before what had been acknowledged when it was begun', () => {
  const spoiled = (change) => counts(ofLog(changed(POSTS, change), LOG));
  assert.deepEqual(spoiled((posts) => (posts[AT].acknowledged = undefined)), { unacknowledged: 1 });
  // Those that overlap may come in either order.
  assert.deepEqual(spoiled((posts) => (posts[AT].acknowledged = posts[AT - 1].begun)), {});
  assert.deepEqual(spoiled((posts) => (posts[AT].acknowledged = posts[AT - 1].begun - 1)), { outOfOrder: 1 });
});

test('a mirror keeps what it was told as it was told, and says at once what is wrong', () => {
  const spoiled = (how) => {
    const ledger = new Ledger('a chat', { write() {} });
    const mirror = new Mirror('a client', 'messenger', 1, ledger, ledger.journal('a client'));
    for (const [index, message] of LOG.entries()) {
      if (index === AT) mirror.spoil(how);
      mirror.told(message);
    }
    return [counts(ofMirror(mirror.messages(), LOG)), ledger.faults];
  };
  assert.deepEqual(spoiled(undefined), [{}, 0]);
  quietly(() => {
    assert.deepEqual(spoiled('drop'), [{ lost: 1 }, 0]);
    assert.deepEqual(spoiled('double'), [{ doubled: 1 }, 1]);
    assert.deepEqual(spoiled('swap'), [{ outOfOrder: 1 }, 1]);
    assert.deepEqual(spoiled('alter'), [{ altered: 1 }, 0]);
  });
});

test('a connection may tell once more what its history has, also after a recovery, but nothing twice', () => {
  const ledger = new Ledger('a chat', { write() {} });
  const mirror = new Mirror('a client', 'embed', 1, ledger, ledger.journal('a client'));
  const tell = (from, to) => LOG.slice(from, to).forEach((message) => mirror.told(message));
  mirror.begun();
  mirror.read(LOG.slice(0, 20));
  tell(10, 15);
  // Here it was recovered.
  tell(15, 30);
  assert.deepEqual([counts(ofMirror(mirror.messages(), LOG.slice(0, 30))), ledger.faults], [{}, 0]);
  mirror.begun();
  mirror.read(LOG.slice(30, 40));
  tell(28, 50);
  assert.deepEqual([counts(ofMirror(mirror.messages(), LOG.slice(0, 50))), ledger.faults], [{}, 0]);
  quietly(() => tell(38, 39));
  assert.equal(ledger.faults, 1);
});

test('an event before the answer to CONNECT is found, at each connection, and one that comes after its end is none', () => {
  const [CONNECT, EVENT, ACK, BINARY] = [0, 2, 3, 5];
  const manager = new EventEmitter();
  const found = { early: [], late: [] };
  watchOrder(
    manager,
    (event) => found.early.push(event),
    (event) => found.late.push(event),
  );
  const tell = (...types) => types.forEach((type, at) => manager.emit('packet', { type, data: [`event ${at}`] }));
  manager.emit('open');
  tell(CONNECT, EVENT, ACK, BINARY);
  manager.emit('close');
  assert.deepEqual(found, { early: [], late: [] });
  tell(EVENT);
  assert.deepEqual(found, { early: [], late: ['event 0'] });
  manager.emit('open');
  tell(EVENT, ACK, BINARY, CONNECT, EVENT);
  assert.deepEqual(found, { early: ['event 0', 'event 2'], late: ['event 0'] });
});

test('only a run with many clients or messages bears what a busy machine does', () => {
  for (const words of [[], ['--nats'], ['--rate', '50'], ['--summary', 'small', '--spoil', 'drop']]) {
    const { bounds, clients, messages } = read(words);
    assert.deepEqual([bounds.isStrict, bounds.again, bounds.refused, clients, messages], [true, 0, 0, 43, 0]);
  }
  for (const words of [['--clients', '300'], ['--messages', '1']]) assert.ok(!read(words).bounds.isStrict);
});

test('a crowd is divided among chats, and has every kind', () => {
  assert.deepEqual(divide(300, 7), [43, 43, 43, 43, 43, 43, 42]);
  assert.deepEqual(divide(43, 1), [43]);
  const kinds = ['a', 'b', 'c', 'd', 'e'];
  const names = (...how) => pick(kinds, ...how).map(({ kind }) => kind);
  assert.deepEqual(names(5, 0).sort(), kinds);
  assert.equal(new Set(names(3, 1)).size, 3);
  assert.deepEqual(new Set([0, 1, 2, 3, 4].flatMap((chat) => names(1, chat))).size, 5);
  assert.deepEqual(pick(kinds, 11, 2).filter(({ copy }) => copy === 2).length, 1);
});
