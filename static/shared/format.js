// Formatting of times, names and links. Times are written as the browser's language writes them, short or in full: one way
// everywhere, with 24 hours or 12.

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const dayMonth = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const dayMonthYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const dayInYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long' });
const longDay = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const longDayYear = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

/** @param {Date} date */
function daysAgo(date, now = new Date()) {
  const midnight = (/** @type {Date} */ when) => new Date(when.getFullYear(), when.getMonth(), when.getDate()).getTime();
  return Math.round((midnight(now) - midnight(date)) / 86_400_000);
}

/** @param {string} text */
export const timeOfDay = (text) => clock.format(new Date(text));
/** @param {string} text */
export const inFull = (text) => full.format(new Date(text));
/** To the second, with the time zone of this browser. @param {string} text */
export const exactly = (text) => exact.format(new Date(text));

/** For a list: the time today, the weekday this week, else the date. @param {string} text */
export function briefly(text) {
  const date = new Date(text);
  const days = daysAgo(date);
  if (days <= 0) return clock.format(date);
  if (days === 1) return 'Yesterday';
  if (days < 7) return weekday.format(date);
  return date.getFullYear() === new Date().getFullYear() ? dayMonth.format(date) : dayMonthYear.format(date);
}

/** @param {string} text */
export function dayName(text) {
  const date = new Date(text);
  const days = daysAgo(date);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return date.getFullYear() === new Date().getFullYear() ? longDay.format(date) : longDayYear.format(date);
}

/** Within a sentence: the time today, else the date. @param {string} text */
export function inSentence(text) {
  const date = new Date(text);
  if (daysAgo(date) === 0) return clock.format(date);
  return date.getFullYear() === new Date().getFullYear() ? dayInYear.format(date) : longDayYear.format(date);
}

/** @param {string} text */
export const dayKey = (text) => new Date(text).toDateString();

/** @param {string} name */
export function initials(name) {
  const words = name.trim().split(/\s+/u);
  const ends = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
  return ends
    .map((word) => Array.from(word)[0] ?? '')
    .join('')
    .toLocaleUpperCase();
}

/** One of eight calm colours, the same for the same id everywhere. @param {unknown} id */
export const hue = (id) => `hue-${Math.abs(Number(id) || 0) % 8}`;

/**
 * @param {number} count
 * @param {string} one
 * @param {string} many
 */
export const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;

/** @param {string} text */
export const bytesOf = (text) => new TextEncoder().encode(text).length;

/** The longest message that the server takes, in bytes of UTF-8. */
export const LONGEST = 16_384;

/** How many characters of a text are past `limit` bytes, and how many more like its last one would fit. @param {string} text */
export function measure(text, limit = LONGEST) {
  let bytes = 0;
  let over = 0;
  let width = 1;
  for (const character of text) {
    width = bytesOf(character);
    bytes += width;
    if (bytes > limit) over += 1;
  }
  return { over, left: Math.max(0, Math.floor((limit - bytes) / width)) };
}

const LINK = /\bhttps?:\/\/[^\s<>"']+/giu;

/**
 * Splits a text into plain parts and links.
 * @param {string} text
 */
export function pieces(text) {
  /** @type {{text: string, link?: string}[]} */
  const found = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const address = match[0].replace(/[.,;:!?)\]}]+$/u, '');
    if (!URL.canParse(address)) continue;
    found.push({ text: text.slice(from, match.index) }, { text: address, link: address });
    from = match.index + address.length;
  }
  found.push({ text: text.slice(from) });
  return found.filter((piece) => piece.text);
}
