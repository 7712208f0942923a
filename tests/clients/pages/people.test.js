// Who types, in words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { typingText } from '../../../static/messenger/people.js';

test('all who type are named, as long as they are few', () => {
  for (const [names, text] of [
    ['', ''],
    ['Ann', 'Ann is typing…'],
    ['Ann Bo', 'Ann and Bo are typing…'],
    ['Ann Bo Cy', 'Ann, Bo and Cy are typing…'],
    ['Ann Bo Cy Dee', 'Ann, Bo, Cy and 1 other are typing…'],
    ['Ann Bo Cy Dee Eve', 'Ann, Bo, Cy and 2 others are typing…'],
  ]) {
    assert.equal(typingText(names.split(' ').filter(Boolean)), text);
  }
});
