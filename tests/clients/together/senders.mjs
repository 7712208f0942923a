// Those who speak: each API's own requests and events for what can be said.

import assert from 'node:assert/strict';

import { ask } from './receivers.mjs';
import { number } from './words.mjs';

/** A request that must be answered well. */
export async function request(method, url, body, headers = {}) {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${url}: ${response.status} ${text}`);
  return text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text;
}

/**
 * A sender says things in one chat as one person; what its API has no word for, it has no method for.
 * `pipelines` tells whether it may say the next before the one before was answered, and keep their order.
 */
function sender(name, person, methods, pipelines = false) {
  return { name, person, pipelines, ...methods };
}

/** By the messenger's routes, with cookies or a token in `headers`. */
export function byRoutes(name, { url, chat }, person, headers) {
  const at = `${url}/api/chats/${chat}`;
  const message = (id) => `${at}/messages/${id}`;
  const say = async (content) => {
    const told = await request('POST', at, { content }, { prefer: 'return=representation', ...headers });
    return told.message.id;
  };
  return sender(name, person, {
    say,
    edit: (id, content) => request('PATCH', message(id), { content }, headers),
    delete: (id) => request('DELETE', message(id), undefined, headers),
    react: (id, emoji) => request('PUT', `${message(id)}/reactions/${encodeURIComponent(emoji)}`, undefined, headers),
    read: (id) => request('POST', `${at}/read`, { up_to: id }, headers),
    type: (typing) => request('POST', `${at}/typing`, { typing }, headers),
  });
}

/** By an incoming hook, which speaks as a person of its own, and is not told the ids of what it said. */
export function byHook(name, url, person) {
  const say = async (text) => {
    assert.equal(await request('POST', url, { text }), 'ok');
  };
  return sender(name, person, { say });
}

/** What events say the same in an API, however they are sent; a message under a key of its sender's, where there is one. */
export const EVENTS = {
  support: (emit, { chat }) => {
    const chatId = hexOf(chat);
    return {
      say: async (message, key) => number((await emit('newMessage', { chatId, message, client_id: key })).data._id),
      read: (id) => emit('seen', { chatId, _id: hexOf(id) }),
      type: (typing) => emit('typing', { chatId, typing }),
    };
  },
  embed: (emit, { chat: id }, person) => {
    const place = { chat: { id: String(id) }, user: { id: String(person) } };
    return {
      say: async (value, key) => Number((await emit('new-message', { ...place, message: { value, type: 'text' }, client_id: key })).id),
      edit: (message, value) => emit('edit-message', { ...place, message: { id: String(message), value } }),
      delete: (message) => emit('delete-message', { ...place, message: { id: String(message) } }),
      read: (message) => emit('seen', { ...place, message: { id: String(message) } }),
      type: (typing) => emit('typing', { ...place, typing }),
    };
  },
  service: (emit) => ({
    say: async (message, key) => (await emit('send_message', { message, client_id: key })).id,
    edit: (id, message) => emit('update', { id, message }),
    delete: (id) => emit('delete', id),
    // It means the newest message.
    read: () => emit('seen'),
    type: (typing) => emit('typing', typing),
  }),
};

const hexOf = (id) => id.toString(16).padStart(24, '0');

function good(event, body) {
  assert.ok(body && body.status !== 'error', `${event}: ${JSON.stringify(body)}`);
  return body;
}

/** By events on a socket that is connected. */
export function bySocket(name, api, place, person, socket) {
  const emit = async (event, argument) => good(event, await ask(socket, event, argument));
  return sender(name, person, EVENTS[api](emit, place, person), true);
}

/** By events in requests; `query` has what says who one is. */
export function byEvents(name, api, place, person, query, headers = {}) {
  const emit = async (event, argument) => {
    const address = `${place.url}/api/events/${event}?${new URLSearchParams({ dialect: api, ...query })}`;
    return good(event, (await request('POST', address, argument, headers)).data);
  };
  return sender(name, person, EVENTS[api](emit, place, person));
}
