// Addresses of chats and of messages in them: how the page finds its way, and what it knows again in a text.
import { BASE } from '../shared/server.js';

/** @typedef {{chat: number, message: number | null}} Place */

const PLACE = /^#\/chats\/(\d+)(?:\/(\d+))?$/u;

/** The place that the end of an address means. @param {string} hash @returns {Place | null} */
export function placeIn(hash) {
  const match = PLACE.exec(hash);
  return match && { chat: Number(match[1]), message: match[2] ? Number(match[2]) : null };
}

/** The place that an address leads to, if it is one of this very page. @param {string} address @returns {Place | null} */
export function placeOf(address) {
  if (!URL.canParse(address)) return null;
  const { origin, pathname, search, hash } = new URL(address);
  return origin === BASE.origin && pathname === BASE.pathname && search === '' ? placeIn(hash) : null;
}

/**
 * @param {number} chat
 * @param {number | null} [message]
 */
export function addressOf(chat, message = null) {
  return new URL(message === null ? `#/chats/${chat}` : `#/chats/${chat}/${message}`, BASE).href;
}
