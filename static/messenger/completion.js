// Completes what is being written: a member's name after @, a chat after #, an emoji after a colon.
import { h, isComposing } from '../shared/dom.js';
import { drawFace } from './face.js';
import { inTone, loadEmoji, rememberEmoji, searchEmoji, toneChosen } from './emoji.js';
import { chatLink } from './nameable.js';

/** @typedef {import('./nameable.js').Named} Member */

/**
 * @typedef {object} Candidate
 * @property {string} text
 * @property {boolean} [whole] whether the sign goes as well
 * @property {() => Node} draw
 * @property {() => void} [chosen]
 */

const MOST = 6;
const NAME = /(?:^|[\s(])@([^\n@#]{0,40})$/u;
const CHAT = /(?:^|[\s(])#([^\s#@][^\n#@]{0,39})$/u;
const EMOJI = /(?:^|[\s(]):([\p{L}+][\p{L}\p{N}_+-]{1,30})$/u;

/**
 * Those whose name, or a word of it, begins as was written.
 * @template {Member} M
 * @param {M[]} members
 * @param {string} written
 * @returns {M[]}
 */
export function matching(members, written) {
  const sought = fold(written);
  const starts = (/** @type {Member} */ { name }) => fold(name).startsWith(sought);
  const within = (/** @type {Member} */ { name }) =>
    fold(name)
      .split(' ')
      .some((word) => word.startsWith(sought));
  return [...members.filter(starts), ...members.filter((member) => !starts(member) && within(member))].slice(0, MOST);
}

/** A text as one seeks it: without accents, in small characters. @param {string} text */
export const fold = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase();

export class Completion {
  /**
   * @param {object} options
   * @param {HTMLTextAreaElement} options.box
   * @param {HTMLElement} options.place where the list of candidates is put
   * @param {() => Promise<Member[]>} options.members of the open chat
   * @param {() => Member[]} options.chats that one can lead to
   * @param {() => void} options.changed called when something was put in
   */
  constructor({ box, place, members, chats, changed }) {
    this.box = box;
    this.members = members;
    this.chats = chats;
    this.changed = changed;
    /** @type {Candidate[]} */
    this.candidates = [];
    this.active = 0;
    /** How much before the cursor is replaced. */
    this.length = 0;
    this.asked = 0;
    this.list = h('ul', { id: 'completion', class: 'completion', role: 'listbox', 'aria-label': 'Suggestions' });
    this.list.hidden = true;
    place.append(this.list);
    box.addEventListener('input', () => this.look());
    box.addEventListener('blur', () => this.close());
    box.addEventListener('click', () => this.look());
    box.addEventListener('keydown', (event) => this.key(event));
  }

  async look() {
    this.asked += 1;
    const { asked } = this;
    const { selectionStart: end, selectionEnd } = this.box;
    const before = end === selectionEnd ? this.box.value.slice(Math.max(0, end - 60), end) : '';
    // A name may have blanks in it, so the colon after one is looked at first.
    const emoji = EMOJI.exec(before);
    const name = emoji ? null : NAME.exec(before);
    const chat = emoji || name ? null : CHAT.exec(before);
    const candidates = name ? await this.people(name[1]) : emoji ? await this.emoji(emoji[1]) : chat ? this.places(chat[1]) : [];
    // Something else was typed meanwhile.
    if (asked !== this.asked) return;
    this.length = (name ?? emoji ?? chat)?.[1].length ?? 0;
    this.candidates = candidates;
    this.active = 0;
    this.render();
  }

  /** @param {string} written @returns {Promise<Candidate[]>} */
  async people(written) {
    const members = await this.members().catch(() => []);
    return matching(members, written).map((member) => ({
      text: `${member.name} `,
      draw: () => h('span', { class: 'candidate' }, drawFace({ ...member, small: true }), h('span', { dir: 'auto' }, member.name)),
    }));
  }

  /** @param {string} written @returns {Candidate[]} */
  places(written) {
    return matching(this.chats(), written).map((chat) => ({
      text: `${chatLink(chat)} `,
      whole: true,
      draw: () => h('span', { class: 'candidate' }, drawFace({ ...chat, small: true }), h('span', { dir: 'auto' }, chat.name)),
    }));
  }

  /** @param {string} written @returns {Promise<Candidate[]>} */
  async emoji(written) {
    const groups = await loadEmoji().catch(() => []);
    return searchEmoji(groups, written, MOST).map((each) => {
      const emoji = inTone(each, toneChosen());
      return {
        text: `${emoji} `,
        whole: true,
        draw: () => h('span', { class: 'candidate' }, h('span', { class: 'reaction-emoji' }, emoji), h('span', {}, each.name)),
        chosen: () => rememberEmoji(emoji),
      };
    });
  }

  render() {
    const open = this.candidates.length > 0;
    this.list.hidden = !open;
    this.list.replaceChildren(...this.candidates.map((candidate, index) => this.option(candidate, index)));
    if (open) {
      this.box.setAttribute('aria-controls', 'completion');
      this.box.setAttribute('aria-activedescendant', `completion-${this.active}`);
    } else {
      this.box.removeAttribute('aria-controls');
      this.box.removeAttribute('aria-activedescendant');
    }
  }

  /**
   * @param {Candidate} candidate
   * @param {number} index
   */
  option(candidate, index) {
    return h(
      'li',
      {
        id: `completion-${index}`,
        role: 'option',
        'aria-selected': String(index === this.active),
        // The box keeps the focus.
        onpointerdown: (/** @type {Event} */ event) => {
          event.preventDefault();
          this.choose(index);
        },
      },
      candidate.draw(),
    );
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (this.candidates.length === 0 || isComposing(event)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.active = (this.active + step + this.candidates.length) % this.candidates.length;
      this.render();
    } else if ((event.key === 'Enter' && !event.shiftKey) || event.key === 'Tab') this.choose(this.active);
    else if (event.key === 'Escape') this.close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** @param {number} index */
  choose(index) {
    const candidate = this.candidates[index];
    const end = this.box.selectionStart;
    this.box.setRangeText(candidate.text, end - this.length - (candidate.whole ? 1 : 0), end, 'end');
    candidate.chosen?.();
    this.close();
    this.changed();
  }

  close() {
    this.asked += 1;
    if (this.candidates.length === 0) return;
    this.candidates = [];
    this.render();
  }
}
