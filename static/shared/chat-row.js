// One chat in a list of chats.
import { h, icon as drawIcon } from './dom.js';
import { briefly, inFull, initials, plural } from './format.js';

/**
 * @param {object} chat
 * @param {string} chat.href
 * @param {boolean} chat.here whether it is the open one
 * @param {string} chat.hue
 * @param {string} chat.title
 * @param {string | null} [chat.time] of its last message
 * @param {string} chat.preview
 * @param {boolean} [chat.begun] whether that is a draft
 * @param {'clock' | 'alert' | null} [chat.icon]
 * @param {number} [chat.unread]
 * @param {string} [chat.state] a further class
 * @param {boolean} [chat.online] whether the person it is with is there
 * @param {HTMLElement} [chat.face] of the person it is with, in place of the initials
 * @param {boolean} [chat.mentioned] whether something unread mentions me
 */
export function chatRow({ href, here, hue, title, time, preview, begun = false, icon, unread, state = '', online = false, mentioned = false, face }) {
  return h(
    'li',
    {},
    h(
      'a',
      { class: ['chat-row', state, unread ? 'unread' : ''].filter(Boolean).join(' '), href, 'aria-current': here ? 'page' : null },
      face ?? h('span', { class: `face ${hue}`, 'aria-hidden': 'true' }, initials(title)),
      h(
        'span',
        { class: 'chat-words' },
        h(
          'span',
          { class: 'chat-top' },
          h('span', { class: 'chat-title', dir: 'auto' }, title),
          online ? h('span', { class: 'sr-only' }, ', here now') : null,
          time ? h('time', { class: 'chat-time', datetime: time, title: inFull(time) }, briefly(time)) : null,
        ),
        h(
          'span',
          { class: 'chat-bottom' },
          icon ? drawIcon(icon) : null,
          begun ? h('span', { class: 'draft-mark' }, 'Draft: ') : null,
          h('span', { class: 'chat-preview', dir: 'auto' }, preview),
          mentioned ? h('span', { class: 'badge at', title: 'You are mentioned' }, '@') : null,
          unread ? badge(unread) : null,
        ),
      ),
    ),
  );
}

/** @param {number} unread */
function badge(unread) {
  return h(
    'span',
    { class: 'badge' },
    h('span', { 'aria-hidden': 'true' }, unread > 99 ? '99+' : String(unread)),
    h('span', { class: 'sr-only' }, plural(unread, 'unread message', 'unread messages')),
  );
}
