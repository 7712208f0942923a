// Who and what can be named in what one writes in a chat: its members, all of them at once, and other chats.
import { addressOf } from './places.js';

/** @typedef {{id: number, name: string, photo?: string | null}} Named */

/** What addresses everybody; the server takes it from admins alone. @type {Named} */
const EVERYBODY = { id: 0, name: 'all' };

/**
 * @param {import('./model.js').Model} model
 * @param {import('./members.js').Members} members
 * @param {number | null} id of the chat
 * @returns {Promise<Named[]>}
 */
export async function mentionable(model, members, id) {
  if (id === null) return [];
  const others = (await members.of(id)).filter((member) => member.id !== model.me.id);
  const chat = model.chats.get(id);
  return chat?.role === 'admin' && !chat.direct ? [...others, EVERYBODY] : others;
}

/** Chats that a text can lead to. What two people say is between them. @param {import('./model.js').Model} model @returns {Named[]} */
export function linkable(model) {
  return [...model.chats.values()]
    .filter((chat) => !chat.direct)
    .sort((a, b) => Number(b.member) - Number(a.member) || b.active - a.active)
    .map(({ id, title }) => ({ id, name: title }));
}

/** A title as text of a link. @param {string} title */
export const escaped = (title) => title.replace(/[\\`*_~[\]<>]/gu, '\\$&');

/** A chat in a text, which leads to it in any client that knows Markdown. @param {Named} chat */
export const chatLink = ({ id, name }) => `[#${escaped(name)}](${addressOf(id)})`;
