// Markdown as people write it in a chat, drawn as elements: text never becomes HTML.
import MarkdownIt from '../vendor/markdown-it.js';
import { h } from '../shared/dom.js';
import { placeOf } from './places.js';

/** @typedef {import('../vendor/markdown-it.js').Token} Token */

/** What belongs to documents, or changes what somebody wrote who knows no Markdown: all that is left stays as it is. */
const NOT_FOR_CHAT = ['heading', 'lheading', 'code', 'table', 'hr', 'reference', 'html_block', 'html_inline', 'image', 'entity'];
const FOLLOWED = /^(?:https?:\/\/|mailto:)/iu;

/** What is nested deeper the parser leaves out: such a text is shown as it was written. */
const DEEPEST = 24;

const parser = new MarkdownIt('default', { html: false, linkify: true, breaks: true, maxNesting: DEEPEST });
parser.disable(NOT_FOR_CHAT);
parser.validateLink = (url) => FOLLOWED.test(url);
parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
for (const schema of ['ftp:', '//', 'mailto:']) parser.linkify.add(schema, null);

const { scanDelims } = parser.inline.State.prototype;
/** 2*3*4 is a product: between word characters a mark is none. In scripts without blanks between words it is one. */
parser.inline.State.prototype.scanDelims = function scan(/** @type {number} */ start, /** @type {boolean} */ canSplitWord) {
  const found = scanDelims.call(this, start, canSplitWord);
  const before = this.src.charAt(start - 1);
  const after = this.src.charAt(start + found.length);
  return /\w/u.test(before) && /\w/u.test(after) ? { ...found, can_open: false, can_close: false } : found;
};

/** So many elements one message may have; what is past them is plain text. */
const MOST_ELEMENTS = 120;

/** @type {Record<string, keyof HTMLElementTagNameMap>} */
const TAGS = {
  paragraph_open: 'p',
  bullet_list_open: 'ul',
  ordered_list_open: 'ol',
  list_item_open: 'li',
  blockquote_open: 'blockquote',
  strong_open: 'strong',
  em_open: 'em',
  s_open: 's',
  link_open: 'a',
};

/** @param {string} text @returns {Token[] | null} null when it is nested too deep */
export function parse(text) {
  const tokens = parser.parse(text, {});
  return tokens.every((token) => token.level < DEEPEST - 1) ? tokens : null;
}

/**
 * @typedef {object} Options
 * @property {(text: string) => (Node | string)[]} [decorate] may turn a piece of plain text into several, such as names that are mentioned
 * @property {(place: import('./places.js').Place) => string | null} [placeName] what stands in place of a bare address of this page
 * @property {number} [most] so many elements are drawn
 */

/**
 * @param {string} text
 * @param {Options} [options]
 * @returns {Node[]}
 */
export function markdown(text, { decorate = (piece) => [piece], placeName = () => null, most = MOST_ELEMENTS } = {}) {
  const tokens = parse(text);
  if (!tokens) return [document.createTextNode(text)];
  const root = document.createDocumentFragment();
  new Drawing(root, { decorate, placeName, most }).all(tokens);
  return [...root.childNodes];
}

class Drawing {
  /**
   * @param {ParentNode} root
   * @param {Required<Options>} options
   */
  constructor(root, { decorate, placeName, most }) {
    /** Where the next part goes, and what it is in. @type {ParentNode[]} */
    this.stack = [root];
    this.decorate = decorate;
    this.placeName = placeName;
    this.left = most;
    this.inLink = 0;
    /** What the next text is replaced by. @type {string | null} */
    this.instead = null;
  }

  get place() {
    return /** @type {ParentNode} */ (this.stack.at(-1));
  }

  /** @param {Token[]} tokens */
  all(tokens) {
    for (const token of tokens) {
      if (token.nesting > 0) this.open(token);
      else if (token.nesting < 0) this.close(token);
      else if (token.children) this.all(token.children);
      else this.leaf(token);
    }
  }

  /** @param {Token} token */
  open(token) {
    const tag = TAGS[token.type];
    if (token.type === 'link_open') this.enterLink(token);
    // Whatever has no element goes into the one around it.
    if (!tag || token.hidden || this.left <= 0) {
      if (this.left <= 0 && token.type in BLOCKS && this.place.textContent) this.place.append('\n');
      this.stack.push(this.place);
      return;
    }
    const element = this.make(tag, attributes(token));
    this.place.append(element);
    this.stack.push(element);
  }

  /** A bare address of a chat says less than its title. @param {Token} token */
  enterLink(token) {
    this.inLink += 1;
    const place = token.markup === 'linkify' || token.markup === 'autolink' ? placeOf(token.attrGet('href') ?? '') : null;
    this.instead = place && this.placeName(place);
  }

  /** @param {Token} token */
  close(token) {
    if (token.type === 'link_close') this.inLink -= 1;
    this.stack.pop();
  }

  /** @param {Token} token */
  leaf(token) {
    if (token.type === 'softbreak' || token.type === 'hardbreak') this.place.append('\n');
    else if (token.type === 'code_inline' && this.left > 0) this.place.append(this.make('code', {}, token.content));
    else if (token.type === 'fence' && this.left > 0) this.place.append(this.fence(token));
    else if (token.type === 'text' && this.left > 0 && this.inLink === 0) this.place.append(...this.decorated(token.content));
    else {
      this.place.append(this.instead ?? token.content);
      this.instead = null;
    }
  }

  /** @param {string} text */
  decorated(text) {
    const parts = this.decorate(text);
    this.left -= parts.filter((part) => part instanceof Node).length;
    return parts;
  }

  /** @param {Token} token */
  fence(token) {
    const language = token.info.trim().split(/\s/u)[0];
    const code = this.make('code', {}, token.content.replace(/\n$/u, ''));
    return this.make('pre', { 'data-language': language || null, tabindex: '0', dir: 'ltr' }, code);
  }

  /**
   * @param {keyof HTMLElementTagNameMap} tag
   * @param {Record<string, any>} properties
   * @param {...import('../shared/dom.js').Child} children
   */
  make(tag, properties, ...children) {
    this.left -= 1;
    return h(tag, properties, ...children);
  }
}

const BLOCKS = { paragraph_open: true, list_item_open: true, blockquote_open: true };

/** @param {Token} token */
function attributes(token) {
  if (token.type === 'ordered_list_open') return { start: token.attrGet('start') };
  if (token.type !== 'link_open') return {};
  const href = token.attrGet('href');
  // What leads to a place of this page opens here.
  if (placeOf(href ?? '')) return { href };
  return { href, title: href, target: '_blank', rel: 'noopener noreferrer nofollow' };
}

const ONLY_EMOJI = (() => {
  try {
    return new RegExp('^(?:\\p{RGI_Emoji}\\s*){1,3}$', 'v');
  } catch {
    return /^(?:\p{Extended_Pictographic}\uFE0F?\s*){1,3}$/u;
  }
})();

/** Whether a text is a few emoji and nothing else, to be shown large. @param {string} text */
export const isOnlyEmoji = (text) => text.length < 100 && ONLY_EMOJI.test(text.trim());

/** A text in one line without its marks, as lists and quotations show it. @param {string} text */
export function plainText(text) {
  /** @type {string[]} */
  const words = [];
  const read = (/** @type {Token[]} */ tokens) => {
    for (const token of tokens) {
      if (token.children) read(token.children);
      else if (token.nesting === 0) words.push(token.type.endsWith('break') ? ' ' : token.content);
      else if (token.type in BLOCKS && words.length > 0) words.push(' ');
    }
  };
  // What is long is cut before it is parsed: one line shows no more.
  const start = text.slice(0, 400);
  const tokens = parse(start);
  if (tokens) read(tokens);
  return (tokens ? words.join('') : start).replace(/\s+/gu, ' ').trim();
}
