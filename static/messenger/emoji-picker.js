// Picks an emoji: by a word, by its group, or one of the last used; all with the keyboard too.
import { h, isComposing, setText } from '../shared/dom.js';
import { TONES, chooseTone, inTone, loadEmoji, recentEmoji, rememberEmoji, searchEmoji, toneChosen } from './emoji.js';
import { VirtualList } from './virtual-list.js';

/** @typedef {import('./emoji.js').Emoji} Emoji */
/** @typedef {import('./emoji.js').Group} Group */
/** @typedef {{heading: string} | {emoji: Emoji[], at: number}} Row */

const COLUMNS = 8;
const ROW_HEIGHT = 40;
const TONE_NAMES = ['no skin tone', 'light', 'medium-light', 'medium', 'medium-dark', 'dark'];
const TONE_SAMPLE = { emoji: '✋', name: '', words: '', toned: true };

/** @type {EmojiPicker | null} */
let picker = null;

/**
 * Opens the picker beside an element, and gives what was picked; null when it was closed.
 * @param {HTMLElement} beside
 * @returns {Promise<string | null>}
 */
export function pickEmoji(beside) {
  picker ??= new EmojiPicker();
  return picker.open(beside);
}

class EmojiPicker {
  constructor() {
    /** @type {Group[]} */
    this.groups = [];
    /** What is shown, one after the other. @type {Emoji[]} */
    this.shown = [];
    /** @type {Row[]} */
    this.rows = [];
    this.active = 0;
    this.search = h('input', {
      type: 'search',
      placeholder: 'Find an emoji',
      'aria-label': 'Find an emoji',
      autocomplete: 'off',
      role: 'combobox',
      'aria-expanded': 'true',
      'aria-controls': 'emoji-list',
      'aria-autocomplete': 'list',
      oninput: () => this.render(),
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event),
    });
    this.tone = h('button', { class: 'icon-button emoji-tone', type: 'button', onclick: () => this.nextTone() });
    this.list = h('div', { id: 'emoji-list', class: 'emoji-list', role: 'grid', 'aria-label': 'Emoji' });
    this.scroll = h('div', { class: 'emoji-scroll', tabindex: '0', onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event) }, this.list);
    this.name = h('p', { class: 'emoji-name', role: 'status' });
    this.dialog = h(
      'dialog',
      { class: 'emoji-picker', 'aria-label': 'Pick an emoji' },
      h('div', { class: 'emoji-head' }, this.search, this.tone),
      this.scroll,
      this.name,
    );
    this.dialog.addEventListener('click', (event) => {
      if (event.target === this.dialog) this.dialog.close();
    });
    document.body.append(this.dialog);
    this.virtual = new VirtualList({ list: this.list, scroll: this.scroll, height: ROW_HEIGHT, roles: 'grid' });
  }

  /** @param {HTMLElement} beside @returns {Promise<string | null>} */
  async open(beside) {
    this.dialog.returnValue = '';
    this.dialog.showModal();
    this.placeBeside(beside);
    this.search.value = '';
    this.search.focus();
    this.showTone();
    setText(this.name, 'Loading…');
    loadEmoji().then(
      (groups) => {
        this.groups = groups;
        this.render();
      },
      () => setText(this.name, 'The emoji cannot be loaded just now.'),
    );
    await new Promise((resolve) => {
      this.dialog.addEventListener('close', resolve, { once: true });
    });
    const picked = this.dialog.returnValue;
    if (picked) rememberEmoji(picked);
    return picked || null;
  }

  /** @param {HTMLElement} beside */
  placeBeside(beside) {
    const box = beside.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.dialog;
    const left = Math.max(8, Math.min(box.right - width, innerWidth - width - 8));
    const top = box.top - height - 8 >= 8 ? box.top - height - 8 : Math.max(8, Math.min(box.bottom + 8, innerHeight - height - 8));
    this.dialog.style.left = `${left}px`;
    this.dialog.style.top = `${top}px`;
  }

  render() {
    const sought = this.search.value.trim();
    this.rows = [];
    this.shown = [];
    if (sought) this.add(null, searchEmoji(this.groups, sought, 120));
    else {
      const known = new Map(this.groups.flatMap((group) => group.emoji).map((each) => [each.emoji, each]));
      const recent = recentEmoji().map((emoji) => known.get(emoji) ?? { emoji, name: 'used before', words: '', toned: false });
      this.add('Used before', recent);
      for (const { name, emoji } of this.groups) this.add(name, emoji);
    }
    this.scroll.scrollTop = 0;
    this.activate(0);
    if (this.shown.length === 0) setText(this.name, 'Nothing found.');
  }

  /**
   * @param {string | null} heading
   * @param {Emoji[]} emoji
   */
  add(heading, emoji) {
    if (emoji.length === 0) return;
    if (heading) this.rows.push({ heading });
    for (let at = 0; at < emoji.length; at += COLUMNS) {
      this.rows.push({ emoji: emoji.slice(at, at + COLUMNS), at: this.shown.length + at });
    }
    this.shown.push(...emoji);
  }

  /** @param {number} index */
  activate(index) {
    this.active = Math.max(0, Math.min(index, this.shown.length - 1));
    this.virtual.render(this.rows.length, (row) => this.row(this.rows[row], row));
    this.virtual.reveal(this.active === 0 ? 0 : this.rowOf(this.active));
    const emoji = this.shown[this.active];
    if (emoji) setText(this.name, emoji.name);
    if (emoji) this.search.setAttribute('aria-activedescendant', `emoji-${this.active}`);
    else this.search.removeAttribute('aria-activedescendant');
  }

  /** @param {number} index */
  rowOf(index) {
    return this.rows.findLastIndex((row) => 'at' in row && row.at <= index);
  }

  /**
   * @param {Row} row
   * @param {number} index
   */
  row(row, index) {
    if ('heading' in row) {
      const make = () => h('div', { class: 'emoji-row emoji-heading', role: 'row' }, h('span', { role: 'gridcell' }, row.heading));
      return { key: `row ${index}`, print: row.heading, make };
    }
    const tone = toneChosen();
    const active = this.active - row.at;
    const print = `${row.emoji.map(({ emoji }) => emoji).join('')} ${tone} ${active >= 0 && active < COLUMNS ? active : ''}`;
    const make = () =>
      h(
        'div',
        { class: 'emoji-row', role: 'row' },
        row.emoji.map((each, at) =>
          h(
            'span',
            {
              class: 'emoji',
              role: 'gridcell',
              id: `emoji-${row.at + at}`,
              'aria-selected': String(active === at),
              'aria-label': each.name,
              title: each.name,
              onclick: () => this.dialog.close(inTone(each, tone)),
            },
            inTone(each, tone),
          ),
        ),
      );
    return { key: `row ${index}`, print, make };
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (isComposing(event)) return;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    const emoji = this.shown[this.active];
    if (step && !(this.search.value && Math.abs(step) === 1 && event.shiftKey)) {
      event.preventDefault();
      this.activate(this.active + step);
    } else if (event.key === 'Escape') {
      // A search box would take the first one to empty itself.
      event.preventDefault();
      this.dialog.close();
    } else if (event.key === 'Enter' && emoji) {
      event.preventDefault();
      this.dialog.close(inTone(emoji, toneChosen()));
    }
  }

  nextTone() {
    chooseTone(TONES[(TONES.indexOf(toneChosen()) + 1) % TONES.length]);
    this.showTone();
    this.activate(this.active);
    this.search.focus();
  }

  showTone() {
    const tone = toneChosen();
    setText(this.tone, inTone(TONE_SAMPLE, tone));
    this.tone.setAttribute('aria-label', `Skin tone: ${TONE_NAMES[TONES.indexOf(tone)]}; another one`);
    this.tone.title = 'Another skin tone';
  }
}
