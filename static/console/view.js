// The desk on the screen: two queues on the left, one chat on the right.
import { $, h, icon, reconcile, setText, show } from '../messenger/dom.js';
import { briefly, dayKey, dayName, hue, inFull, initials, pieces, plural, timeOfDay } from '../messenger/words.js';

const GROUP_GAP = 5 * 60_000;

const nameOf = (chat) => chat?.name || chat?.email || 'Guest';
/** The last digits of an id, as a number, choose the colour. */
const shade = (id) => hue(parseInt(String(id).slice(-6), 16));

const NONE = {
  waiting: 'Nobody is waiting. Guests appear here the moment they write.',
  active: 'Chats move here with your first answer.',
  closed: 'No chat has been closed yet.',
};

export function renderQueues(desk, current) {
  const { queues } = desk;
  for (const name of Object.keys(NONE)) {
    const chats = queues.shown(name);
    const left = queues.left(name);
    reconcile($(`${name}-list`), chats.map((chat) => row(desk, chat, current)));
    show($(`${name}-none`), desk.ready && chats.length === 0);
    setText($(`${name}-none`), queues.query ? 'Nothing found.' : NONE[name]);
    setText($(`${name}-count`), chats.length ? String(chats.length + left) : '');
    show($(`${name}-more`), left > 0);
    setText($(`${name}-more`), `Show more (${left})`);
  }
  show($('waiting'), !queues.closedWanted);
  show($('active'), !queues.closedWanted);
  show($('closed'), queues.closedWanted);
  const waiting = queues.query ? 0 : queues.shown('waiting').length + queues.left('waiting');
  const quiet = waiting === 0;
  setText($('blank-title'), quiet ? 'All quiet' : plural(waiting, 'guest is waiting', 'guests are waiting'));
  setText($('blank-text'), quiet ? 'When a guest writes, you see it on the left, and the title of this page tells you too.' : 'Pick one on the left to answer.');
}

function row(desk, chat, current) {
  const here = chat.id === current;
  const typing = desk.guestTypes(chat.id);
  const preview = typing ? 'Typing…' : chat.lastMessage || 'Nothing said yet';
  const print = JSON.stringify([nameOf(chat), chat.domain, preview, chat.time && briefly(chat.time), chat.unread, here, chat.queue]);
  return {
    key: chat.id,
    print,
    make: () =>
      h(
        'li',
        {},
        h(
          'a',
          { class: `chat-row ${chat.queue}${chat.unread ? ' unread' : ''}`, href: `#/chats/${chat.id}`, 'aria-current': here ? 'page' : null },
          h('span', { class: `face ${shade(chat.id)}`, 'aria-hidden': 'true' }, initials(nameOf(chat))),
          h(
            'span',
            { class: 'chat-words' },
            h(
              'span',
              { class: 'chat-top' },
              h('span', { class: 'chat-title', dir: 'auto' }, nameOf(chat)),
              chat.time ? h('time', { class: 'chat-time', datetime: chat.time, title: inFull(chat.time) }, briefly(chat.time)) : null,
            ),
            h(
              'span',
              { class: 'chat-bottom' },
              h('span', { class: 'chat-preview', dir: 'auto' }, preview),
              chat.unread
                ? h(
                    'span',
                    { class: 'badge' },
                    h('span', { 'aria-hidden': 'true' }, chat.unread > 99 ? '99+' : String(chat.unread)),
                    h('span', { class: 'sr-only' }, plural(chat.unread, 'unread message', 'unread messages')),
                  )
                : null,
            ),
          ),
        ),
      ),
  };
}

export function renderTalk(desk, outbox, current, actions) {
  show($('talk'), current !== null);
  show($('blank'), current === null);
  if (current === null) return;
  const chat = desk.chats.get(current);
  const room = desk.room(current);
  setText($('room-title'), chat ? nameOf(chat) : 'Chat');
  setText($('room-sub'), [chat?.email, chat?.domain].filter(Boolean).join(' · '));
  const open = chat?.queue === 'waiting' || chat?.queue === 'active';
  show($('close-chat'), open);
  setText($('typing'), desk.guestTypes(current) ? `${nameOf(chat)} is typing…` : desk.colleagueTypes(current) ? 'A colleague is writing…' : '');
  setText($('beginning'), room.ready ? '' : 'Loading messages…');
  show($('beginning'), !room.ready);
  $('beginning').classList.toggle('large', room.messages.length === 0);
  setText($('closed-note'), 'This chat is closed. It comes back when the guest writes again, or with your next answer.');
  show($('closed-note'), chat?.queue === 'closed');
  reconcile($('messages'), items(desk, room, chat, outbox.of(current), actions));
}

function items(desk, room, chat, waiting, actions) {
  const mine = desk.owner.ownerId;
  const lines = [
    ...room.messages.map((message, at) => ({ ...message, key: message.id ?? `own ${at}`, time: message.time ?? new Date().toISOString() })),
    ...waiting.map((letter) => ({ ...letter, message: letter.content, time: letter.written, from: mine, key: letter.client_id, letter })),
  ];
  const found = [];
  const seenAt = room.messages.findIndex((message) => message.id && message.id === room.seen);
  lines.forEach((line, at) => {
    const before = lines[at - 1];
    const after = lines[at + 1];
    if (!before || dayKey(before.time) !== dayKey(line.time)) {
      found.push({ key: `day ${dayKey(line.time)}`, print: dayName(line.time), make: () => h('li', { class: 'day' }, h('span', {}, dayName(line.time))) });
    }
    const first = !together(before, line);
    const last = !after || !together(line, after);
    const seen = last && at <= seenAt && !lines.slice(at + 1, seenAt + 1).some((later) => later.from === line.from);
    found.push(item(line, { mine, guest: desk.guestOf(chat?.id ?? desk.current), chat, first, last, seen, actions }));
  });
  return found;
}

function together(before, line) {
  return before !== undefined && before.from === line.from && dayKey(before.time) === dayKey(line.time) && Date.parse(line.time) - Date.parse(before.time) < GROUP_GAP;
}

function item(line, { mine, guest, chat, first, last, seen, actions }) {
  const own = line.from === mine;
  const colleague = !own && guest !== null && line.from !== guest;
  const name = own ? 'You' : colleague ? 'A colleague' : nameOf(chat);
  const state = line.letter ? (line.letter.refused ? ' failed' : ' pending') : '';
  return {
    key: line.key,
    print: JSON.stringify([name, first, last, seen, state, line.letter?.refused]),
    make: () =>
      h(
        'li',
        { class: `message ${own || colleague ? 'mine' : 'theirs'}${colleague ? ' colleague' : ''}${first ? ' first' : ''}${last ? ' last' : ''}${state}` },
        own || colleague ? null : h('span', { class: `face small ${shade(chat?.id)}`, 'aria-hidden': 'true' }, first ? initials(name) : ''),
        h(
          'div',
          { class: 'said' },
          colleague && first ? h('p', { class: 'from', 'aria-hidden': 'true' }, name) : null,
          h(
            'div',
            { class: 'bubble', dir: 'auto', title: inFull(line.time) },
            h('span', { class: 'sr-only' }, `${name}: `),
            pieces(line.message).map((piece) => (piece.link ? h('a', { href: piece.link, target: '_blank', rel: 'noopener noreferrer' }, piece.text) : piece.text)),
          ),
          foot(line, own, last, seen, actions),
        ),
      ),
  };
}

function foot(line, own, last, seen, actions) {
  if (line.letter?.refused) {
    return h(
      'div',
      { class: 'meta refused' },
      h('span', {}, icon('alert'), `Not sent: ${line.letter.refused}`),
      h('button', { class: 'link', type: 'button', onclick: () => actions.edit(line.letter) }, 'Edit'),
      h('button', { class: 'link', type: 'button', onclick: () => actions.retry(line.letter.client_id) }, 'Try again'),
      h('button', { class: 'link', type: 'button', onclick: () => actions.remove(line.letter.client_id) }, 'Delete'),
    );
  }
  if (line.letter) return h('p', { class: 'meta' }, 'Waiting to be sent', icon('clock'));
  if (!last) return null;
  return h('p', { class: 'meta' }, h('time', { datetime: line.time }, timeOfDay(line.time)), own && seen ? '· Seen' : null, own ? icon('check') : null);
}
