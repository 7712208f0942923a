// The messages that are in the document: a window of the history, which moves with what one reads. What is far from it is
// taken out, so that a chat of any length costs no more than a short one.
import { reconcile } from '../shared/dom.js';
import { messageItems } from '../shared/message-view.js';

/** @typedef {import('../shared/message-view.js').Line} Line */

/** So many elements are drawn before what one reads, and after it. */
const BEFORE = 420;
const AFTER = 520;
/** What a message takes before it was drawn once. */
const USUAL = 9;
/** So near to an end of the window it moves on, in pixels. */
const NEAR = 700;
const NEAR_END = 80;

export class MessageList {
  /**
   * @param {object} options
   * @param {HTMLElement} options.scroll
   * @param {HTMLElement} options.list
   * @param {import('../shared/message-view.js').Options} options.drawing
   * @param {(where: 'start' | 'end') => void} options.reached called when one comes near to an end of the lines
   * @param {() => void} options.scrolled
   */
  constructor({ scroll, list, drawing, reached, scrolled }) {
    this.scroll = scroll;
    this.list = list;
    this.drawing = drawing;
    this.reached = reached;
    this.scrolled = scrolled;
    /** @type {Line[]} */
    this.lines = [];
    /** @type {Map<string, number>} */
    this.weights = new Map();
    /** Whether the end stays in sight when something is added there. */
    this.follows = true;
    /** The message that keeps its place on the screen, and where that is. @type {{key: string, top: number} | null} */
    this.anchor = null;
    /** Which lines are in the document. */
    this.from = 0;
    this.to = 0;
    /** Whether the last line is the newest there is. */
    this.complete = true;
    /** Where the scroll was when it was last looked at. */
    this.top = 0;
    scroll.addEventListener('scroll', () => this.moved(), { passive: true });
    new ResizeObserver(() => this.keepEnd()).observe(scroll);
  }

  /** Begins anew, at the end. */
  clear() {
    this.lines = [];
    this.weights.clear();
    this.list.replaceChildren();
    this.follows = true;
    this.anchor = null;
    this.from = 0;
    this.to = 0;
    this.complete = true;
    this.top = this.scroll.scrollTop;
  }

  /** Whether the newest message is before one's eyes. */
  get atEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroll;
    return this.complete && this.to === this.lines.length && scrollHeight - scrollTop - clientHeight < NEAR_END;
  }

  /**
   * @param {Line[]} lines
   * @param {boolean} complete whether the last of them is the newest there is
   */
  render(lines, complete) {
    this.catchUp();
    this.lines = lines;
    this.complete = complete;
    this.draw();
  }

  /** Browsers tell of a scroll in the next frame: what is drawn before that is not to take it back. */
  catchUp() {
    if (this.scroll.scrollTop === this.top) return;
    this.top = this.scroll.scrollTop;
    this.follows = this.atEnd;
    this.keepPlace();
  }

  /** The end stays in sight, where it was. */
  keepEnd() {
    this.catchUp();
    if (this.follows) this.toEnd();
  }

  draw() {
    const { lines } = this;
    const at = this.follows || !this.anchor ? -1 : lines.findIndex((line) => line.key === this.anchor?.key);
    const middle = at < 0 ? lines.length : at;
    this.to = this.reach(middle, 1, at < 0 ? 0 : AFTER);
    this.from = this.reach(middle, -1, at < 0 ? BEFORE + AFTER : BEFORE);
    const shown = lines.slice(this.from, this.to);
    reconcile(this.list, messageItems(shown, this.drawing));
    for (const element of this.list.children) {
      const { key, weighed } = /** @type {HTMLElement} */ (element).dataset;
      if (key && weighed === undefined) this.measure(/** @type {HTMLElement} */ (element), key);
    }
    if (at < 0) this.toEnd();
    else this.restore();
    this.coverDays();
  }

  /** Of the days that have come to the upper edge only the last one is seen. */
  coverDays() {
    const days = /** @type {HTMLElement[]} */ ([...this.list.querySelectorAll('.day')]);
    const last = days.findLastIndex((day) => this.place(day) <= 0);
    days.forEach((day, at) => day.classList.toggle('passed', at < last));
  }

  /**
   * The line up to which `budget` elements go from `start`, in one direction.
   * @param {number} start
   * @param {1 | -1} step
   * @param {number} budget
   */
  reach(start, step, budget) {
    let at = start;
    let left = budget;
    while (step > 0 ? at < this.lines.length : at > 0) {
      left -= this.weights.get(this.lines[step > 0 ? at : at - 1].key) ?? USUAL;
      if (left < 0 && at !== start) break;
      if (budget === 0) break;
      at += step;
    }
    return at;
  }

  /**
   * @param {HTMLElement} element
   * @param {string} key
   */
  measure(element, key) {
    element.dataset.weighed = '';
    this.weights.set(key, element.getElementsByTagName('*').length + 1);
  }

  /** What one reads goes back to where it was on the screen. */
  restore() {
    const element = this.anchor && this.element(this.anchor.key);
    if (!element || !this.anchor) return;
    const moved = this.place(element) - this.anchor.top;
    if (Math.abs(moved) >= 1) this.scroll.scrollTop += moved;
    this.top = this.scroll.scrollTop;
  }

  /** @param {string} key @returns {HTMLElement | null} */
  element(key) {
    for (const child of this.list.children) if (child instanceof HTMLElement && child.dataset.key === key) return child;
    return null;
  }

  /** Where an element is, below the upper edge of what one sees. @param {HTMLElement} element */
  place(element) {
    return element.getBoundingClientRect().top - this.scroll.getBoundingClientRect().top;
  }

  /** Remembers the first message that can be seen as a whole, or else the one that covers everything. */
  keepPlace() {
    const top = this.scroll.getBoundingClientRect().top;
    this.anchor = null;
    for (const child of this.list.children) {
      if (!(child instanceof HTMLElement) || !child.classList.contains('message')) continue;
      const box = child.getBoundingClientRect();
      if (box.bottom <= top + 1) continue;
      this.anchor = { key: child.dataset.key ?? '', top: box.top - top };
      return;
    }
  }

  moved() {
    this.top = this.scroll.scrollTop;
    this.follows = this.atEnd;
    this.keepPlace();
    this.coverDays();
    this.advance();
    this.scrolled();
  }

  /** Moves the window when one comes near to its end, and asks for more where there are no more lines. */
  advance() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroll;
    const nearTop = scrollTop < NEAR;
    const nearBottom = scrollHeight - scrollTop - clientHeight < NEAR;
    if (!this.follows && ((nearTop && this.from > 0) || (nearBottom && this.to < this.lines.length))) this.draw();
    if (nearTop && this.from === 0) this.reached('start');
    if (nearBottom && this.to === this.lines.length && !this.complete) this.reached('end');
  }

  toEnd() {
    this.follows = true;
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.top = this.scroll.scrollTop;
  }

  /** From anywhere to the newest. */
  showEnd() {
    this.follows = true;
    this.draw();
  }

  /**
   * Brings a line before one's eyes.
   * @param {string} key
   * @param {number} [top] how far below the upper edge
   * @returns {HTMLElement | null}
   */
  showLine(key, top = Math.round(this.scroll.clientHeight / 3)) {
    if (!this.lines.some((line) => line.key === key)) return null;
    this.follows = false;
    this.anchor = { key, top };
    this.draw();
    this.follows = this.atEnd;
    this.keepPlace();
    return this.element(key);
  }
}
