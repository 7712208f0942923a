// What is said, as it is drawn in the chat: Markdown, a few emoji large, and long texts folded.
import { h } from '../shared/dom.js';
import { isOnlyEmoji, markdown } from './markdown.js';

/** @typedef {import('../shared/dom.js').Child} Child */

/** A longer text is folded, until one asks for all of it. */
const FOLDED_FROM = 1_800;
const SHOWN = 1_200;
const FOLDED_FROM_LINES = 30;
const SHOWN_LINES = 20;

/** The beginning of a long text; null when it is short. @param {string} text */
export function beginning(text) {
  const lines = text.split('\n');
  if (text.length <= FOLDED_FROM && lines.length <= FOLDED_FROM_LINES) return null;
  const start = (lines.length > FOLDED_FROM_LINES ? lines.slice(0, SHOWN_LINES).join('\n') : text).slice(0, SHOWN);
  // Not in the middle of a word, nor of a character that takes two units.
  const cut = start.length < SHOWN ? start.length : Math.max(start.lastIndexOf(' '), start.lastIndexOf('\n'));
  return (cut > SHOWN / 2 ? start.slice(0, cut) : start.replace(/[\uD800-\uDBFF]$/u, '')).trimEnd();
}

/**
 * @param {string} content
 * @param {object} options
 * @param {boolean} options.unfolded
 * @param {() => void} options.unfold called when all of a long text is wanted
 * @param {(text: string) => (Node | string)[]} [options.decorate]
 * @param {(place: import('./places.js').Place) => string | null} [options.placeName]
 * @returns {Child[]}
 */
export function drawBody(content, { unfolded, unfold, decorate, placeName }) {
  if (isOnlyEmoji(content)) return [h('span', { class: 'emoji-only' }, content.trim())];
  const start = unfolded ? null : beginning(content);
  const parts = markdown(start ?? content, { decorate, placeName });
  // Most of what is said is one paragraph, which needs no element of its own.
  const [only] = parts;
  const body = parts.length === 1 && only instanceof HTMLParagraphElement ? [...only.childNodes] : parts;
  if (start === null) return body;
  return [...body, h('button', { class: 'link more-words', type: 'button', onclick: unfold }, 'Show all of it')];
}
