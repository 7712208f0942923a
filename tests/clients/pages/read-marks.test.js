// How far one has read is told for every chat, however soon another one is opened or the page goes.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { Model } from '../../../static/messenger/model.js';
import { ReadMarks } from '../../../static/messenger/read-marks.js';

describe('read marks', () => {
  let marks;
  let told;
  let leave;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    told = [];
    globalThis.window = { addEventListener: (_, listener) => (leave = listener) };
    globalThis.fetch = async (path, { body, keepalive }) => {
      told.push(`${path.replace(/^.*api/, '/api')} ${body} ${keepalive}`);
      return { ok: true, status: 200, text: async () => '{}', headers: new Headers() };
    };
    const model = new Model({ id: 1, name: 'Ann' });
    const message = (id) => ({ id, content: '', sender_id: 2, time: '2024-01-01T00:00:00Z' });
    model.takeChats({ chats: [10, 11].map((id) => ({ id, title: `${id}`, member: true, unread: 1, last_id: id, last_position: id })) });
    for (const id of [10, 11]) model.takePage(id, { messages: [message(id)], has_more: false });
    marks = new ReadMarks(model);
  });

  afterEach(() => {
    mock.timers.reset();
    delete globalThis.window;
  });

  const both = ['/api/chats/10/read up_to=10 true', '/api/chats/11/read up_to=11 true'];

  test('of two chats, one after the other', async () => {
    marks.read(10);
    marks.read(11);
    mock.timers.tick(250);
    assert.deepEqual(told, both);
    marks.read(11);
    mock.timers.tick(250);
    assert.deepEqual(told, both, 'and once');
  });

  test('when the page goes', () => {
    marks.read(10);
    marks.read(11);
    leave();
    assert.deepEqual(told, both);
  });

  test('not of a chat that is left', async () => {
    marks.read(10);
    marks.read(11);
    await marks.settle(10);
    leave();
    assert.deepEqual(told, both.slice(1));
  });
});
