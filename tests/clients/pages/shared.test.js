// What the pages share and what needs no page: texts, host names, errors, waiting, reading a chat.
import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { explain as explainSupport } from '../../../static/console/error-text.js';
import { explain as explainMessenger } from '../../../static/messenger/error-text.js';
import { ApiError, Unreachable, hedged } from '../../../static/shared/api.js';
import { backoff, createPause } from '../../../static/shared/backoff.js';
import { briefly, bytesOf, dayName, hue, initials, measure, pieces, plural } from '../../../static/shared/format.js';
import { History } from '../../../static/shared/history.js';
import { readableHost } from '../../../static/shared/hostname.js';

describe('texts', () => {
  test('addresses are found in a text, without what ends the sentence', () => {
    assert.deepEqual(pieces('see https://a.example/x?y=1, or (http://b.example).'), [
      { text: 'see ' },
      { text: 'https://a.example/x?y=1', link: 'https://a.example/x?y=1' },
      { text: ', or (' },
      { text: 'http://b.example', link: 'http://b.example' },
      { text: ').' },
    ]);
    assert.deepEqual(pieces('javascript:alert(1) http://'), [{ text: 'javascript:alert(1) http://' }]);
    assert.deepEqual(pieces(''), []);
  });

  test('the room that is left is counted in characters like the last one', () => {
    assert.deepEqual(measure('жж', 5), { over: 0, left: 0 });
    assert.deepEqual(measure('ж', 5), { over: 0, left: 1 });
    assert.deepEqual(measure('жжж', 5), { over: 1, left: 0 });
    assert.deepEqual(measure('a👋', 3), { over: 1, left: 0 });
    assert.equal(bytesOf('a👋'), 5);
  });

  test('initials are those of the first and the last word', () => {
    assert.deepEqual(['ann', 'Ann Lee', 'a b c', ' 👋 wave ', 'ßen'].map(initials), ['A', 'AL', 'AC', '👋W', 'SS']);
  });

  test('days have names while they are near', () => {
    const now = new Date();
    const daysAgo = (days) => new Date(now.getFullYear(), now.getMonth(), now.getDate() - days, 12).toISOString();
    assert.deepEqual([dayName(daysAgo(0)), dayName(daysAgo(1)), briefly(daysAgo(1))], ['Today', 'Yesterday', 'Yesterday']);
    assert.notEqual(dayName(daysAgo(2)), 'Yesterday');
  });

  test('colours and numbers', () => {
    assert.deepEqual([hue(9), hue(-9), hue('x')], ['hue-1', 'hue-1', 'hue-0']);
    assert.deepEqual([plural(1, 'chat', 'chats'), plural(0, 'chat', 'chats')], ['1 chat', '0 chats']);
  });
});

test('host names are shown as people write them, and only when they read back as the same', () => {
  const hosts = ['shop.example', 'xn--mnchen-3ya.example', 'XN--MNCHEN-3YA.example', 'xn--bcher-kva.xn--p1ai', 'xn--a.example', 'xn--.example'];
  assert.deepEqual(hosts.map(readableHost), ['shop.example', 'münchen.example', 'münchen.example', 'bücher.рф', 'xn--a.example', 'xn--.example']);
});

describe('errors, for people', () => {
  const messenger = (status, code, error, wait) => explainMessenger(new ApiError(status, code === undefined ? {} : { error, code }, wait));
  const support = (status, data, field) => explainSupport(new ApiError(status, { data, ...(field && { validation: { keys: [field] } }) }));

  test('of the messenger', () => {
    assert.equal(explainMessenger(new Unreachable()), 'The server is not answering. Please try again in a moment.');
    assert.equal(messenger(400, 'invalid', 'email must be an e-mail address'), 'The e-mail address must be an e-mail address.');
    assert.equal(messenger(400, 'invalid', 'content must have at most 16384 bytes of UTF-8'), 'The message is too long.');
    assert.equal(messenger(429, 'too_many', 'too many attempts', 1_500), 'Too many attempts. Please wait 2 seconds.');
    assert.equal(messenger(404, 'not_found', 'no such chat'), 'That is not here any more.');
    assert.equal(messenger(502), 'The server is busy just now. Please try again in a moment.');
    assert.equal(messenger(418), 'Something went wrong on the server. Please try again.');
  });

  test('of the support API, over HTTP and over a socket', () => {
    assert.equal(explainSupport(new Unreachable()), 'The server is not answering. Please try again in a moment.');
    assert.equal(support(400, 'Domain already taken'), 'That domain is registered already.');
    assert.equal(support(400, 'password must have at least 8 characters', 'password'), 'The password must have at least 8 characters.');
    assert.equal(support(400, 'Owner for this domain not found'), 'Something went wrong on the server. Please try again.');
    assert.equal(support(403, 'this server takes no new owners'), 'This server takes no new sites.');
    assert.equal(support(404, 'Chat not found'), 'That is not here any more.');
    assert.equal(support(503, 'pool timed out'), 'The server is busy just now. Please try again in a moment.');
    const answer = Object.assign(new Error('message must have at most 16384 bytes of UTF-8'), { status: 400, field: 'message' });
    assert.equal(explainSupport(answer), 'The message is too long.');
    assert.equal(
      explainSupport(Object.assign(new Error('the connection was lost'), { lost: true })),
      'The server is not answering. Please try again in a moment.',
    );
  });
});

describe('waiting', () => {
  test('attempts come ever more rarely, up to a bound, and not before the server wants them', () => {
    for (const [failures, least, most] of [
      [0, 250, 500],
      [1, 500, 1_000],
      [4, 4_000, 8_000],
      [50, 7_500, 15_000],
    ]) {
      for (let time = 0; time < 20; time += 1) {
        const wait = backoff(failures);
        assert.ok(wait >= least && wait <= most, `${wait} after ${failures}`);
      }
    }
    assert.ok(backoff(0, 60_000) >= 60_000);
    assert.ok(backoff(0, null) <= 500);
  });

  test('a pause ends by itself, or when it is nudged', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const pause = createPause();
    pause.nudge();
    const waits = pause.wait(1_000);
    mock.timers.tick(1_000);
    await waits;
    const nudged = pause.wait(1_000_000);
    pause.nudge();
    await nudged;
    mock.timers.reset();
  });

  test('of hedged requests the first answer counts, and the others are called off', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const signals = [];
    const answer = hedged((signal) => {
      signals.push(signal);
      return signals.length === 1 ? new Promise(() => {}) : Promise.resolve('second');
    }, new AbortController().signal);
    await Promise.resolve();
    mock.timers.tick(1_000);
    assert.equal(await answer, 'second');
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true, true],
    );
    mock.timers.reset();
  });
});

describe('reading a chat', () => {
  const said = (id) => ({ _id: String(id).padStart(3, '0'), from: 'guest', message: `number ${id}`, time: 'now' });
  const all = Array.from({ length: 250 }, (_, at) => said(at));

  test('page by page, keeping what is pushed meanwhile', async () => {
    const messages = [];
    const history = new History(async ({ skip, limit }) => {
      if (skip === 100) messages.push({ id: '250', from: 'guest', message: 'pushed' }, { id: '001', from: 'guest', message: 'known' });
      return { data: all.slice(skip, skip + limit), has_more: skip + limit < all.length };
    });
    await history.read({ chatId: 'c' }, messages, 0);
    assert.equal(messages.length, 251);
    assert.deepEqual([messages[0].id, messages[249].id, messages[250].id], ['000', '249', '250']);
  });

  test('what the server does not have any more goes, and what is pushed meanwhile stays', async () => {
    const at = (id) => ({ id, from: 'guest', message: `number ${id}` });
    const messages = [at('1'), at('2'), at('8'), at('9')];
    const history = new History(async () => {
      messages.push(at('7'));
      return {
        data: [
          { ...at('1'), _id: '1' },
          { ...at('2'), _id: '2' },
        ],
        has_more: false,
      };
    });
    await history.read({ chatId: 'c' }, messages, 0);
    assert.deepEqual(
      messages.map(({ id }) => id),
      ['1', '2', '7'],
    );
  });

  test('a page that was lost with its connection is asked for again in a smaller piece', async () => {
    const limits = [];
    const history = new History(async ({ limit }) => {
      limits.push(limit);
      if (limits.length < 3) throw Object.assign(new Error('lost'), { lost: true });
      return { data: [], has_more: false };
    });
    for (const works of [false, false, true, true]) {
      const reading = history.read({ chatId: 'c' }, [], 0);
      await (works ? reading : assert.rejects(reading));
    }
    assert.deepEqual(limits, [100, 50, 25, 100]);
  });
});
