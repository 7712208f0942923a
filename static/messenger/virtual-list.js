// A list of rows of one height, of which only those near what one sees are in the document.
import { reconcile } from '../shared/dom.js';

/** @typedef {import('../shared/dom.js').Item} Item */

/** So many rows beyond each edge are drawn, for the keyboard and for quick scrolling. */
const MARGIN = 6;

export class VirtualList {
  /**
   * @param {object} options
   * @param {HTMLElement} options.list
   * @param {HTMLElement} options.scroll what scrolls; the list may share it with others
   * @param {number} options.height of a row, in pixels, until one is drawn
   * @param {() => void} [options.atEnd] called when the last row comes near
   * @param {'list' | 'grid'} [options.roles] how the place of a row is told
   */
  constructor({ list, scroll, height, atEnd, roles = 'list' }) {
    this.roles = roles;
    this.list = list;
    this.scroll = scroll;
    this.height = height;
    this.atEnd = atEnd;
    this.count = 0;
    /** @type {(index: number) => Item} */
    this.item = () => {
      throw new RangeError('there is no row');
    };
    let due = false;
    scroll.addEventListener(
      'scroll',
      () => {
        if (due) return;
        due = true;
        requestAnimationFrame(() => {
          due = false;
          this.draw();
        });
      },
      { passive: true },
    );
    new ResizeObserver(() => this.draw()).observe(scroll);
  }

  /**
   * @param {number} count
   * @param {(index: number) => Item} item the row at a place
   */
  render(count, item) {
    this.count = count;
    this.item = item;
    this.draw();
  }

  draw() {
    const { list, scroll, count, height } = this;
    // A list that is not shown has no place. Rows of before would be seen for a moment when it is shown again, so it keeps none.
    if (!list.offsetParent) {
      this.place([], 0);
      return;
    }
    const above = scroll.getBoundingClientRect().top - list.getBoundingClientRect().top;
    const seen = Math.ceil(scroll.clientHeight / height);
    const from = Math.max(0, Math.min(count, Math.floor(above / height) - MARGIN));
    const to = Math.max(from, Math.min(count, Math.floor(above / height) + seen + MARGIN + 1));
    /** @type {Item[]} */
    const items = [];
    for (let index = from; index < to; index += 1) items.push(this.item(index));
    this.place(items, from);
    this.measure();
    if (to === count && count > 0) this.atEnd?.();
  }

  /**
   * Puts rows into the document, and empty room in place of all others.
   * @param {Item[]} items
   * @param {number} from
   */
  place(items, from) {
    const { list, count, height } = this;
    reconcile(list, items);
    this.number(from);
    list.style.paddingTop = `${from * height}px`;
    list.style.paddingBottom = `${(count - from - items.length) * height}px`;
  }

  /** Says the place of each row among all. @param {number} from */
  number(from) {
    const [whole, place] = this.roles === 'grid' ? ['aria-rowcount', 'aria-rowindex'] : ['aria-setsize', 'aria-posinset'];
    if (this.roles === 'grid') this.list.setAttribute(whole, String(this.count));
    [...this.list.children].forEach((row, index) => {
      if (this.roles === 'list') row.setAttribute(whole, String(this.count));
      row.setAttribute(place, String(from + index + 1));
    });
  }

  /** With a larger font rows are higher. */
  measure() {
    const row = this.list.firstElementChild;
    const height = row instanceof HTMLElement ? row.getBoundingClientRect().height : 0;
    if (height < 1 || Math.abs(height - this.height) < 0.5) return;
    this.height = height;
    this.draw();
  }

  /** Brings a row before one's eyes. @param {number} index */
  reveal(index) {
    const top = this.list.getBoundingClientRect().top - this.scroll.getBoundingClientRect().top + index * this.height;
    if (top < 0) this.scroll.scrollTop += top;
    else if (top + this.height > this.scroll.clientHeight) this.scroll.scrollTop += top + this.height - this.scroll.clientHeight;
    this.draw();
  }
}
