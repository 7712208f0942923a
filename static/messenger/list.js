// The chat list: mine first, then the open ones I could join.
import { $, h, icon, reconcile, setText, show } from './dom.js';
import { briefly, hue, inFull, initials, plural } from './words.js';

/** A filter is worth its place only when there is something to search. */
const FILTER_FROM = 8;

export class List {
  /** `more()` reads a further page of the list. */
  constructor({ model, outbox, current, more }) {
    Object.assign(this, { model, outbox, current });
    $('more-chats').addEventListener('click', async () => {
      const button = $('more-chats');
      if (button.getAttribute('aria-disabled') === 'true') return;
      button.setAttribute('aria-disabled', 'true');
      await more().catch(() => {});
      button.removeAttribute('aria-disabled');
    });
    $('filter').addEventListener('input', () => this.render());
    $('filter').addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && $('filter').value) {
        event.preventDefault();
        $('filter').value = '';
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
    show($('filter-box'), chats.length >= FILTER_FROM || $('filter').value !== '');
    const sought = $('filter').value.trim().toLocaleLowerCase();
    const found = sought ? chats.filter((chat) => chat.title.toLocaleLowerCase().includes(sought)) : chats;
    const mine = found.filter((chat) => chat.member);
    const others = found.filter((chat) => !chat.member);
    reconcile($('mine-list'), mine.map((chat) => this.item(chat)));
    reconcile($('others-list'), others.map((chat) => this.item(chat)));
    show($('mine'), mine.length > 0);
    show($('others'), others.length > 0);
    show($('more-chats'), this.model.more);
    this.note(sought, found.length, mine.length);
  }

  note(sought, found, mine) {
    let text = '';
    if (sought && found === 0) text = `Nothing here is called “${$('filter').value.trim()}”.`;
    else if (!sought && found === 0) text = 'No chats yet. The plus above starts the first one.';
    else if (!sought && mine === 0) text = 'You are in no chat yet. Join one above, or start your own with the plus.';
    setText($('lists-note'), text);
    show($('lists-note'), text !== '');
  }

  item(chat) {
    const here = this.current() === chat.id;
    const waiting = this.outbox.of(chat.id);
    const newest = waiting.at(-1);
    const time = newest?.written ?? chat.last_message_time;
    const preview = this.preview(chat, newest);
    const print = JSON.stringify([chat.title, preview, time && briefly(time), chat.unread, here, newest?.refused, Boolean(newest)]);
    return { key: String(chat.id), print, make: () => this.draw(chat, { here, newest, time, preview }) };
  }

  preview(chat, newest) {
    if (newest) return newest.content;
    if (chat.last_message === null) return chat.member ? 'Nothing said yet' : 'Have a look';
    const who = chat.sender_id === this.model.me.id ? 'You' : this.model.people.get(chat.sender_id);
    const text = chat.last_message === '' ? 'Message deleted' : chat.last_message;
    return who ? `${who}: ${text}` : text;
  }

  draw(chat, { here, newest, time, preview }) {
    return h(
      'li',
      {},
      h(
        'a',
        { class: `chat-row${chat.unread ? ' unread' : ''}`, href: `#/chats/${chat.id}`, 'aria-current': here ? 'page' : null },
        h('span', { class: `face ${hue(chat.id)}`, 'aria-hidden': 'true' }, initials(chat.title)),
        h(
          'span',
          { class: 'chat-words' },
          h(
            'span',
            { class: 'chat-top' },
            h('span', { class: 'chat-title', dir: 'auto' }, chat.title),
            time ? h('time', { class: 'chat-time', datetime: time, title: inFull(time) }, briefly(time)) : null,
          ),
          h(
            'span',
            { class: 'chat-bottom' },
            newest ? icon(newest.refused ? 'alert' : 'clock') : null,
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
    );
  }

  /** Alt with an arrow goes to the next chat, wherever the cursor is. */
  step(event) {
    if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
    const rows = [...document.querySelectorAll('#lists a.chat-row')].filter((row) => !row.closest('[hidden]'));
    if (rows.length === 0) return;
    event.preventDefault();
    const at = rows.findIndex((row) => row.getAttribute('aria-current') === 'page');
    const next = event.key === 'ArrowDown' ? at + 1 : at < 0 ? rows.length - 1 : at - 1;
    rows[(next + rows.length) % rows.length].click();
  }
}
