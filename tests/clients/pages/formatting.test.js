// How marks go around what is selected, and away from it; and how a part of a message is quoted.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { marked, pastedLink } from '../../../static/messenger/formatting.js';
import { quoted } from '../../../static/messenger/quoting.js';

/** A text whose selected part stands between bars. */
const read = (text) => {
  const [before, words = '', after = ''] = text.split('|');
  return { value: before + words + after, start: before.length, end: before.length + words.length };
};
const written = ({ value }, { from, to, text, start, end }) => {
  const all = value.slice(0, from) + text + value.slice(to);
  return `${all.slice(0, start)}|${all.slice(start, end)}|${all.slice(end)}`;
};

describe('marks', () => {
  for (const [kind, before, after] of [
    ['bold', 'a |word| here', 'a **|word|** here'],
    ['bold', 'a **|word|** here', 'a |word| here'],
    ['bold', 'a |**word**| here', 'a |word| here'],
    ['bold', 'a || here', 'a **||** here'],
    ['italic', 'a |word|', 'a *|word|*'],
    ['italic', '*|word|*', '|word|'],
    ['italic', '**|word|**', '***|word|***'],
    ['italic', '|**word**|', '*|**word**|*'],
    ['strike', '|no|', '~~|no|~~'],
    ['code', '|let a|', '`|let a|`'],
    ['code', '|a\nb|', '```\n|a\nb|\n```'],
    ['quote', 'one\ntw|o\nthr|ee\nfour', 'one\n> two\n> three||\nfour'],
    ['quote', '> one\n> |two|', '> one\ntwo||'],
    ['list', '|one\ntwo|', '- one\n- two||'],
    ['link', 'see |this|', 'see [this](|https://|)'],
    ['link', 'see |https://a.example/b|', 'see [|text|](https://a.example/b)'],
    ['link', '||', '[|text|](https://)'],
  ]) {
    test(`${kind}: ${JSON.stringify(before)}`, () => {
      const selected = read(before);
      assert.equal(written(selected, marked(selected, kind)), after);
    });
  }
});

test('an address that is pasted over words makes them a link, and nothing else does', () => {
  const selected = read('see |this| one');
  assert.equal(written(selected, pastedLink(selected, ' https://a.example/b\n')), 'see [this](https://a.example/b)|| one');
  for (const [text, pasted] of [
    ['see |this|', 'words'],
    ['see |this|', 'https://a.example and more'],
    ['see |this|', 'javascript:alert(1)'],
    ['see ||', 'https://a.example'],
    ['see |https://a.example|', 'https://b.example'],
    ['see |[this|', 'https://b.example'],
    ['|a\nb|', 'https://b.example'],
  ]) {
    assert.equal(pastedLink(read(text), pasted), null, `${text} ${pasted}`);
  }
});

test('every line of a quotation is marked as one', () => assert.equal(quoted('one\n\ntwo'), '> one\n> \n> two'));
