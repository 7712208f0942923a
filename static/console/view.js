// The console's view: queues on the left, one chat on the right.
import { chatRow } from '../shared/chat-row.js';
import { $, become, reconcile, setText, show } from '../shared/dom.js';
import { briefly, hue as hueOf, plural } from '../shared/format.js';
import { messageItems } from '../shared/message-view.js';
import { QUEUES } from './queues.js';

/** @typedef {import('./queues.js').Chat} Chat */
/** @typedef {import('./support-store.js').ChatState} ChatState */
/** @typedef {import('./support-store.js').SupportStore} SupportStore */
/** @typedef {import('../shared/message-view.js').Line} Line */
/** @typedef {import('../shared/outbox.js').Outbox<any>} Outbox */

/** @param {Chat | undefined} chat */
const nameOf = (chat) => chat?.name || chat?.email || 'Guest';
/** The last digits of an id, as a number, choose the colour. @param {string | undefined} id */
const hue = (id) => hueOf(parseInt(String(id).slice(-6), 16));

const NONE = {
  waiting: 'No guest is waiting. Guests appear here as soon as they write.',
  active: 'Chats move here with your first answer.',
  closed: 'No chat has been closed yet.',
};

/**
 * @param {SupportStore} store
 * @param {string | null} current
 */
export function renderQueues(store, current) {
  const { queues } = store;
  for (const name of QUEUES) {
    const chats = queues.shown(name);
    const left = queues.left(name);
    reconcile(
      $(`${name}-list`),
      chats.map((chat) => row(store, chat, current)),
    );
    show($(`${name}-none`), store.ready && chats.length === 0);
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
  setText(
    $('blank-text'),
    quiet ? 'When a guest writes, you see it on the left, and the title of this page tells you too.' : 'Pick one on the left to answer.',
  );
}

/**
 * @param {SupportStore} store
 * @param {Chat} chat
 * @param {string | null} current
 */
function row(store, chat, current) {
  const here = chat.id === current;
  const preview = store.guestTypes(chat.id) ? 'Typing…' : chat.lastMessage || 'Nothing said yet';
  const { id, time, unread, queue: state } = chat;
  const make = () => chatRow({ href: `#/chats/${id}`, here, hue: hue(id), title: nameOf(chat), time, preview, unread, state });
  return {
    key: id,
    print: JSON.stringify([nameOf(chat), preview, time && briefly(time), unread, here, state]),
    make,
    patch: (/** @type {HTMLElement} */ element) => become(element, make()),
  };
}

/**
 * @param {SupportStore} store
 * @param {Outbox} outbox
 * @param {string | null} current
 * @param {import('../shared/message-view.js').Actions} actions
 */
export function renderChat(store, outbox, current, actions) {
  show($('open-chat'), current !== null);
  show($('blank'), current === null);
  if (current === null) return;
  const chat = store.chats.get(current);
  const state = store.chatState(current);
  setText($('room-title'), chat ? nameOf(chat) : 'Chat');
  setText($('room-sub'), [chat?.email, chat?.domain].filter(Boolean).join(' · '));
  show($('close-chat'), chat?.queue === 'waiting' || chat?.queue === 'active');
  setText($('typing'), store.guestTypes(current) ? `${nameOf(chat)} is typing…` : store.colleagueTypes(current) ? 'A colleague is writing…' : '');
  setText($('beginning'), state.ready ? '' : 'Loading messages…');
  show($('beginning'), !state.ready);
  $('beginning').classList.toggle('large', state.messages.length === 0);
  setText($('closed-note'), 'This chat is closed. It comes back when the guest writes again, or with your next answer.');
  show($('closed-note'), chat?.queue === 'closed');
  reconcile($('messages'), messageItems(lines(store, state, current, outbox), { actions, sending: false }));
}

/**
 * @param {SupportStore} store
 * @param {ChatState} state
 * @param {string} id
 * @param {Outbox} outbox
 * @returns {Line[]}
 */
function lines(store, state, id, outbox) {
  const me = store.owner.ownerId;
  const guest = store.guestOf(id);
  const name = nameOf(store.chats.get(id));
  const seenAt = state.messages.findIndex((message) => message.id && message.id === state.seen);
  /** @type {Line[]} */
  const found = state.messages.map(({ from, message, time, id: key }, at) => {
    const by = from === me ? 'me' : guest !== null && from !== guest ? 'colleague' : 'other';
    return {
      key: key ?? `own ${at}`,
      sender: from,
      time: time ?? new Date().toISOString(),
      content: message,
      by,
      name: by === 'colleague' ? 'A colleague' : name,
      hue: by === 'other' ? hue(id) : '',
      named: by === 'colleague',
      // Only each agent's last message that the guest has seen carries the mark.
      seen: at <= seenAt && !state.messages.slice(at + 1, seenAt + 1).some((later) => later.from === from),
    };
  });
  for (const entry of outbox.of(id)) {
    found.push({ key: entry.client_id, sender: me, time: entry.written, content: entry.content, by: 'me', entry });
  }
  return found;
}
