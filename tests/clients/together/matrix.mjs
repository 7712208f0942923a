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
  /** Of each speaker and word who has heard it. */
  #heard = new Map();
  #count = 0;

  constructor(place) {
    this.place = place;
  }

  /** Notes whether a cell passed. */
  #note(speaker, word, hearer, passed) {
    const cells = this.#heard.get(speaker) ?? new Map();
    this.#heard.set(speaker, cells);
    const row = cells.get(word) ?? new Map();
    cells.set(word, row);
    row.set(hearer, passed && row.get(hearer) !== false);
  }

  /** A text that nobody has said yet. */
  #said(speaker, what) {
    this.#count += 1;
    return text(`${this.#count}, ${what} by ${speaker.name}`);
  }

  /**
   * One after the other says three things, and each listener has heard them all, in that order. Then each changes two of
   * theirs, reacts, reads what a third one says, and says a last word: each listener has heard exactly that part for which
   * their API has words. (Who reads the log behind the others is told of a message as it is by then, so nothing is changed
   * before all have heard it.)
   */
  async speak() {
    const { speakers } = this.place;
    const said = new Map();
    const told = [];
    for (const speaker of speakers) {
      const texts = ['first', 'second', 'third'].map((what) => this.#said(speaker, what));
      const ids = await inOrder(speaker, texts);
      said.set(speaker, ids);
      told.push(...texts.map((words, index) => ({ speaker, word: ['message', ids[index], words, speaker.person] })));
    }
    await this.#allHear(told);
    const changes = [];
    for (const speaker of speakers) {
      const words = await this.#changes(speaker, said.get(speaker));
      changes.push(...words.map((word) => ({ speaker, word })));
    }
    await this.#allHear(changes);
  }

  async #changes(speaker, [first, second, third]) {
    const told = [];
    if (speaker.edit) {
      const words = this.#said(speaker, 'edited');
      await speaker.edit(first, words);
      told.push(['edited', first, words]);
    }
    if (speaker.delete) {
      await speaker.delete(second);
      told.push(['deleted', second]);
    }
    if (speaker.react) {
      await speaker.react(third, '👍');
      told.push(['reaction', third, '👍', true, speaker.person]);
    }
    if (speaker.read) {
      const { third: other } = this.place;
      const words = this.#said(speaker, 'to be read');
      const id = await other.say(words);
      await speaker.read(id);
      told.push(['message', id, words, other.person], ['read', speaker.person, id]);
    }
    const last = this.#said(speaker, 'last');
    told.push(['message', await speaker.say(last), last, speaker.person]);
    return told;
  }

  /** Everybody has heard what was told, of which the last is a message: that of it for which they have words, and nothing else. */
  async #allHear(told) {
    const last = told.at(-1).word[2];
    await Promise.all(this.place.hearers.map((hearer) => this.#compare(hearer, told, last)));
  }

  async #compare(hearer, told, last) {
    const heard = await hearer.upTo(last);
    const expected = told.filter(({ word: [what] }) => hearer.words.includes(what)).map(({ speaker, word }) => ({ speaker, word: as(word, heard) }));
    const isRight = same(heard, expected.map(({ word }) => word));
    for (const { speaker, word } of expected) {
      // Where something is wrong, those cells are whose words were not heard once.
      const times = isRight ? 1 : heard.filter((it) => same(it, word)).length;
      this.#note(speaker, word[0], hearer, times === 1);
    }
    if (isRight) return;
    const at = expected.findIndex(({ word }, index) => !same(word, heard[index]));
    this.faults.push({ hearer: hearer.name, heard: heard.slice(Math.max(at, 0)).slice(0, 3), expected: expected[at]?.word });
  }

  /** Everybody speaks at the same time: all hear all of it, in one order. */
  async allAtOnce() {
    const { speakers, hearers, third } = this.place;
    const said = speakers.map((speaker) => [1, 2].map((turn) => this.#said(speaker, `at once, ${turn}`)));
    await Promise.all(speakers.map((speaker, index) => inOrder(speaker, said[index])));
    const last = this.#said(third, 'last');
    await third.say(last);
    const orders = await Promise.all(hearers.map((hearer) => hearer.upTo(last)));
    const [order, ...others] = orders.map((words) => words.filter(([word]) => word === 'message').map(([, id, said]) => [id, said]));
    others.forEach((other, index) => assert.deepEqual(other, order, `${hearers[index + 1].name}: another order`));
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
  async types(speaker) {
    if (!speaker.type) return;
    const listening = this.place.hearers.filter((hearer) => hearer.words.includes('typing') && !isOwn(speaker, hearer));
    for (const on of [true, false]) await this.#until(speaker, listening, on);
    for (const hearer of listening) {
      const told = hearer.typing();
      const passed = told.every(([, person, on]) => person === speaker.person && typeof on === 'boolean');
      this.#note(speaker, 'typing', hearer, passed);
      if (!passed) this.faults.push({ speaker: speaker.name, hearer: hearer.name, told });
    }
  }

  async #until(speaker, listening, on) {
    const missing = () => listening.filter((hearer) => !hearer.knowsTyping(speaker.person, on));
    for (let left = TIMES; missing().length > 0; left -= 1) {
      const names = missing().map(({ name }) => name);
      assert.ok(left > 0, `typing ${on} of ${speaker.name} is told nobody of these: ${names.join('; ')}`);
      const known = Promise.all(listening.map((hearer) => hearer.typingKnown(speaker.person, on)));
      await speaker.type(on);
      await Promise.race([known, new Promise((resolve) => setTimeout(resolve, AGAIN))]);
    }
  }

  /** Nobody hears anything more than what was said: a last word comes alone. */
  async isQuiet() {
    const { hearers, third } = this.place;
    const last = this.#said(third, 'the end');
    const id = await third.say(last);
    for (const hearer of hearers) {
      const heard = await hearer.upTo(last);
      assert.deepEqual(heard, [['message', id, last, third.person]], `${hearer.name} hears more`);
    }
  }

  /** The matrix, a block for each word. */
  printed() {
    const { name, speakers, hearers, cannot } = this.place;
    const lines = [`${name}: ${speakers.length} speak, ${hearers.length} listen`];
    const width = Math.max(...speakers.map((speaker) => speaker.name.length));
    for (const word of WORDS) {
      const silent = new Map();
      let passed = 0;
      let failed = 0;
      const rows = speakers.filter((speaker) => speaker[VERBS[word]]);
      lines.push('', `  ${word}`);
      for (const speaker of rows) {
        const marks = hearers.map((hearer) => {
          const why = reason(speaker, hearer, word);
          if (why) {
            if (!silent.has(why)) silent.set(why, String.fromCharCode(97 + silent.size));
            return silent.get(why);
          }
          const isRight = this.#heard.get(speaker)?.get(word)?.get(hearer) === true;
          if (isRight) passed += 1;
          else failed += 1;
          return isRight ? '✓' : '✗';
        });
        lines.push(`    ${speaker.name.padEnd(width)}  ${marks.join(' ')}`);
      }
      lines.push(`    ${passed} passed, ${failed} failed`);
      for (const [why, mark] of silent) lines.push(`    ${mark}: ${why}`);
      const mute = speakers.filter((speaker) => !speaker[VERBS[word]]).map((speaker) => speaker.name);
      if (mute.length > 0) lines.push(`    have no word for it: ${mute.join('; ')}`);
    }
    lines.push('', '  who listens, from the left:');
    hearers.forEach((hearer, index) => lines.push(`    ${String(index + 1).padStart(2)} ${hearer.name}`));
    lines.push('', '  who cannot be here:', ...[...cannot, ...NOWHERE].map((why) => `    ${why}`), '');
    return lines.join('\n');
  }
}

/** How a speaker says what a word tells. */
const VERBS = { message: 'say', edited: 'edit', deleted: 'delete', reaction: 'react', read: 'read', typing: 'type' };

/** What can be nowhere. */
const NOWHERE = [
  'the messenger by Socket.IO or POST /api/events: its clients send by routes, and hear by GET /api/events',
  'a webhook as a speaker, an incoming hook as a listener: each goes one way',
  'embedded chat without key and token: it has a tenant of its own, which no other API enters',
];

/** Whether a speaker listens there themself. */
const isOwn = (speaker, { person }) => person === speaker.person;

/** Why a listener is not told of something; nothing if they are. */
function reason(speaker, hearer, word) {
  if (word === 'typing' && isOwn(speaker, hearer)) return 'the same person: nobody is told of their own typing';
  if (hearer.words.includes(word)) return undefined;
  if (word === 'typing' && hearer.name.startsWith('webhook')) return 'typing is a signal and no change: webhooks are told of changes';
  return SILENT[hearer.api];
}

/** Says several things: those who may, the next before the one before was answered. */
async function inOrder(speaker, texts) {
  if (speaker.pipelines) return Promise.all(texts.map((words) => speaker.say(words)));
  const ids = [];
  for (const words of texts) ids.push(await speaker.say(words));
  return ids;
}

/** What was said with the id that it was heard under, if its speaker was told none. */
function as(word, heard) {
  const [what, id, text, person] = word;
  if (what !== 'message' || id !== undefined) return word;
  return [what, heard.find(([it, , said]) => it === what && said === text)?.[1], text, person];
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
