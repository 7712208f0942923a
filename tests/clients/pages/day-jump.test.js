// The first message of a day is found in few steps, wherever it is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstSince } from '../../../static/messenger/day-jump.js';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 1);
const LIMIT = 50;

/** A chat whose messages have gaps between their places, as those of one chat among many do. */
const chat = (count, gap) => Array.from({ length: count }, (_, at) => ({ id: 1 + at * gap, time: new Date(START + at * HOUR).toISOString() }));

/** As the server reads a page before a place. */
function reader(messages) {
  const asked = [];
  const read = async (before) => {
    asked.push(before);
    const earlier = messages.filter(({ id }) => id < before);
    return { messages: earlier.slice(-LIMIT), has_more: earlier.length > LIMIT };
  };
  return { asked, read };
}

for (const [count, gap] of [
  [1, 1],
  [2, 7],
  [60, 1],
  [3_000, 1],
  [3_000, 977],
]) {
  test(`${count} messages, every ${gap}th place`, async () => {
    const messages = chat(count, gap);
    const newest = messages.at(-1);
    const places = [0, 1, 2, 49, 50, 51, Math.floor(count / 2), count - 2, count - 1].filter((at) => at >= 0 && at < count);
    for (const at of places) {
      // Exactly at a message, and a moment after the one before.
      for (const time of [START + at * HOUR, START + at * HOUR - HOUR + 1]) {
        const { asked, read } = reader(messages);
        assert.equal(await firstSince(time, newest, read), messages[at].id, `the message ${at}`);
        assert.ok(asked.length <= Math.ceil(Math.log2(newest.id)) + 1, `${asked.length} steps`);
      }
    }
    const { asked, read } = reader(messages);
    assert.equal(await firstSince(START + count * HOUR, newest, read), null, 'nothing was said since');
    assert.equal(asked.length, 0);
  });
}
