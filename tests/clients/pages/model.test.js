// What the messenger knows, told by snapshots and events.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { filled } from '../../../static/messenger/chat-entry.js';
import { levelOf } from '../../../static/messenger/levels.js';
import { Model } from '../../../static/messenger/model.js';

const ME = { id: 1, name: 'Ann' };
const BO = { id: 2, name: 'Bo' };
const message = (id, extra = {}) => ({ id, content: `number ${id}`, sender_id: BO.id, time: '2024-01-01T00:00:00Z', ...extra });
const said = (id, chat = 10, extra = {}) => ({ type: 'message', chat_id: chat, position: id, message: message(id, extra) });

describe('the model', () => {
  let model;
  const ids = (chat) => model.room(chat).messages.map(({ id }) => id);
  const chat = (id = 10) => model.chats.get(id);

  beforeEach(() => {
    model = new Model(ME);
    model.takeChats({
      people: [BO],
      chats: [
        { id: 10, title: 'Ten', open: true, member: true, unread: 0, last_position: 5, last_message: 'number 5', members_count: 2 },
        { id: 11, title: 'Eleven', open: false, member: true, unread: 3, last_position: 4, last_message: 'number 4', members_count: 2 },
      ],
    });
  });

  test('who is there is told by lists and events, and taken back where it may not be known', () => {
    const presence = (online, seen) => ({ type: 'presence', person_id: BO.id, online, last_seen: seen });
    assert.equal(model.presence.isOnline(BO.id), null, 'a chat list says nothing of it');
    model.apply(presence(true, '2024-01-01T00:00:00Z'));
    assert.equal(model.presence.isOnline(BO.id), true);
    model.addPeople([BO]);
    assert.equal(model.presence.isOnline(BO.id), true, 'it stays as it was told');
    model.apply(presence(false, '2024-01-01T00:05:00Z'));
    assert.equal(model.presence.isOnline(BO.id), false);
    assert.equal(model.presence.seen.get(BO.id), '2024-01-01T00:05:00Z');
    model.addPeople([{ ...BO, online: null, last_seen: null }]);
    assert.equal(model.presence.isOnline(BO.id), null);
  });

  test('without a choice, of what one is notified follows the size of the chat', () => {
    const crowd = (members, extra) => ({ ...chat(), members_count: members, ...extra });
    const dflt = { notify: 'all', notify_chosen: false };
    model.takeChats({ chats: [crowd(20, dflt)] });
    const passage = (id, joined, position) => ({ type: 'member', chat_id: 10, position, joined, role: 'member', person: { id, name: `P${id}` } });
    model.apply(passage(30, true, 6));
    assert.equal(levelOf(chat()), levelOf(filled(crowd(21, { notify: 'mentions', notify_chosen: false }))));
    assert.equal(levelOf(chat()), 'mentions');
    model.apply(passage(30, false, 7));
    assert.equal(levelOf(chat()), 'all');
    model.apply({ type: 'settings', chat_id: 10, position: 8, settings: { notify: 'none', notify_chosen: true, pinned: false } });
    model.apply(passage(31, true, 9));
    assert.equal(levelOf(chat()), 'none');
    assert.equal(levelOf({ ...chat(), direct: true, notify: 'mentions', notify_chosen: false }), 'all');
  });

  test('when all is forgotten nothing of before comes back, whatever answer is still on its way', async () => {
    model.takePage(10, { messages: [message(4), message(5)], has_more: false });
    model.takeReads(10, [{ person_id: BO.id, up_to: 5 }]);
    model.markRead(11, 4);
    /** @type {(() => void)[]} */
    const answers = [];
    const pages = [[message(4), message(5)], [message(4)]];
    const late = model.taking(
      () => new Promise((resolve) => answers.push(() => resolve({ messages: pages[answers.length - 1], has_more: false }))),
      (answer) => model.takePage(10, answer),
    );
    model.forget();
    model.takeChats({
      people: [BO],
      chats: [
        { ...chat(), last_position: 4, last_id: 4 },
        { ...chat(11), unread: 2, last_id: 3 },
      ],
    });
    assert.equal(chat(11).unread, 2, 'a read mark from before counts no more');
    assert.equal(model.reads.size, 0);
    assert.deepEqual(ids(10), []);
    answers[0]();
    await new Promise((resolve) => setTimeout(resolve));
    answers[1]();
    await late;
    assert.deepEqual(ids(10), [4], 'what was asked before was asked again');
  });

  test('listeners hear once of many changes', async () => {
    let heard = 0;
    model.onChange(() => (heard += 1));
    model.apply(said(6));
    model.changed();
    model.changed();
    await Promise.resolve();
    assert.equal(heard, 1);
  });

  test('a list entry has every value, whatever the server left out', () => {
    model.takeChats({ chats: [{ id: 12, unread: undefined }] });
    assert.deepEqual(
      { ...chat(12) },
      {
        id: 12,
        title: 'Chat',
        open: true,
        member: true,
        unread: 0,
        last_position: 0,
        last_id: 0,
        members_count: null,
        last_message: null,
        last_message_time: null,
        sender_id: null,
        active: 0,
      },
    );
    assert.equal(model.name(BO.id), 'Bo');
    assert.equal(model.name(99), 'Somebody');
  });

  test('a message counts as unread once, unless it is mine or read already', () => {
    model.apply(said(6));
    model.apply(said(6));
    assert.equal(chat().unread, 1);
    model.apply(said(7, 10, { sender_id: ME.id }));
    assert.deepEqual([chat().unread, chat().first_unread], [0, null], 'who says something has read what was said before');
    model.markRead(10, 8);
    model.apply(said(8));
    assert.equal(chat().unread, 0, 'it was read on another device');
    assert.equal(chat().last_message, 'number 8');
    assert.equal(model.unread(), 3);
  });

  test('an event that the snapshot holds already changes no count', () => {
    model.apply(said(5));
    assert.equal(chat().unread, 0);
  });

  test('what concerns an unknown chat asks for the list', () => {
    assert.equal(model.apply(said(6, 99)), 'chats');
    assert.equal(model.apply({ type: 'member', chat_id: 99, position: 7, person: ME, joined: true }), 'chats');
    assert.equal(model.apply({ type: 'member', chat_id: 99, position: 7, person: BO, joined: true }), null);
    assert.equal(model.apply({ type: 'something new' }), null);
  });

  test('pages and events make one list, in order and each message once', () => {
    model.takePage(10, { messages: [message(4), message(5)], has_more: true });
    model.apply(said(6));
    model.takePage(10, { messages: [message(5), message(6), message(7)], has_more: true });
    assert.deepEqual(ids(10), [4, 5, 6, 7]);
    model.takeEarlier(10, { messages: [message(2), message(3)], has_more: false });
    assert.deepEqual(ids(10), [2, 3, 4, 5, 6, 7]);
    assert.equal(model.room(10).more, false);
  });

  test('a page that does not reach what we had takes its place', () => {
    model.takePage(10, { messages: [message(4), message(5)], has_more: false });
    model.takePage(10, { messages: [message(20), message(21)], has_more: true });
    assert.deepEqual(ids(10), [20, 21]);
    assert.equal(model.room(10).more, true);
  });

  describe('an answer that is older than an event which came before it', () => {
    /** Takes an answer that was made before what `meanwhile` does. */
    const late = (answer, take, meanwhile) =>
      model.taking(async () => {
        meanwhile();
        return answer;
      }, take);

    test('the first page of a chat: the message is there, once', async () => {
      const page = { messages: [message(4), message(5)], has_more: false };
      const mine = message(7, { sender_id: ME.id, client_id: 'x' });
      await late(
        page,
        (answer) => model.takePage(10, answer),
        () => {
          model.apply(said(6));
          model.takeSent(10, mine);
          model.apply({ type: 'edited', chat_id: 10, message: message(4, { content: 'better' }) });
        },
      );
      assert.deepEqual(ids(10), [4, 5, 6, 7]);
      assert.equal(model.room(10).find(4).content, 'better');
      assert.equal(chat().unread, 1);
    });

    test('the newest page of a chat that may have gaps: they do not hide behind the message', async () => {
      model.takePage(10, { messages: [message(4), message(5)], has_more: false });
      model.room(10).stale = true;
      await late(
        { messages: [message(20), message(21)], has_more: true },
        (answer) => model.takePage(10, answer),
        () => model.apply(said(22)),
      );
      assert.deepEqual(ids(10), [20, 21, 22]);
      assert.equal(model.room(10).more, true);
    });

    test('an earlier page: the edited message is the edited one', async () => {
      model.takePage(10, { messages: [message(4), message(5)], has_more: true });
      await late(
        { messages: [message(2), message(3)], has_more: false },
        (answer) => model.takeEarlier(10, answer),
        () => model.apply({ type: 'deleted', chat_id: 10, message: message(3, { content: '', deleted_at: 'now' }) }),
      );
      assert.equal(model.room(10).find(3).deleted_at, 'now');
    });

    test('the list of chats: unread, the last message, what was read', async () => {
      const { chats } = model;
      const before = { chats: [...chats.values()].map((each) => ({ ...each })) };
      await late(
        before,
        (answer) => model.takeChats(answer),
        () => {
          model.apply(said(6));
          model.apply({ type: 'read', chat_id: 11, person_id: ME.id, up_to: 4, position: 7 });
        },
      );
      assert.deepEqual([chat().unread, chat().last_id, chat(11).unread], [1, 6, 0]);
    });

    test('the members of a chat', async () => {
      await late(
        new Map([[ME.id, 'admin']]),
        (found) => model.members.set(10, found),
        () => model.apply({ type: 'member', chat_id: 10, position: 6, person: BO, joined: true }),
      );
      assert.deepEqual([...model.members.get(10).keys()], [ME.id, BO.id]);
      assert.equal(chat().members_count, 3);
    });
  });

  test('what I sent is shown before its event, and not twice after it', () => {
    model.takePage(10, { messages: [message(5)], has_more: false });
    const mine = message(6, { sender_id: ME.id, client_id: 'x' });
    model.takeSent(10, mine);
    model.apply({ type: 'message', chat_id: 10, position: 6, message: mine });
    assert.deepEqual(ids(10), [5, 6]);
    assert.equal(chat().sender_id, ME.id);
  });

  test('changes of a message reach its chat, and the list when it is the last one', () => {
    model.takePage(10, { messages: [message(4), message(5)], has_more: false });
    model.apply({ type: 'edited', chat_id: 10, message: message(5, { content: 'better' }) });
    assert.equal(chat().last_message, 'better');
    model.apply({ type: 'deleted', chat_id: 10, message: message(4, { content: '', deleted_at: 'now' }) });
    assert.equal(chat().last_message, 'better');
    assert.deepEqual(
      model.room(10).messages.map(({ content }) => content),
      ['', 'better'],
    );
    model.apply({ type: 'edited', chat_id: 10, message: message(1) });
    assert.deepEqual(ids(10), [4, 5], 'a message that was not read is not put in');
  });

  test('what is unread and is deleted, or names somebody by an edit, asks for the counts', () => {
    const changed = (type, id, extra = {}) => model.apply({ type, chat_id: 10, message: message(id, extra) });
    assert.equal(changed('deleted', 5), null, 'it was read');
    model.apply(said(6));
    model.apply(said(7));
    assert.equal(changed('edited', 6, { content: 'better' }), null);
    assert.equal(changed('edited', 6, { content: '@Ann', mentions: [ME.id] }), 'chats');
    assert.equal(changed('deleted', 5), null);
    assert.equal(changed('deleted', 7), 'chats');
    chat().unread_mentions = 1;
    assert.equal(changed('edited', 7), 'chats', 'it may have named me before');
    model.markRead(10, 7);
    assert.equal(changed('deleted', 6), null);
  });

  test('what was read in part leaves the first that is unread, and what names me', () => {
    for (const id of [6, 7, 8]) model.apply(said(id, 10, { mentions: [ME.id] }));
    model.takePage(10, { messages: [6, 7, 8].map((id) => message(id, { mentions: [ME.id] })), has_more: false });
    model.markRead(10, 6);
    assert.deepEqual([chat().unread, chat().first_unread, chat().unread_mentions], [2, 7, 2]);
  });

  test('members come and go, each counted once', () => {
    model.apply({ type: 'member', chat_id: 10, position: 6, person: { id: 3, name: 'Cy' }, joined: true });
    model.apply({ type: 'member', chat_id: 10, position: 6, person: { id: 3, name: 'Cy' }, joined: true });
    assert.equal(chat().members_count, 3);
    assert.equal(model.name(3), 'Cy');
    model.apply({ type: 'member', chat_id: 10, position: 7, person: { id: 3 }, joined: false });
    assert.equal(chat().members_count, 2);
  });

  test('who founds a chat is counted once', () => {
    model.apply({ type: 'chat', chat: { id: 12, title: 'New', open: true, members_count: 1, last_position: 8 } });
    assert.equal(chat(12).member, false);
    model.apply({ type: 'member', chat_id: 12, position: 9, person: BO, role: 'admin', joined: true });
    assert.equal(chat(12).members_count, 1);
  });

  test('leaving an open chat keeps it in the list, leaving a private one does not', () => {
    for (const id of [10, 11]) model.apply({ type: 'member', chat_id: id, position: 9, person: ME, joined: false });
    assert.equal(chat(10).member, false);
    assert.equal(chat(11), undefined);
    model.takePage(10, { messages: [message(5)], has_more: false });
    model.apply({ type: 'member', chat_id: 10, position: 10, person: ME, joined: true });
    assert.equal(model.room(10).stale, true, 'something may have been said between looking in and joining');
  });

  test('a deleted chat goes, and so does one that I am removed from: it is known what it was and why', () => {
    model.apply({ type: 'chat', chat: { id: 10, deleted_at: 'now' } });
    assert.equal(chat(10), undefined);
    assert.deepEqual(model.lost.get(10), { title: 'Ten', why: 'This chat was deleted.' });
    model.apply({ type: 'member', chat_id: 11, position: 9, person: ME, joined: false });
    assert.deepEqual(model.lost.get(11), { title: 'Eleven', why: 'You are not in this chat any more.' });
  });

  test('who says something has read as far', () => {
    model.takeReads(10, [{ person_id: BO.id, up_to: 3 }]);
    model.apply(said(6));
    assert.equal(model.reads.get(10).get(BO.id), 6);
    model.apply({ type: 'read', chat_id: 10, person_id: BO.id, up_to: 4 });
    assert.equal(model.reads.get(10).get(BO.id), 6, 'a read mark only moves forward');
  });

  test('what another device has read is read here', () => {
    assert.equal(model.apply({ type: 'read', chat_id: 11, person_id: BO.id, up_to: 4 }), null);
    assert.equal(chat(11).unread, 3);
    assert.equal(model.apply({ type: 'read', chat_id: 11, person_id: ME.id, up_to: 2 }), 'chats', 'how many are left only the server knows');
    model.takePage(11, { messages: [message(2), message(3), message(4)], has_more: false });
    model.apply({ type: 'read', chat_id: 11, person_id: ME.id, up_to: 3 });
    assert.equal(chat(11).unread, 1);
    model.apply({ type: 'read', chat_id: 11, person_id: ME.id, up_to: 4 });
    assert.equal(chat(11).unread, 0);
  });

  test('an answer that was asked for before does not take back what I have done meanwhile', async () => {
    const before = { people: [BO], chats: [{ id: 10, title: 'Ten', open: true, member: false, pinned: false }] };
    await model.taking(
      async () => {
        model.takeDone({ id: 10, member: true });
        model.takeDone({ id: 10, pinned: true });
        model.takeDone({ id: 11, member: false });
        model.takeBegun({ id: 12, title: 'Twelve', open: true, member: true });
        return before;
      },
      (answer) => model.takeChats(answer),
    );
    assert.deepEqual([chat().member, chat().pinned], [true, true]);
    assert.equal(chat(11), undefined, 'what is not there any more does not come back');
    assert.deepEqual([chat(12).title, chat(12).member], ['Twelve', true]);
  });

  test('a chat begun here is the newest until the server tells', () => {
    model.takeBegun({ id: 13, title: 'Fresh', open: true, member: true });
    assert.ok(chat(13).active > chat(10).active);
    model.takeMoreChats({
      chats: [
        { id: 13, title: 'Older' },
        { id: 9, title: 'Nine' },
      ],
      has_more: true,
    });
    assert.equal(chat(13).title, 'Fresh');
    assert.equal(chat(9).title, 'Nine');
    assert.equal(model.more, true);
  });

  test('a list that was read again marks what was read before as perhaps incomplete', () => {
    model.takePage(10, { messages: [message(5)], has_more: false });
    model.takeChats({ chats: [] });
    assert.equal(model.room(10).stale, true);
  });

  test('a chat that one only looks into keeps its entry fresh', () => {
    model.takePage(10, { messages: [message(5)], has_more: false });
    model.takeNew(10, { messages: [message(6)], people: [BO] });
    assert.deepEqual(ids(10), [5, 6]);
    assert.equal(chat().last_message, 'number 6');
  });
});
