// What one can do with a chat of the list without opening it: a menu by mouse, touch and keyboard.
import { $, speak } from '../shared/dom.js';
import { setForMe } from './chat-settings.js';
import { copyText } from '../shared/clipboard.js';
import { onHold } from './holding.js';
import { isMuted, tomorrow } from './levels.js';
import { openMenu } from './menu.js';
import { addressOf, placeOf } from './places.js';

/** @typedef {import('./model.js').Chat} Chat */

export class ChatMenu {
  /**
   * @param {object} options
   * @param {import('./model.js').Model} options.model
   * @param {(chat: number) => void} options.readAll
   */
  constructor({ model, readAll }) {
    this.model = model;
    this.readAll = readAll;
    const lists = $('lists');
    lists.addEventListener('contextmenu', (event) => this.context(event));
    onHold(lists, (event) => this.held(event));
    lists.addEventListener('keydown', (event) => this.key(event));
  }

  /** The chat whose row something is in. @param {EventTarget | null} target */
  find(target) {
    const row = target instanceof Element ? target.closest('a.chat-row') : null;
    const chat = row instanceof HTMLAnchorElement && this.model.chats.get(placeOf(row.href)?.chat ?? 0);
    return row instanceof HTMLElement && chat ? { row, chat } : null;
  }

  /** @param {MouseEvent} event */
  context(event) {
    const found = this.find(event.target);
    if (!found) return;
    event.preventDefault();
    // A finger that rests may have opened it already.
    if (!document.querySelector('dialog[open]')) this.open(found.chat, { at: { x: event.clientX, y: event.clientY } });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key !== 'ContextMenu' && !(event.shiftKey && event.key === 'F10')) return;
    const found = this.find(event.target);
    if (!found) return;
    event.preventDefault();
    this.open(found.chat, { beside: found.row });
  }

  /** A finger that rests on a chat opens its menu, and not the chat. @param {PointerEvent} event */
  held(event) {
    const found = this.find(event.target);
    const { clientX: x, clientY: y } = event;
    return found && (() => this.open(found.chat, { at: { x, y } }));
  }

  /**
   * @param {Chat} chat
   * @param {{at?: {x: number, y: number}, beside?: HTMLElement}} place
   */
  open(chat, place) {
    const { id, member, unread, pinned } = chat;
    const set = (/** @type {Record<string, string>} */ change) => setForMe(this.model, id, change);
    const mine = [
      ...(unread > 0 ? [{ text: 'Mark as read', act: () => this.readAll(id) }] : []),
      { text: pinned ? 'Unpin' : 'Pin to the top', act: () => set({ pinned: String(!pinned) }) },
      isMuted(chat)
        ? { text: 'Unmute', act: () => set({ muted_until: '' }) }
        : { text: 'Mute until tomorrow', act: () => set({ muted_until: new Date(tomorrow()).toISOString() }) },
    ];
    openMenu([...(member ? mine : []), { text: 'Copy link', act: () => copyLink(id) }], { ...place, label: chat.title });
  }
}

/** @param {number} chat */
async function copyLink(chat) {
  speak((await copyText(addressOf(chat))) ? 'The link is copied.' : 'This browser does not let us copy.');
}
