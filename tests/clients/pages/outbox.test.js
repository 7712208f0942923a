// Messages on their way: in order, once, and not lost between tabs.
import assert from 'node:assert/strict';
import { beforeEach, describe, mock, test } from 'node:test';
import { Outbox } from '../../../static/shared/outbox.js';
import { Tabs } from './tabs.js';

const CHAT = 'chat';

/** An outbox whose attempts end as `replies` say; one that is a function is called. */
function outbox(options = {}) {
  const attempts = [];
  const sent = [];
  const box = new Outbox({
    key: 'outbox',
    changed: () => {},
    deliver: async (entry, attempt) => {
      attempts.push({ content: entry.content, client_id: entry.client_id, ...attempt });
      return options.deliver?.(entry, attempt);
    },
    judge: options.judge ?? ((error) => error),
    sent: (entry, reply, repeated) => sent.push({ content: entry.content, repeated }),
    ready: options.ready,
  });
  return { box, attempts, sent };
}

const contents = (entries) => entries.map(({ content }) => content);
/** Lets everything happen that waits for nothing outside. */
const settle = async () => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
};

describe('the outbox', () => {
  let tabs;
  beforeEach(() => {
    tabs = new Tabs();
    tabs.in(0, () => {});
  });

  test('sends what is written in order, and keeps it until it is sent', async () => {
    const { box, sent } = outbox();
    for (const content of ['one', 'two', 'three']) box.add(CHAT, content);
    assert.deepEqual(contents(box.all), ['one', 'two', 'three']);
    await settle();
    assert.deepEqual(contents(sent), ['one', 'two', 'three']);
    assert.deepEqual(box.all, []);
    box.stop();
  });

  test('what two tabs write at the same moment is kept, all of it', () => {
    const boxes = [0, 1].map((tab) => tabs.in(tab, () => outbox({ ready: () => false }).box));
    tabs.in(0, () => boxes[0].add(CHAT, 'from the first'));
    tabs.in(1, () => boxes[1].add(CHAT, 'from the second'));
    tabs.deliver();
    for (const tab of [0, 1]) {
      assert.deepEqual(contents(tabs.in(tab, () => boxes[tab].all)).toSorted(), ['from the first', 'from the second']);
      tabs.in(tab, () => boxes[tab].stop());
    }
  });

  test('a tab leaves what another one is sending to it, and takes it when that one goes', async () => {
    const first = tabs.in(0, () => outbox({ ready: () => false }).box);
    const second = tabs.in(1, () => outbox());
    tabs.in(0, () => first.add(CHAT, 'mine'));
    tabs.deliver();
    await settle();
    assert.deepEqual(second.attempts, []);
    tabs.in(0, () => tabs.windows[0].dispatchEvent(new Event('pagehide')));
    tabs.deliver();
    await settle();
    assert.deepEqual(contents(second.sent), ['mine']);
    first.stop();
    second.box.stop();
  });

  test('what a crashed tab has left is sent after a while', async () => {
    mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.now() });
    const first = tabs.in(0, () => outbox({ ready: () => false }).box);
    const second = tabs.in(1, () => outbox());
    tabs.in(0, () => first.add(CHAT, 'left behind'));
    tabs.deliver();
    await settle();
    mock.timers.tick(9_000);
    await settle();
    assert.deepEqual(second.attempts, []);
    mock.timers.tick(2_000);
    await settle();
    assert.deepEqual(contents(second.sent), ['left behind']);
    first.stop();
    second.box.stop();
    mock.timers.reset();
  });

  test('a failed attempt is repeated under the same client_id, after the pause the server asks for', async () => {
    mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    let failures = 1;
    const { box, attempts, sent } = outbox({
      deliver: () => {
        if (failures-- > 0) throw { retryAfter: 5_000 };
      },
    });
    box.add(CHAT, 'again');
    await settle();
    mock.timers.tick(4_900);
    await settle();
    assert.equal(attempts.length, 1);
    mock.timers.tick(400);
    await settle();
    assert.deepEqual(
      attempts.map(({ repeated }) => repeated),
      [false, true],
    );
    assert.equal(attempts[0].client_id, attempts[1].client_id);
    assert.deepEqual(sent, [{ content: 'again', repeated: true }]);
    box.stop();
    mock.timers.reset();
  });

  test('what is refused stays, says why, and holds up nothing', async () => {
    const { box, attempts, sent } = outbox({
      deliver: ({ content }) => {
        if (content === 'bad' && attempts.length < 3) throw { refused: 'Too bad.' };
      },
    });
    box.add(CHAT, 'bad');
    box.add(CHAT, 'good');
    await settle();
    assert.deepEqual(contents(sent), ['good']);
    assert.equal(box.waiting, 0);
    const [entry] = box.of(CHAT);
    assert.equal(entry.refused, 'Too bad.');
    box.retry(entry.client_id);
    await settle();
    assert.deepEqual(contents(sent), ['good', 'bad']);
    box.stop();
  });

  test('what is deleted while it is refused stays deleted', async () => {
    const { box } = outbox({
      deliver: ({ client_id: id }) => {
        box.remove(id);
        throw { refused: 'No.' };
      },
    });
    box.add(CHAT, 'gone');
    await settle();
    assert.deepEqual(box.all, []);
    box.stop();
  });

  test('when the connection is in doubt, what is on its way goes out again at once, and its delivery is told', async () => {
    const { box, attempts, sent } = outbox({
      deliver: (entry, { signal, inDoubt }) => inDoubt || new Promise((resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    });
    box.add(CHAT, 'hello');
    await settle();
    assert.deepEqual(sent, []);
    box.restart();
    await settle();
    assert.deepEqual(
      attempts.map(({ inDoubt }) => inDoubt),
      [false, true],
    );
    assert.deepEqual(contents(sent), ['hello']);
    box.stop();
  });

  test('nothing is sent before the page is ready, nor after it has ended', async () => {
    let ready = false;
    const { box, attempts } = outbox({ ready: () => ready, judge: () => ({ ended: true }), deliver: () => Promise.reject(new Error('no')) });
    box.add(CHAT, 'early');
    await settle();
    assert.equal(attempts.length, 0);
    ready = true;
    box.run();
    await settle();
    assert.equal(attempts.length, 1);
    box.nudge();
    await settle();
    assert.equal(attempts.length, 1);
    assert.deepEqual(contents(box.all), ['early'], 'it is kept for the next login');
  });

  test('lists of earlier versions are taken over, once', async () => {
    const old = [
      { client_id: 'a', chat: 7, content: 'of the messenger', written: '2024-01-01T00:00:00Z' },
      { client_id: 'b', chat: 7, message: 'of the desk', time: '2024-01-01T00:00:01Z', refused: 'Too long.' },
    ];
    localStorage.setItem('outbox', JSON.stringify(old));
    const { box, sent } = outbox();
    assert.deepEqual(contents(box.of(7)), ['of the messenger', 'of the desk']);
    assert.equal(localStorage.getItem('outbox'), null);
    box.run();
    await settle();
    assert.deepEqual(sent, [{ content: 'of the messenger', repeated: true }]);
    assert.equal(box.find('b').refused, 'Too long.');
    box.stop();
  });
});
