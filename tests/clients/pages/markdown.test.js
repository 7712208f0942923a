// What Markdown means in a chat, and that no text takes long.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isOnlyEmoji, plainText } from '../../../static/messenger/markdown.js';
import { beginning } from '../../../static/messenger/message-body.js';

describe('a text in one line', () => {
  for (const [text, plain] of [
    ['**bold** _italic_ ~~struck~~ `code`', 'bold italic struck code'],
    ['> quoted\n\nanswer', 'quoted answer'],
    ['- one\n- two', 'one two'],
    ['[a link](https://a.example) and https://b.example/x_y_z', 'a link and https://b.example/x_y_z'],
    ['```js\nlet a;\n```', 'let a;'],
    ['snake_case_name and 2*3*4', 'snake_case_name and 2*3*4'],
    ['これは**太字**です', 'これは太字です'],
    ['# no heading, <b>no</b> &amp; no HTML', '# no heading, <b>no</b> &amp; no HTML'],
    ['    four blanks are no code', 'four blanks are no code'],
    ['a\nb', 'a b'],
    ['[x](javascript:alert(1))', '[x](javascript:alert(1))'],
    ['![x](https://a.example/b.png)', '!x'],
    ['[x]: https://a.example', '[x]: https://a.example'],
    ['1986\\. A year', '1986. A year'],
    ['a\n---', 'a ---'],
    ['| a |\n|---|\n| b |', '| a | |---| | b |'],
  ]) {
    test(text, () => assert.equal(plainText(text), plain));
  }
});

test('a few emoji and nothing else are shown large', () => {
  for (const text of ['👍', '👍🏽 ', '👨‍👩‍👧‍👦❤️', '1️⃣🇩🇪🎉']) assert.equal(isOnlyEmoji(text), true, text);
  for (const text of ['', ' ', '1', '👍 ok', '🎉🎉🎉🎉', ':-)', '#']) assert.equal(isOnlyEmoji(text), false, text);
});

test('a long text has a beginning, which ends between words', () => {
  assert.equal(beginning('short'), null);
  const words = 'word '.repeat(1_000);
  const start = beginning(words);
  assert.ok(start.length <= 1_200 && start.endsWith('word') && words.startsWith(start));
  assert.equal(beginning('a\n'.repeat(100)).split('\n').length, 20);
  assert.equal(beginning('x'.repeat(5_000)).length, 1_200);
  assert.doesNotMatch(beginning(`x${'😀'.repeat(2_000)}`), /[\uD800-\uDBFF]$/);
});

describe('no text takes long', () => {
  const SIZE = 16_384;
  const HOSTILE = [
    ...['*', '*a ', '_a*b', '**a_', '[', '[a](', '![a](', '`', 'a`b``', '> ', '- ', '- a\n', '1. ', '<', '<a@', '\\', '~~a', 'http:', 'https://a.b/(', '```\n'],
    ...['-\n', ' ', '\n', '> - ', '\t', '[a](http://x.y "', '((((', 'a@b.', '\u0000', '&amp;', '||', '@', '\u202e', 'https://a b '],
  ].map((part) => part.repeat(Math.ceil(SIZE / part.length)).slice(0, SIZE));
  HOSTILE.push(Array.from({ length: 170 }, (_, depth) => `${' '.repeat(depth)}- a`).join('\n'));

  test('whatever it is made of', async () => {
    const { parse } = await import('../../../static/messenger/markdown.js');
    for (const text of HOSTILE) {
      // Its own time: how much else the machine does says nothing.
      const began = process.cpuUsage();
      parse(text);
      const { user, system } = process.cpuUsage(began);
      const took = (user + system) / 1_000;
      assert.ok(took < 1_000, `${JSON.stringify(text.slice(0, 12))} takes ${took} ms`);
    }
  });
});
