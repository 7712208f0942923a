// Unicode's list of emoji, as the picker reads it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { TONES, inTone, parseEmoji, searchEmoji } from '../../../static/messenger/emoji.js';

const groups = parseEmoji(readFileSync(new URL('../../../static/vendor/emoji.txt', import.meta.url), 'utf8'));
const all = groups.flatMap(({ emoji }) => emoji);
const first = (query) => searchEmoji(groups, query)[0]?.emoji;

test('all groups and all emoji are there, each once', () => {
  assert.deepEqual(
    groups.map(({ name }) => name),
    ['Smileys & Emotion', 'People & Body', 'Animals & Nature', 'Food & Drink', 'Travel & Places', 'Activities', 'Objects', 'Symbols', 'Flags'],
  );
  assert.ok(all.length > 1_900);
  assert.equal(new Set(all.map(({ emoji }) => emoji)).size, all.length);
  assert.ok(all.every(({ emoji, name }) => emoji && name));
});

test('every emoji is one of Unicode’s sequences, with each skin tone as well', () => {
  const sequence = new RegExp('^\\p{RGI_Emoji}$', 'v');
  const unknown = all.filter(({ emoji }) => !sequence.test(emoji));
  // What is newer than this Node knows.
  assert.ok(unknown.length < 30, unknown.map(({ name }) => name).join());
  for (const emoji of all.filter((each) => each.toned && sequence.test(each.emoji))) {
    for (const tone of TONES) assert.match(inTone(emoji, tone), sequence, `${emoji.name} ${tone}`);
  }
  assert.equal(inTone({ emoji: '❤️', toned: false }, TONES[1]), '❤️');
});

test('emoji are found by name and by what people call them', () => {
  assert.equal(first('red heart'), '❤️');
  assert.equal(first('heart'), '❤️');
  assert.equal(first('thumbs_up'), '👍');
  assert.equal(first('+1'), '👍');
  assert.equal(first('pizza'), '🍕');
  assert.equal(first('germany'), '🇩🇪');
  assert.ok(searchEmoji(groups, 'lol').length > 3);
  assert.deepEqual(searchEmoji(groups, 'no such thing'), []);
  assert.deepEqual(searchEmoji(groups, '  '), []);
  assert.equal(searchEmoji(groups, 'face', 5).length, 5);
});
