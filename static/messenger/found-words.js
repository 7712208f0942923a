// The words that a search has found, marked where they stand in an opened message. Nothing of the message changes: the browser
// draws the marks over it.

const NAME = 'found';

/** @param {string} text */
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&');

/**
 * Marks words in an element, and nothing else any more.
 * @param {Element | null} element
 * @param {string[]} words
 */
export function markWords(element, words) {
  // Where a browser has no such marks the message stands out as a whole.
  const highlights = globalThis.CSS?.highlights;
  if (!highlights) return;
  highlights.delete(NAME);
  const sought = [...new Set(words)].filter((word) => word.trim() !== '').sort((a, b) => b.length - a.length);
  if (!element || sought.length === 0) return;
  const pattern = new RegExp(sought.map(escaped).join('|'), 'giu');
  const ranges = textsIn(element).flatMap((text) => [...text.data.matchAll(pattern)].map((match) => rangeOf(text, match)));
  if (ranges.length > 0) highlights.set(NAME, new Highlight(...ranges));
}

/** What is said in it, without the words for screen readers. @param {Element} element */
function textsIn(element) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT, (node) =>
    node.parentElement?.closest('.sr-only, .quote') ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT,
  );
  /** @type {Text[]} */
  const texts = [];
  while (walker.nextNode()) texts.push(/** @type {Text} */ (walker.currentNode));
  return texts;
}

/**
 * @param {Text} text
 * @param {RegExpMatchArray} match
 */
function rangeOf(text, match) {
  const range = new Range();
  range.setStart(text, match.index ?? 0);
  range.setEnd(text, (match.index ?? 0) + match[0].length);
  return range;
}
