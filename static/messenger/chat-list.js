// The chat list: mine first, then the open ones I could join.
import { chatRow } from '../shared/chat-row.js';
import { $, busy, reconcile, setText, show } from '../shared/dom.js';
import { briefly, hue } from '../shared/format.js';

/** A filter is worth its place only when there is something to search. */
const FILTER_FROM = 8;

/** @typedef {import('./model.js').Chat} Chat */
/** @typedef {import('../shared/outbox.js').Entry} Entry */

export class ChatList {
  /**
   * @param {object} options
   * @param {import('./model.js').Model} options.model
   * @param {import('../shared/outbox.js').Outbox<any>} options.outbox
   * @param {() => number | null} options.current
   * @param {() => Promise<void>} options.more reads a further page of the list
   */
  constructor({ model, outbox, current, more }) {
    this.model = model;
    this.outbox = outbox;
    this.current = current;
    this.filter = $('filter', HTMLInputElement);
    $('more-chats').addEventListener('click', () => busy($('more-chats'), () => more().catch(() => {})));
    this.filter.addEventListener('input', () => this.render());
    this.filter.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.filter.value) {
        event.preventDefault();
        this.filter.value = '';
        this.render();
      }
    });
    document.addEventListener('keydown', (event) => this.step(event));
  }

  /** Newest activity first, as the server has them, so that nothing moves when the page is read anew. */
  sorted() {
    return [...this.model.chats.values()].sort((a, b) => b.active - a.active);
  }

  render() {
    const chats = this.sorted();
    show($('filter-box'), chats.length >= FILTER_FROM || this.filter.value !== '');
    const sought = this.filter.value.trim().toLocaleLowerCase();
    const found = sought ? chats.filter((chat) => chat.title.toLocaleLowerCase().includes(sought)) : chats;
    const mine = found.filter((chat) => chat.member);
    const others = found.filter((chat) => !chat.member);
    reconcile(
      $('mine-list'),
      mine.map((chat) => this.item(chat)),
    );
    reconcile(
      $('others-list'),
      others.map((chat) => this.item(chat)),
    );
    show($('mine'), mine.length > 0);
    show($('others'), others.length > 0);
    show($('more-chats'), this.model.more);
    this.note(sought, found.length, mine.length);
  }

  /**
   * @param {string} sought
   * @param {number} found
   * @param {number} mine
   */
  note(sought, found, mine) {
    let text = '';
    if (sought && found === 0) text = `Nothing here is called “${this.filter.value.trim()}”.`;
    else if (!sought && found === 0) text = 'No chats yet. The plus above starts the first one.';
    else if (!sought && mine === 0) text = 'You are in no chat yet. Join one above, or start your own with the plus.';
    setText($('lists-note'), text);
    show($('lists-note'), text !== '');
  }

  /** @param {Chat} chat */
  item(chat) {
    const here = this.current() === chat.id;
    const newest = this.outbox.of(chat.id).at(-1);
    const time = newest?.written ?? chat.last_message_time;
    const preview = this.preview(chat, newest);
    const print = JSON.stringify([chat.title, preview, time && briefly(time), chat.unread, here, newest?.refused, Boolean(newest)]);
    return { key: String(chat.id), print, make: () => this.draw(chat, { here, newest, time, preview }) };
  }

  /**
   * @param {Chat} chat
   * @param {Entry | undefined} newest
   */
  preview(chat, newest) {
    if (newest) return newest.content;
    if (chat.last_message === null) return chat.member ? 'Nothing said yet' : 'Have a look';
    const who = chat.sender_id === this.model.me.id ? 'You' : this.model.people.get(chat.sender_id ?? 0);
    const text = chat.last_message === '' ? 'Message deleted' : chat.last_message;
    return who ? `${who}: ${text}` : text;
  }

  /**
   * @param {Chat} chat
   * @param {{here: boolean, newest: Entry | undefined, time: string | null, preview: string}} details
   */
  draw(chat, { here, newest, time, preview }) {
    return chatRow({
      href: `#/chats/${chat.id}`,
      here,
      hue: hue(chat.id),
      title: chat.title,
      time,
      preview,
      icon: newest ? (newest.refused ? 'alert' : 'clock') : null,
      unread: chat.unread,
    });
  }

  /**
   * Alt with an arrow goes to the next chat, wherever the cursor is.
   * @param {KeyboardEvent} event
   */
  step(event) {
    if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
    const all = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('#lists a.chat-row'));
    const rows = [...all].filter((row) => !row.closest('[hidden]'));
    if (rows.length === 0) return;
    event.preventDefault();
    const at = rows.findIndex((row) => row.getAttribute('aria-current') === 'page');
    const next = event.key === 'ArrowDown' ? at + 1 : at < 0 ? rows.length - 1 : at - 1;
    rows[(next + rows.length) % rows.length].click();
  }
}
