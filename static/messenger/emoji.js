// Unicode's own list of emoji: read once it is needed, searched by name and by further words.
import { scoped, BASE } from '../shared/server.js';
import { read, write } from '../shared/storage.js';

const RECENT = scoped('parlance.emoji');
const TONE = scoped('parlance.emoji-tone');
const MOST_RECENT = 24;
export const TONES = ['', '\u{1F3FB}', '\u{1F3FC}', '\u{1F3FD}', '\u{1F3FE}', '\u{1F3FF}'];

/** @typedef {{emoji: string, name: string, words: string, toned: boolean}} Emoji */
/** @typedef {{name: string, emoji: Emoji[]}} Group */

/** @param {string} text @returns {Group[]} */
export function parseEmoji(text) {
  /** @type {Group[]} */
  const groups = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('## ')) groups.push({ name: line.slice(3), emoji: [] });
    if (line === '' || line.startsWith('# ') || line.startsWith('## ')) continue;
    const [first, name, words = ''] = line.split('\t');
    const toned = first.endsWith('+');
    groups.at(-1)?.emoji.push({ emoji: toned ? first.slice(0, -1) : first, name, words, toned });
  }
  return groups;
}

/** @type {Promise<Group[]> | null} */
let loading = null;

export function loadEmoji() {
  loading ??= fetch(new URL('vendor/emoji.txt', BASE))
    .then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(`emoji: ${answer.status}`))))
    .then(parseEmoji);
  // Next time it may be there.
  loading.catch(() => {
    loading = null;
  });
  return loading;
}

/**
 * What fits the words best comes first: its name, then a word of its name, then any of its words.
 * @param {Group[]} groups
 * @param {string} query
 * @param {number} [most]
 */
export function searchEmoji(groups, query, most = Infinity) {
  const sought = query.trim().toLowerCase().replace(/_/gu, ' ').split(/\s+/u).filter(Boolean);
  if (sought.length === 0) return [];
  /** @type {{emoji: Emoji, rank: number}[]} */
  const found = [];
  for (const { emoji: all } of groups) {
    for (const emoji of all) {
      const rank = rankOf(emoji, sought);
      if (rank !== null) found.push({ emoji, rank });
    }
  }
  return found
    .sort((a, b) => a.rank - b.rank || a.emoji.name.length - b.emoji.name.length)
    .slice(0, most)
    .map(({ emoji }) => emoji);
}

/**
 * @param {Emoji} emoji
 * @param {string[]} sought every word of it has to be found
 */
function rankOf({ emoji, name, words }, sought) {
  if (sought.length === 1 && sought[0] === emoji) return 0;
  const title = name.toLowerCase();
  const named = title.split(/[\s,:]+/u);
  const further = words.split(' ');
  let rank = title === sought.join(' ') ? 0 : 1;
  for (const word of sought) {
    if (further.includes(word) || named.includes(word)) rank += named[0] === word || named.at(-1) === word ? 0 : 1;
    else if (named.some((each) => each.startsWith(word))) rank += 2;
    else if (further.some((each) => each.startsWith(word))) rank += 3;
    else return null;
  }
  return rank;
}

/**
 * An emoji in a skin tone, where that is a sequence of Unicode's own.
 * @param {Emoji} emoji
 * @param {string} tone
 */
export function inTone({ emoji, toned }, tone) {
  if (!toned || !tone) return emoji;
  // Between two people the handshake has no tone of its own.
  return emoji.replace(/(?<!\u200D)(\p{Emoji_Modifier_Base})\uFE0F?|(?!\u{1F91D})(\p{Emoji_Modifier_Base})\uFE0F?/gu, `$1$2${tone}`);
}

export const toneChosen = () => /** @type {string} */ (read(TONE, ''));
/** @param {string} tone */
export const chooseTone = (tone) => write(TONE, tone || undefined);

/** The last ones used, newest first. @returns {string[]} */
export function recentEmoji() {
  const kept = /** @type {unknown[]} */ (read(RECENT, []));
  return Array.isArray(kept) ? kept.filter((each) => typeof each === 'string') : [];
}

/** @param {string} emoji */
export function rememberEmoji(emoji) {
  write(RECENT, [emoji, ...recentEmoji().filter((each) => each !== emoji)].slice(0, MOST_RECENT));
}
