// How the messages of a chat become what the page shows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageItems } from '../../../static/shared/message-view.js';

const OPTIONS = { actions: { retry: () => {}, edit: () => {}, remove: () => {} }, sending: true };

test('a clock that goes back gives every line a key of its own', () => {
  const days = ['2026-03-02', '2026-03-03', '2026-03-02', '2026-03-02', '2026-03-03', '2026-03-02'];
  const lines = days.map((day, at) => ({ key: `message ${at}`, sender: 1, time: `${day}T12:00:00Z`, content: 'x', by: 'other' }));
  const keys = messageItems(lines, OPTIONS).map(({ key }) => key);
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(keys.filter((key) => key.startsWith('day ')).length, 5);
});
