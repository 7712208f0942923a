// When somebody was here, in words.
import { briefly } from '../shared/format.js';

/** @param {{online?: boolean | null, last_seen?: string | null}} person */
export function lastSeen({ online, last_seen: seen }) {
  if (online) return 'Here now';
  if (!seen) return '';
  const minutes = Math.floor((Date.now() - Date.parse(seen)) / 60_000);
  if (minutes < 1) return 'Here a moment ago';
  if (minutes < 60) return `Here ${minutes} min ago`;
  return `Last here ${briefly(seen)}`;
}

/**
 * Who types, in words.
 * @param {string[]} names
 */
export function typingText(names) {
  if (names.length === 0) return '';
  if (names.length === 1) return `${names[0]} is typing…`;
  if (names.length === 2) return `${names[0]} and ${names[1]} are typing…`;
  return 'Several people are typing…';
}
