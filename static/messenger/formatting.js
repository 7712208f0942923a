// Markdown by keys and by a menu: marks go around what is selected, or away from it.
import { $, h, isComposing } from '../shared/dom.js';
import { openMenu } from './menu.js';

/** @typedef {'bold' | 'italic' | 'strike' | 'code' | 'quote' | 'list' | 'link'} Kind */
/** @typedef {{value: string, start: number, end: number}} Selected a text, and which part of it is selected */
/** @typedef {{from: number, to: number, text: string, start: number, end: number}} Change what is put where, and what is selected then */

/** @type {Record<string, string>} */
const MARKS = { bold: '**', italic: '*', strike: '~~', code: '`' };
const PREFIXES = { quote: '> ', list: '- ' };
/** @type {[Kind, string, string | undefined][]} */
const KINDS = [
  ['bold', 'Bold', 'b'],
  ['italic', 'Italic', 'i'],
  ['strike', 'Struck out', undefined],
  ['code', 'Code', 'e'],
  ['link', 'Link', undefined],
  ['quote', 'Quotation', undefined],
  ['list', 'List', undefined],
];
const ADDRESS = /^https?:\/\/\S+$/iu;

/**
 * @param {Selected} selected
 * @param {Kind} kind
 * @returns {Change}
 */
export function marked(selected, kind) {
  if (kind === 'quote' || kind === 'list') return prefixed(selected, PREFIXES[kind]);
  const words = selected.value.slice(selected.start, selected.end);
  if (kind === 'link') return linked(selected, ADDRESS.test(words) ? { words: '', address: words } : { words, address: '' });
  if (kind === 'code' && words.includes('\n')) return around(selected, '```\n', '\n```');
  return around(selected, MARKS[kind], MARKS[kind]);
}

/**
 * @param {Selected} selected
 * @param {string} before
 * @param {string} after
 * @returns {Change}
 */
function around({ value, start, end }, before, after) {
  const words = value.slice(start, end);
  const longer = before.length === 1 && words[1] === before;
  const inside = !longer && words.length >= before.length + after.length && words.startsWith(before) && words.endsWith(after);
  if (inside) {
    const bare = words.slice(before.length, words.length - after.length);
    return { from: start, to: end, text: bare, start, end: start + bare.length };
  }
  const [from, to] = [start - before.length, end + after.length];
  if (from >= 0 && value.slice(from, start) === before && value.slice(end, to) === after && isWhole(value, from, to, before)) {
    return { from, to, text: words, start: from, end: from + words.length };
  }
  return { from: start, to: end, text: before + words + after, start: start + before.length, end: start + before.length + words.length };
}

/**
 * Whether marks are not a part of longer ones: the one star beside a word in bold belongs to two.
 * @param {string} value
 * @param {number} from
 * @param {number} to
 * @param {string} mark
 */
const isWhole = (value, from, to, mark) => value[from - 1] !== mark[0] && value[to] !== mark[0];

/**
 * Every line that is touched begins with the prefix; or with it no more, when all of them did.
 * @param {Selected} selected
 * @param {string} prefix
 * @returns {Change}
 */
function prefixed({ value, start, end }, prefix) {
  const from = value.lastIndexOf('\n', start - 1) + 1;
  const next = value.indexOf('\n', end);
  const to = next < 0 ? value.length : next;
  const lines = value.slice(from, to).split('\n');
  const bare = lines.every((line) => line.startsWith(prefix));
  const text = lines.map((line) => (bare ? line.slice(prefix.length) : prefix + line)).join('\n');
  return { from, to, text, start: from + text.length, end: from + text.length };
}

/**
 * What is missing of a link is what is selected then.
 * @param {Selected} selected
 * @param {{words: string, address: string}} parts
 * @returns {Change}
 */
function linked({ start, end }, { words, address }) {
  const [shown, target] = [words || 'text', address || 'https://'];
  const text = `[${shown}](${target})`;
  const missing = words ? start + shown.length + 3 : start + 1;
  return { from: start, to: end, text, start: missing, end: missing + (words ? target : shown).length };
}

/**
 * An address that is pasted over words makes them a link; null when it is none, or they are one already.
 * @param {Selected} selected
 * @param {string} pasted
 * @returns {Change | null}
 */
export function pastedLink({ value, start, end }, pasted) {
  const words = value.slice(start, end);
  const address = pasted.trim();
  if (words.trim() === '' || /[\n[\]]/u.test(words) || ADDRESS.test(words) || !ADDRESS.test(address)) return null;
  const text = `[${words}](${address})`;
  return { from: start, to: end, text, start: start + text.length, end: start + text.length };
}

/** Applies a change so that the browser can undo it. @param {HTMLTextAreaElement} box @param {Change} change */
function apply(box, { from, to, text, start, end }) {
  box.focus({ preventScroll: true });
  box.setSelectionRange(from, to);
  if (!document.execCommand('insertText', false, text)) {
    box.setRangeText(text, from, to, 'end');
    box.dispatchEvent(new InputEvent('input', { bubbles: true }));
  }
  box.setSelectionRange(start, end);
}

/**
 * @param {HTMLTextAreaElement} box
 * @param {() => void} preview shows what is written as it will be seen, or no more
 */
export function wireFormatting(box, preview) {
  const selected = () => ({ value: box.value, start: box.selectionStart, end: box.selectionEnd });
  box.addEventListener('keydown', (event) => {
    if (event.shiftKey || isComposing(event)) return;
    const command = event.ctrlKey || event.metaKey;
    // With Alt a key may write another letter than its own.
    if (event.altKey && !command && event.code === 'KeyP') {
      event.preventDefault();
      preview();
    }
    if (!command || event.altKey) return;
    const kind = KINDS.find(([, , key]) => key === event.key.toLowerCase())?.[0];
    if (!kind) return;
    event.preventDefault();
    apply(box, marked(selected(), kind));
  });
  box.addEventListener('paste', (event) => {
    const change = pastedLink(selected(), event.clipboardData?.getData('text/plain') ?? '');
    if (!change) return;
    event.preventDefault();
    apply(box, change);
  });
  $('format-open').addEventListener('click', () => {
    const entries = KINDS.map(([kind, text, key]) => ({ text, act: () => apply(box, marked(selected(), kind)), keys: key && `Control+${key.toUpperCase()}` }));
    openMenu([...entries, null, { text: 'Preview', act: preview, keys: 'Alt+P' }], { beside: $('format-open'), label: 'Format' });
  });
}

/** @type {[string, string][]} */
const EXAMPLES = [
  ['**bold**', 'Bold'],
  ['*italic*', 'Italic'],
  ['~~struck out~~', 'Struck out'],
  ['`code`', 'Code; three of them before and after for several lines'],
  ['> words', 'A quotation'],
  ['- words', 'A list; 1. for numbers'],
  ['[words](https://…)', 'A link'],
];

/** How a text gets its form, as a list. */
export const drawExamples = () => EXAMPLES.map(([written, means]) => h('div', {}, h('dt', {}, h('kbd', {}, written)), h('dd', {}, means)));
