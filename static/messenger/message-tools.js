// What one can do with a message: buttons beside the one under the pointer, and a menu by mouse, touch and keyboard.
import { drawing, h, within } from '../shared/dom.js';
import { when } from '../shared/message-view.js';
import { onHold } from './holding.js';
import { openMenu } from './menu.js';
import { selectedIn } from './quoting.js';

/** @typedef {import('./model.js').Message} Message */

const DOTS = 'M5 12h.01M12 12h.01M19 12h.01';
const REPLY = 'M10 8L5 12.5 10 17M5.5 12.5H14a5 5 0 0 1 5 5V18';
const SMILE = 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8.5 14.5a4.2 4.2 0 0 0 7 0M9 9.5v.5M15 9.5v.5';
/** So far the buttons beside a message stand over it, in pixels. */
const OVER = 8;
/** One press away. */
const QUICK = ['👍', '❤️', '😂', '🎉', '👀', '✅'];

/**
 * @typedef {object} Work what the tools do; each is there only where it is possible
 * @property {(id: number) => Message | undefined} find
 * @property {(message: Message) => boolean} canReact
 * @property {(message: Message) => boolean} canReply
 * @property {(message: Message) => boolean} canEdit
 * @property {(message: Message) => boolean} canDelete
 * @property {(message: Message, emoji: string) => void} react
 * @property {(message: Message, beside: HTMLElement) => void} pick chooses an emoji to react with
 * @property {(message: Message) => void} whoReacted
 * @property {(message: Message, selected: string) => void} reply answers it, or the part of it that is selected
 * @property {(message: Message) => void} edit
 * @property {(message: Message) => void} copy
 * @property {(message: Message) => void} copyLink
 * @property {(message: Message) => void} remove
 * @property {(id: number) => void} jump goes to a message that is answered
 * @property {(message: Message) => void} forward takes it to another chat
 * @property {(message: Message) => void} pickDay goes from its day to another
 */

export class MessageTools {
  /**
   * @param {object} options
   * @param {HTMLElement} options.list
   * @param {HTMLElement} options.scroll what has the focus while one walks through the messages
   * @param {Work} options.work
   */
  constructor({ list, scroll, work }) {
    this.list = list;
    this.scroll = scroll;
    this.work = work;
    const button = (/** @type {string} */ label, /** @type {string} */ path, /** @type {(message: Message, at: HTMLElement) => void} */ act) =>
      h(
        'button',
        { class: 'tool', type: 'button', tabindex: '-1', 'aria-label': label, title: label, onclick: (/** @type {Event} */ event) => this.act(event, act) },
        drawing(path),
      );
    this.reactButton = button('React', SMILE, (message, at) => this.reactMenu(message, at));
    this.replyButton = button('Reply', REPLY, (message, at) => work.reply(message, selectedIn(rowOf(at))));
    this.moreButton = button('More', DOTS, (message, at) => this.menu(message, { beside: at }));
    /** There is one, wherever it is: it goes to the message that is meant. */
    this.bar = h('div', { class: 'tools', onmousedown: keepSelection }, this.reactButton, this.replyButton, this.moreButton);
    this.listen();
  }

  listen() {
    this.list.addEventListener('pointerover', (event) => {
      if (event.pointerType === 'mouse') this.attach(rowOf(event.target));
    });
    this.list.addEventListener('pointerleave', () => this.bar.remove());
    this.list.addEventListener('focusin', (event) => this.attach(rowOf(event.target)));
    this.list.addEventListener('contextmenu', (event) => this.context(event));
    onHold(this.list, (event) => this.held(event));
    this.scroll.addEventListener('keydown', (event) => this.key(event));
  }

  /** @param {HTMLElement | null} row */
  messageOf(row) {
    const id = Number(row?.dataset.message);
    const message = id ? this.work.find(id) : undefined;
    return message && !message.deleted_at ? message : null;
  }

  /** @param {HTMLElement | null} row */
  attach(row) {
    const message = this.messageOf(row);
    if (!row || !message) {
      this.bar.remove();
      return;
    }
    this.reactButton.hidden = !this.work.canReact(message);
    this.replyButton.hidden = !this.work.canReply(message);
    const said = within(row, '.said');
    if (this.bar.parentElement !== said) said.append(this.bar);
    this.placeBar(said, row.classList.contains('mine'));
  }

  /**
   * Beside the first line of what is said, over its edge, and not over who said it.
   * @param {HTMLElement} said
   * @param {boolean} mine
   */
  placeBar(said, mine) {
    const { offsetTop: top, offsetLeft: left, offsetWidth: width } = within(said, '.bubble');
    const { style } = this.bar;
    style.top = `${top + 2}px`;
    style.left = mine ? 'auto' : `${left + width - OVER}px`;
    style.right = mine ? `${said.clientWidth - left - OVER}px` : 'auto';
  }

  /**
   * @param {Event} event
   * @param {(message: Message, at: HTMLElement) => void} act
   */
  act(event, act) {
    const button = /** @type {HTMLElement} */ (event.currentTarget);
    const message = this.messageOf(rowOf(button));
    if (message) act(message, button);
  }

  /** The browser's own menu stays where a link or a selection is meant. @param {MouseEvent} event */
  context(event) {
    const message = this.messageOf(rowOf(event.target));
    if (!message || (event.target instanceof Element && event.target.closest('a')) || getSelection()?.toString()) return;
    event.preventDefault();
    this.menu(message, { at: { x: event.clientX, y: event.clientY } });
  }

  /** A finger that rests on a message opens its menu, on a reaction the list of who reacted. @param {PointerEvent} event */
  held(event) {
    const message = this.messageOf(rowOf(event.target));
    const button = event.target instanceof Element ? event.target.closest('button') : null;
    if (!message || (button && !button.matches('.reaction[data-emoji], .quote'))) return null;
    if (button?.matches('.reaction')) return () => this.work.whoReacted(message);
    const { clientX: x, clientY: y } = event;
    return () => this.menu(message, { at: { x, y } });
  }

  /** The arrows walk through the messages, Enter opens the menu of one, single keys act at once. @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target !== this.scroll && !target.matches('li.message')) return;
    const row = target.matches('li.message') ? target : null;
    if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      const next = this.next(row, event.key === 'ArrowUp' ? -1 : 1);
      if (next) this.focus(next);
      event.preventDefault();
      return;
    }
    const message = this.messageOf(row);
    if (!row || !message) return;
    const act = this.byKey(event.key, message, row);
    if (!act) return;
    event.preventDefault();
    act();
  }

  /**
   * @param {string} key
   * @param {Message} message
   * @param {HTMLElement} row
   * @returns {(() => void) | null}
   */
  byKey(key, message, row) {
    const { work } = this;
    if (key === 'Enter' || key === ' ' || key === 'ContextMenu') return () => this.menu(message, { beside: within(row, '.bubble') });
    if (key === 'r' && work.canReply(message)) return () => work.reply(message, selectedIn(row));
    if (key === '+' && work.canReact(message)) return () => work.pick(message, within(row, '.bubble'));
    if (key === 'e' && work.canEdit(message)) return () => work.edit(message);
    if (key === 'c') return () => work.copy(message);
    if (key === 'f') return () => work.forward(message);
    if (key === 'q' && message.reply_to) return () => work.jump(message.reply_to?.id ?? 0);
    if (key === 'd') return () => work.pickDay(message);
    if (key === 'Delete' && work.canDelete(message)) return () => work.remove(message);
    return null;
  }

  /**
   * @param {HTMLElement | null} row
   * @param {1 | -1} step
   */
  next(row, step) {
    const rows = /** @type {HTMLElement[]} */ ([...this.list.querySelectorAll('li.message')]);
    return row ? rows[rows.indexOf(row) + step] : rows.at(-1);
  }

  /** @param {HTMLElement} row */
  focus(row) {
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: 'nearest' });
  }

  /** Goes to the newest message. */
  enter() {
    const row = this.next(null, -1);
    if (row) this.focus(row);
  }

  /**
   * The reactions that are one press away. Each closes the menu that they are in.
   * @param {Message} message
   */
  quick(message) {
    const close = { now: () => {} };
    const react = (/** @type {string} */ emoji) => {
      close.now();
      this.work.react(message, emoji);
    };
    const buttons = QUICK.map((emoji) =>
      h('button', { type: 'button', class: 'reaction-emoji', 'aria-label': `React with ${emoji}`, onclick: () => react(emoji) }, emoji),
    );
    return { quick: h('div', { class: 'quick', role: 'group', 'aria-label': 'React' }, buttons), close };
  }

  /**
   * @param {Message} message
   * @param {HTMLElement} beside
   */
  reactMenu(message, beside) {
    const { quick, close } = this.quick(message);
    const row = rowOf(beside);
    const place = row ? within(row, '.bubble') : this.scroll;
    close.now = openMenu([{ text: 'More emoji', act: () => this.work.pick(message, place) }], { beside, label: 'React', head: quick });
    within(quick, 'button').focus();
  }

  /**
   * @param {Message} message
   * @param {{at?: {x: number, y: number}, beside?: HTMLElement}} place
   */
  menu(message, place) {
    const { work } = this;
    const canReact = work.canReact(message);
    const { quick, close } = this.quick(message);
    const head = h('div', {}, canReact ? quick : null, h('p', { class: 'menu-when' }, when({ time: message.time, edited: message.edited_at })));
    const row = this.list.querySelector(`[data-message="${message.id}"]`);
    const selected = selectedIn(row);
    const beside = row instanceof HTMLElement ? within(row, '.bubble') : this.scroll;
    const { reply_to: answered } = message;
    close.now = openMenu(
      [
        ...(canReact ? [{ text: 'Another emoji', act: () => work.pick(message, beside), keys: '+' }] : []),
        ...(work.canReply(message) ? [{ text: selected ? 'Quote what is selected' : 'Reply', act: () => work.reply(message, selected), keys: 'r' }] : []),
        ...(answered ? [{ text: 'Go to what it answers', act: () => work.jump(answered.id), keys: 'q' }] : []),
        { text: 'Forward', act: () => work.forward(message), keys: 'f' },
        ...(message.reactions?.length ? [{ text: 'Who reacted', act: () => work.whoReacted(message) }] : []),
        { text: 'Copy text', act: () => work.copy(message), keys: 'c' },
        { text: 'Copy link', act: () => work.copyLink(message) },
        ...(work.canEdit(message) ? [{ text: 'Edit', act: () => work.edit(message), keys: 'e' }] : []),
        ...(work.canDelete(message) ? [null, { text: 'Delete', act: () => work.remove(message), danger: true, keys: 'Delete' }] : []),
      ],
      { ...place, label: 'Message', head },
    );
  }
}

/** A press beside what is selected leaves it so. @param {Event} event */
const keepSelection = (event) => event.preventDefault();

/** The message that something is in. @param {EventTarget | null} target @returns {HTMLElement | null} */
const rowOf = (target) => (target instanceof Element ? target.closest('li.message') : null);
