// When somebody was here, in words.
import { briefly, plural } from '../shared/format.js';

/** @param {{online?: boolean | null, last_seen?: string | null}} person */
export function lastSeen({ online, last_seen: seen }) {
  if (online) return 'Here now';
  if (!seen) return '';
  const minutes = Math.floor((Date.now() - Date.parse(seen)) / 60_000);
  if (minutes < 1) return 'Here a moment ago';
  if (minutes < 60) return `Here ${minutes} min ago`;
  return `Last here ${briefly(seen)}`;
}

/** So many of those who type are named. */
const NAMED = 3;

/**
 * Who types, in words.
 * @param {string[]} names
 */
export function typingText(names) {
  if (names.length === 0) return '';
  if (names.length === 1) return `${names[0]} is typing…`;
  const rest = names.length - NAMED;
  const [last, ...others] = rest > 0 ? [plural(rest, 'other', 'others'), ...names.slice(0, NAMED)] : [names[names.length - 1], ...names.slice(0, -1)];
  return `${others.join(', ')} and ${last} are typing…`;
}
