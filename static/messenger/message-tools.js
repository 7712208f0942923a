// What one can do with a message: buttons beside the one under the pointer, and a menu by mouse, touch and keyboard.
import { drawing, h, within } from '../shared/dom.js';
import { when } from '../shared/message-view.js';
import { openMenu } from './menu.js';
import { selectedIn } from './quoting.js';

/** @typedef {import('./model.js').Message} Message */

const HOLD_FOR_MENU = 450;
const MOVED = 10;
const DOTS = 'M5 12h.01M12 12h.01M19 12h.01';
const REPLY = 'M10 8L5 12.5 10 17M5.5 12.5H14a5 5 0 0 1 5 5V18';
const SMILE = 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8.5 14.5a4.2 4.2 0 0 0 7 0M9 9.5v.5M15 9.5v.5';
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
    this.reactButton = button('React', SMILE, (message, at) => work.pick(message, at));
    this.replyButton = button('Reply', REPLY, (message, at) => work.reply(message, selectedIn(rowOf(at))));
    this.moreButton = button('More', DOTS, (message, at) => this.menu(message, { beside: at }));
    /** There is one, wherever it is: it goes to the message that is meant. */
    this.bar = h('div', { class: 'tools', onmousedown: keepSelection }, this.reactButton, this.replyButton, this.moreButton);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.holding = undefined;
    this.listen();
  }

  listen() {
    this.list.addEventListener('pointerover', (event) => {
      if (event.pointerType === 'mouse') this.attach(rowOf(event.target));
    });
    this.list.addEventListener('pointerleave', () => this.bar.remove());
    this.list.addEventListener('focusin', (event) => this.attach(rowOf(event.target)));
    this.list.addEventListener('contextmenu', (event) => this.context(event));
    this.list.addEventListener('pointerdown', (event) => this.hold(event));
    for (const type of ['pointerup', 'pointercancel']) this.list.addEventListener(type, () => clearTimeout(this.holding));
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

  /** A finger that rests on a message opens its menu. @param {PointerEvent} event */
  hold(event) {
    clearTimeout(this.holding);
    if (event.pointerType === 'mouse') return;
    const message = this.messageOf(rowOf(event.target));
    const button = event.target instanceof Element ? event.target.closest('button') : null;
    const chip = button?.matches('.reaction[data-emoji]') ? button : null;
    if (!message || (button && !chip)) return;
    const { clientX: x, clientY: y } = event;
    this.holding = setTimeout(() => {
      if (chip) {
        this.swallowPress(chip);
        this.work.whoReacted(message);
      } else this.menu(message, { at: { x, y } });
    }, HOLD_FOR_MENU);
    const moved = (/** @type {PointerEvent} */ later) => {
      if (Math.hypot(later.clientX - x, later.clientY - y) < MOVED) return;
      clearTimeout(this.holding);
      this.list.removeEventListener('pointermove', moved);
    };
    this.list.addEventListener('pointermove', moved);
  }

  /** The press that was held does not act as well when the finger leaves. @param {HTMLElement} chip */
  swallowPress(chip) {
    const stop = (/** @type {Event} */ event) => event.stopImmediatePropagation();
    chip.addEventListener('click', stop, { capture: true });
    addEventListener('pointerup', () => setTimeout(() => chip.removeEventListener('click', stop, { capture: true }), 50), { once: true });
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
   * @param {Message} message
   * @param {{at?: {x: number, y: number}, beside?: HTMLElement}} place
   */
  menu(message, place) {
    const { work } = this;
    const canReact = work.canReact(message);
    /** @type {() => void} */
    let close = () => {};
    const react = (/** @type {string} */ emoji) => {
      close();
      work.react(message, emoji);
    };
    const quick = h(
      'div',
      { class: 'quick', role: 'group', 'aria-label': 'React' },
      QUICK.map((emoji) => h('button', { type: 'button', class: 'reaction-emoji', 'aria-label': `React with ${emoji}`, onclick: () => react(emoji) }, emoji)),
    );
    const head = h('div', {}, canReact ? quick : null, h('p', { class: 'menu-when' }, when({ time: message.time, edited: message.edited_at })));
    const row = this.list.querySelector(`[data-message="${message.id}"]`);
    const selected = selectedIn(row);
    const beside = row instanceof HTMLElement ? within(row, '.bubble') : this.scroll;
    close = openMenu(
      [
        ...(canReact ? [{ text: 'Another emoji', act: () => work.pick(message, beside), keys: '+' }] : []),
        ...(work.canReply(message) ? [{ text: selected ? 'Quote what is selected' : 'Reply', act: () => work.reply(message, selected), keys: 'r' }] : []),
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
