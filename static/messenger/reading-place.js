// Where in a chat one reads: at the first unread message, at one that was sought, at the end; and the ways between.
import { $, setText, show, speak } from '../shared/dom.js';
import { plural } from '../shared/format.js';
import { askForDay } from './day-jump.js';
import { markWords } from './found-words.js';

/** @typedef {import('./room.js').Room} Room */

/** A message that was sought stands out at least so long, and then until one does something. */
const FOUND_FOR = 6_000;
/** So far below the upper edge the line "New" is shown: the day stands above it. */
const BELOW_DAY = 104;

export class ReadingPlace {
  /** @param {import('./chat-view.js').ChatView} view */
  constructor(view) {
    this.view = view;
    /** The first message that was unread when the chat was opened. @type {number | null} */
    this.divider = null;
    /** How many messages came while one read elsewhere. */
    this.missed = 0;
    /** Whether one has come to the first place to read. */
    this.placed = false;
    /** A message that is to be shown, as a link or a hit of a search says. @type {number | null} */
    this.sought = null;
    /** The message that stands out, also when it is drawn anew meanwhile. @type {number | null} */
    this.found = null;
    this.foundAt = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.foundTimer = undefined;
    /** What was unread: messages that came after `upTo` are none of them. @type {{unread: number, upTo: number, first: number | null}} */
    this.opening = { unread: 0, upTo: 0, first: null };
    /** Where one was reading in the chats that were left before their end. @type {Map<number, {id: number, top: number}>} */
    this.left = new Map();
    $('to-end').addEventListener('click', async () => {
      await this.toEnd();
      view.composer.focus();
    });
    for (const act of ['pointerdown', 'keydown']) document.addEventListener(act, () => this.acted());
    $('to-unread').addEventListener('click', () => this.toUnread());
    $('earlier-button').addEventListener('click', () => this.read('earlier'));
  }

  /**
   * A chat is opened. The unread count at this moment decides where the line "New" goes.
   * @param {import('./model.js').Chat | null} entry
   * @param {number | null} sought
   */
  begin(entry, sought) {
    this.divider = null;
    this.missed = 0;
    this.placed = false;
    this.sought = sought;
    this.found = null;
    markWords(null, []);
    this.opening = { unread: entry?.unread ?? 0, upTo: entry?.active ?? 0, first: entry?.first_unread ?? null };
  }

  /** The open chat is left: remembers where one was reading, unless that was its end. */
  leave() {
    const { chat, list } = this.view;
    if (chat === null || !this.placed) return;
    const { anchor } = list;
    const id = list.follows ? undefined : list.lines.find(({ key }) => key === anchor?.key)?.id;
    if (anchor && id !== undefined) this.left.set(chat, { id, top: anchor.top });
    else this.left.delete(chat);
  }

  /**
   * Another one's message comes while the chat is open. The first that nobody looks at gets the line "New".
   * @param {import('./model.js').Message} message
   */
  heard({ id }) {
    const { view } = this;
    if (!view.list.atEnd) this.missed += 1;
    // Before that the first sight of the chat decides.
    if (!this.placed || view.chat === null || view.isReading(view.chat)) return;
    if (view.entry?.first_unread === id) this.divider = id;
  }

  /**
   * The first of the messages that were unread at opening; null while what was read does not reach back to it.
   * @param {Room} room
   */
  firstUnread(room) {
    const { unread, upTo, first } = this.opening;
    if (unread === 0) return null;
    const theirs = room.messages.filter((message) => message.id <= upTo && message.sender_id !== this.view.model.me.id);
    if (first !== null) {
      const reached = room.first && (room.first.id <= first || !room.more);
      return reached ? (theirs.find((message) => message.id >= first)?.id ?? null) : null;
    }
    // Whatever else is counted, the chat has no more than this.
    return theirs.at(-unread)?.id ?? (room.more ? null : (theirs[0]?.id ?? null));
  }

  /**
   * First sight of a chat.
   * @param {number} id
   */
  async showFirst(id) {
    const { view, sought, opening } = this;
    const room = view.model.room(id);
    const unread = opening.unread > 0 && this.firstUnread(room) === null ? opening.first : null;
    // Where something is unread, that is what one comes for.
    const left = sought === null && opening.unread === 0 ? this.left.get(id) : undefined;
    const target = sought ?? unread ?? left?.id ?? null;
    try {
      if (target !== null && !room.find(target)) await view.history.around(id, target);
    } catch {
      // Then the chat opens at its end, without the line.
    }
    if (view.chat !== id || this.placed) return;
    this.placed = true;
    this.divider = this.firstUnread(room);
    view.render();
    if (sought !== null) await this.showMessage(sought);
    else if (this.divider !== null) await this.toUnread();
    else if (left) await this.bring(left.id, left.top);
    view.scrolled();
  }

  /** Shows the line above the first message that was unread, unless all after it is in sight as well. */
  async toUnread() {
    if (this.divider !== null) await this.bring(this.divider, BELOW_DAY);
  }

  /** Brings a message before one's eyes, and makes it stand out, with who said it when. @param {number} id */
  async showMessage(id) {
    this.sought = null;
    this.endFound();
    const sought = await this.bring(id);
    if (!sought) {
      speak('That message is not here any more.');
      return;
    }
    this.found = id;
    this.foundAt = Date.now();
    this.view.render();
    const row = this.view.list.element(sought.dataset.key ?? '') ?? sought;
    markWords(row.querySelector('.bubble'), this.view.wordsIn(id));
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
  }

  /** Somebody goes on with something else than the message that was sought. */
  acted() {
    if (this.found === null) return;
    clearTimeout(this.foundTimer);
    const { found } = this;
    this.foundTimer = setTimeout(() => this.found === found && this.endFound(), Math.max(0, this.foundAt + FOUND_FOR - Date.now()));
  }

  endFound() {
    if (this.found === null) return;
    clearTimeout(this.foundTimer);
    this.found = null;
    markWords(null, []);
    this.view.render();
  }

  /**
   * @param {number} message
   * @param {number} [top]
   */
  async bring(message, top) {
    const { view } = this;
    const id = view.chat;
    if (id === null) return null;
    const room = view.model.room(id);
    if (!room.find(message)) {
      const found = await view.history.around(id, message).catch(() => false);
      if (!found || view.chat !== id) return null;
      view.list.follows = false;
      view.render();
    }
    const known = room.find(message);
    const row = known ? view.list.showLine(view.lines.keyOf(known), top) : null;
    view.scrolled();
    return row;
  }

  /** Asks for another day, and goes there. @param {string} time on the day that one leaves */
  pickDay(time) {
    const id = this.view.chat;
    if (id === null) return;
    askForDay(id, time, (message) => {
      if (this.view.chat !== id) return;
      if (message !== null) this.showMessage(message);
      else {
        speak('Nothing was said since then.');
        this.toEnd();
      }
    });
  }

  /** From wherever one reads to the newest message. */
  async toEnd() {
    const { view } = this;
    const id = view.chat;
    if (id === null) return;
    if (view.model.room(id).later) {
      view.list.follows = true;
      await view.load();
      if (view.chat !== id) return;
    }
    view.list.showEnd();
    view.scrolled();
  }

  /** @param {'earlier' | 'later'} direction */
  async read(direction) {
    if (!this.placed) return;
    const count = await this.view.history.further(direction);
    if (count === null) speak(`${direction === 'earlier' ? 'Earlier' : 'Later'} messages could not be loaded.`);
    else if (count > 0) speak(plural(count, `${direction} message`, `${direction} messages`));
  }

  renderJumps() {
    const { list, chat } = this.view;
    // It keeps its room while the first messages are not drawn, so that nothing moves.
    $('beginning').style.visibility = list.from > 0 ? 'hidden' : '';
    const open = chat !== null && this.placed;
    show($('to-end'), open && !list.atEnd);
    setText($('to-end-text'), this.missed ? plural(this.missed, 'new message', 'new messages') : 'Newest');
    show($('to-unread'), open && this.isDividerAbove());
  }

  isDividerAbove() {
    const { list } = this.view;
    if (this.divider === null) return false;
    const mark = $('messages').querySelector('.divider');
    if (mark instanceof HTMLElement) return list.place(mark) < -8;
    return (list.lines[list.from]?.id ?? 0) > this.divider;
  }
}
