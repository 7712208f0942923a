// Who has heard whom: one row for each who speaks, one column for each who listens.

import assert from 'node:assert/strict';

import { SILENT, WORDS } from './words.mjs';

/** How long to wait before somebody who types says so again, and how often they do. */
const AGAIN = 200;
const TIMES = 600;

/** What is said: in many scripts, with what other encodings would spoil. */
const text = (what) => `${what}: “Grüße, Jürgen” 你好 👋🏽 <b>&amp;</b> %20 + \\n "quoted"\nand a second line`;

export class Matrix {
  faults = [];
  /** Of each sender and word who has heard it. */
  #heard = new Map();
  #count = 0;

  constructor(place) {
    this.place = place;
  }

  /** Notes whether a cell passed. */
  #note(sender, word, receiver, passed) {
    const cells = this.#heard.get(sender) ?? new Map();
    this.#heard.set(sender, cells);
    const row = cells.get(word) ?? new Map();
    cells.set(word, row);
    row.set(receiver, passed && row.get(receiver) !== false);
  }

  /** A text that nobody has said yet. */
  #said(sender, what) {
    this.#count += 1;
    return text(`${this.#count}, ${what} by ${sender.name}`);
  }

  /**
   * Somebody says a first word, and what each listener heard until then counts no more. (With several servers one may be
   * behind by a moment: who begins to listen there is told as news what another has acknowledged shortly before.)
   */
  async begin() {
    const first = this.#said(this.place.third, 'a first word');
    await this.place.third.say(first);
    await Promise.all(this.place.receivers.map((receiver) => receiver.upTo(first)));
  }

  /**
   * One after the other says three things, and each listener has heard them all, in that order. Then each changes two of
   * theirs, reacts, reads what a third one says, and says a last word: each listener has heard exactly that part for which
   * their API has words. (Who reads the log behind the others is told of a message as it is by then, so nothing is changed
   * before all have heard it.)
   */
  async speak() {
    const { senders } = this.place;
    const said = new Map();
    const told = [];
    for (const sender of senders) {
      const texts = ['first', 'second', 'third'].map((what) => this.#said(sender, what));
      const ids = await inOrder(sender, texts);
      said.set(sender, ids);
      told.push(...texts.map((words, index) => ({ sender, word: ['message', ids[index], words, sender.person] })));
    }
    await this.#allHear(told);
    const changes = [];
    for (const sender of senders) {
      const words = await this.#changes(sender, said.get(sender));
      changes.push(...words.map((word) => ({ sender, word })));
    }
    await this.#allHear(changes);
  }

  async #changes(sender, [first, second, third]) {
    const told = [];
    if (sender.edit) {
      const words = this.#said(sender, 'edited');
      await sender.edit(first, words);
      told.push(['edited', first, words]);
    }
    if (sender.delete) {
      await sender.delete(second);
      told.push(['deleted', second]);
    }
    if (sender.react) {
      await sender.react(third, '👍');
      told.push(['reaction', third, '👍', true, sender.person]);
    }
    if (sender.read) {
      const { third: other } = this.place;
      const words = this.#said(sender, 'to be read');
      const id = await other.say(words);
      await sender.read(id);
      told.push(['message', id, words, other.person], ['read', sender.person, id]);
    }
    const last = this.#said(sender, 'last');
    told.push(['message', await sender.say(last), last, sender.person]);
    return told;
  }

  /** Everybody has heard what was told, of which the last is a message: that of it for which they have words, and nothing else. */
  async #allHear(told) {
    const last = told.at(-1).word[2];
    await Promise.all(this.place.receivers.map((receiver) => this.#compare(receiver, told, last)));
  }

  async #compare(receiver, told, last) {
    const heard = await receiver.upTo(last);
    const expected = told.filter(({ word: [what] }) => receiver.words.includes(what)).map(({ sender, word }) => ({ sender, word: as(word, heard) }));
    const isRight = same(heard, expected.map(({ word }) => word));
    for (const { sender, word } of expected) {
      // Where something is wrong, those cells are whose words were not heard once.
      const times = isRight ? 1 : heard.filter((it) => same(it, word)).length;
      this.#note(sender, word[0], receiver, times === 1);
    }
    if (isRight) return;
    const at = expected.findIndex(({ word }, index) => !same(word, heard[index]));
    this.faults.push({ receiver: receiver.name, heard: heard.slice(Math.max(at, 0)).slice(0, 3), expected: expected[at]?.word });
  }

  /** Everybody speaks at the same time: all hear all of it, in one order. */
  async allAtOnce() {
    const { senders, receivers, third } = this.place;
    const said = senders.map((sender) => [1, 2].map((turn) => this.#said(sender, `at once, ${turn}`)));
    await Promise.all(senders.map((sender, index) => inOrder(sender, said[index])));
    const last = this.#said(third, 'last');
    await third.say(last);
    const orders = await Promise.all(receivers.map((receiver) => receiver.upTo(last)));
    const [order, ...others] = orders.map((words) => words.filter(([word]) => word === 'message').map(([, id, said]) => [id, said]));
    others.forEach((other, index) => assert.deepEqual(other, order, `${receivers[index + 1].name}: another order`));
    const ids = order.map(([id]) => id);
    assert.deepEqual(ids, ids.toSorted((one, other) => one - other), 'the order is that of the ids');
    assert.deepEqual(order.map(([, words]) => words).sort(), [...said.flat(), last].sort());
    for (const pair of said) {
      const places = pair.map((words) => order.findIndex(([, heard]) => heard === words));
      assert.ok(places[0] < places[1], `the order of ${pair[0]}`);
    }
  }

  /**
   * Somebody types, and has stopped. It is told to those who listen in that moment, and a long-poll does not between two
   * requests: so they say it until all know, as a client that goes on typing does.
   */
  async types(sender) {
    if (!sender.type) return;
    const listening = this.place.receivers.filter((receiver) => receiver.words.includes('typing') && !isOwn(sender, receiver));
    for (const on of [true, false]) await this.#until(sender, listening, on);
    for (const receiver of listening) {
      receiver.forgetTyping();
      this.#note(sender, 'typing', receiver, true);
    }
  }

  async #until(sender, listening, on) {
    const missing = () => listening.filter((receiver) => !receiver.knowsTyping(sender.person, on));
    for (let left = TIMES; missing().length > 0; left -= 1) {
      if (left === 0) {
        for (const receiver of missing()) this.#note(sender, 'typing', receiver, false);
        this.faults.push({ sender: sender.name, typing: on, receivers: missing().map(({ name }) => name) });
        return;
      }
      const known = Promise.all(listening.map((receiver) => receiver.typingKnown(sender.person, on)));
      await sender.type(on);
      await Promise.race([known, new Promise((resolve) => setTimeout(resolve, AGAIN))]);
    }
  }

  /** Nobody hears anything more than what was said: a last word comes alone. */
  async isQuiet() {
    const { receivers, third } = this.place;
    const last = this.#said(third, 'the end');
    const id = await third.say(last);
    for (const receiver of receivers) {
      const heard = await receiver.upTo(last);
      assert.deepEqual(heard, [['message', id, last, third.person]], `${receiver.name} hears more`);
    }
  }

  /** The matrix, a block for each word. */
  printed() {
    const { name, senders, receivers, cannot } = this.place;
    const lines = [`${name}: ${senders.length} speak, ${receivers.length} listen`];
    const width = Math.max(...senders.map((sender) => sender.name.length));
    for (const word of WORDS) {
      const silent = new Map();
      let passed = 0;
      let failed = 0;
      const rows = senders.filter((sender) => sender[VERBS[word]]);
      lines.push('', `  ${word}`);
      for (const sender of rows) {
        const marks = receivers.map((receiver) => {
          const why = reason(sender, receiver, word);
          if (why) {
            if (!silent.has(why)) silent.set(why, String.fromCharCode(97 + silent.size));
            return silent.get(why);
          }
          const isRight = this.#heard.get(sender)?.get(word)?.get(receiver) === true;
          if (isRight) passed += 1;
          else failed += 1;
          return isRight ? '✓' : '✗';
        });
        lines.push(`    ${sender.name.padEnd(width)}  ${marks.join(' ')}`);
      }
      lines.push(`    ${passed} passed, ${failed} failed`);
      for (const [why, mark] of silent) lines.push(`    ${mark}: ${why}`);
      const mute = senders.filter((sender) => !sender[VERBS[word]]).map((sender) => sender.name);
      if (mute.length > 0) lines.push(`    have no word for it: ${mute.join('; ')}`);
    }
    lines.push('', '  who listens, from the left:');
    receivers.forEach((receiver, index) => lines.push(`    ${String(index + 1).padStart(2)} ${receiver.name}`));
    lines.push('', '  who cannot be here:', ...[...cannot, ...NOWHERE].map((why) => `    ${why}`), '');
    return lines.join('\n');
  }
}

/** How a sender says what a word tells. */
const VERBS = { message: 'say', edited: 'edit', deleted: 'delete', reaction: 'react', read: 'read', typing: 'type' };

/** What can be nowhere. */
const NOWHERE = [
  'the messenger by Socket.IO or POST /api/events: its clients send by routes, and hear by GET /api/events',
  'a webhook as a sender, an incoming hook as a listener: each goes one way',
  'embedded chat without key and token: it has a tenant of its own, which no other API enters',
];

/** Whether a sender listens there themself. */
const isOwn = (sender, { person }) => person === sender.person;

/** Why a listener is not told of something; nothing if they are. */
function reason(sender, receiver, word) {
  if (word === 'typing' && isOwn(sender, receiver)) return 'the same person: nobody is told of their own typing';
  if (receiver.words.includes(word)) return undefined;
  if (word === 'typing' && receiver.name.startsWith('webhook')) return 'typing is a signal and no change: webhooks are told of changes';
  return SILENT[receiver.api];
}

/** Says several things: those who may, the next before the one before was answered. */
async function inOrder(sender, texts) {
  if (sender.pipelines) return Promise.all(texts.map((words) => sender.say(words)));
  const ids = [];
  for (const words of texts) ids.push(await sender.say(words));
  return ids;
}

/** What was said with the id that it was heard under, if its sender was told none. */
function as(word, heard) {
  const [what, id, text, person] = word;
  if (what !== 'message' || id !== undefined) return word;
  return [what, heard.find(([it, , said]) => it === what && said === text)?.[1], text, person];
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
