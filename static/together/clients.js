// The chat through four APIs: each client speaks and hears by its own, and tells what it hears in the same words.
import '../parlance-socket.js';
import { ApiError, call } from '../shared/api.js';
import { backoff, createPause } from '../shared/backoff.js';
import { randomId } from '../shared/ids.js';
import { BASE } from '../shared/server.js';
import { digits, number } from './setup.js';

/** @typedef {import('./setup.js').Member} Member */

/**
 * @typedef {object} Listener what a client tells
 * @property {(message: {id: number, from: number, text: string, time: string}) => void} said
 * @property {(id: number, text: string) => void} edited
 * @property {(from: number, typing: boolean) => void} typing
 * @property {(state: 'live' | 'waiting', why?: string) => void} state whether it is connected
 * @property {(line: string) => void} wire what went over the wire
 */

/**
 * @typedef {object} Client
 * @property {(text: string) => Promise<unknown>} say
 * @property {((id: number, text: string) => Promise<unknown>) | null} edit null where the API has no word for it
 * @property {(typing: boolean) => Promise<unknown>} type
 */

const WIRE = 300;
const short = (/** @type {unknown} */ value) => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > WIRE ? `${text.slice(0, WIRE)}…` : text;
};

/** Base64 of UTF-8 as text. @param {string} base64 */
const plain = (base64) => new TextDecoder().decode(Uint8Array.from(atob(base64), (letter) => letter.codePointAt(0) ?? 0));

/**
 * The messenger: plain HTTP, a personal access token, and a long-poll whose cursor says where to go on.
 * @param {number} chat
 * @param {Member} me
 * @param {Listener} listener
 * @returns {Client}
 */
export function messenger(chat, me, listener) {
  const headers = { Authorization: `Bearer ${me.token}` };
  const ask = async (/** @type {string} */ method, /** @type {string} */ path, /** @type {Record<string, string>} */ form, more = {}) => {
    listener.wire(`→ ${method} /${path} ${new URLSearchParams(form)}`);
    return call(method, path, { form, headers: { ...headers, ...more } });
  };
  const tell = (/** @type {any} */ told) => {
    listener.wire(`← ${short(told)}`);
    if (told.chat_id !== chat) return;
    const { message } = told;
    if (told.type === 'message') listener.said({ id: message.id, from: message.sender_id, text: message.content, time: message.time });
    if (told.type === 'edited') listener.edited(message.id, message.content);
    if (told.type === 'typing') listener.typing(told.person_id, told.typing);
  };

  const pause = createPause();
  async function listen() {
    let after = 'now';
    for (let failures = 0; ;) {
      try {
        const timeout = after === 'now' ? 0 : 25;
        const { body } = await call('GET', `api/events?after=${after}&timeout=${timeout}&poll=together`, { headers, timeout: 40_000 });
        body.events.forEach(tell);
        after = body.cursor;
        failures = 0;
        listener.state('live');
        if (body.retry_ms) await pause.wait(body.retry_ms);
      } catch (error) {
        if (error instanceof ApiError && error.status === 410) after = error.body.cursor;
        if (error instanceof ApiError && error.status === 401) {
          listener.state('waiting', 'The token has ended. Load this page again.');
          return;
        }
        listener.state('waiting', 'Trying to reach the server…');
        await pause.wait(backoff(failures, error instanceof ApiError ? error.retryAfter : null));
        failures += 1;
      }
    }
  }
  listen();

  return {
    say: (text) => ask('POST', `api/chats/${chat}`, { content: text }, { 'Idempotency-Key': randomId() }),
    edit: (id, text) => ask('PATCH', `api/chats/${chat}/messages/${id}`, { content: text }),
    type: (typing) => ask('POST', `api/chats/${chat}/typing`, { typing: String(typing) }),
  };
}

/**
 * A socket of the three other APIs: what it hears, and how it asks.
 * @param {Member} me
 * @param {Listener} listener
 * @param {Record<string, (body: any) => void>} events
 * @param {(ask: (name: string, argument: unknown) => Promise<any>) => Promise<unknown>} [ready] called when it is connected
 */
function open(me, listener, events, ready = async () => {}) {
  const socket = globalThis.ParlanceSocket.connect(BASE.href, { auth: { token: me.token } });
  const ask = async (/** @type {string} */ name, /** @type {unknown} */ argument) => {
    listener.wire(`→ ${name} ${short(argument)}`);
    const body = await socket.ask(name, argument);
    if (body?.status === 'error') throw new Error(body.error?.[0]?.message ?? body.message ?? body.data ?? 'The server refused that.');
    return body;
  };
  for (const [name, work] of Object.entries(events)) {
    socket.on(name, (/** @type {any} */ body) => {
      listener.wire(`← ${name} ${short(body)}`);
      work(body);
    });
  }
  socket.on('connect', async () => {
    try {
      await ready(ask);
      listener.state('live');
    } catch (error) {
      listener.state('waiting', error instanceof Error ? error.message : '');
    }
  });
  socket.on('waiting', () => listener.state('waiting', 'Trying to reach the server…'));
  socket.on('connect_error', (/** @type {Error} */ error) => listener.state('waiting', error.message));
  return ask;
}

/**
 * Live support, as the guest: a push names the chat; an answer has a status instead.
 * @param {number} chat
 * @param {Member} me
 * @param {Listener} listener
 * @returns {Client}
 */
export function support(chat, me, listener) {
  const chatId = digits(chat);
  const said = (/** @type {any} */ { _id, message, time }) => listener.said({ id: number(_id), from: number(message.from), text: message.message, time });
  const ask = open(me, listener, {
    newMessage: (body) => {
      if (body.chatId === chatId) said(body);
      else if (body.status === 'success') said({ ...body.data, message: body.data });
    },
    typing: ({ chatId: where, from, typing }) => {
      if (where === chatId) listener.typing(number(from), typing);
    },
  });
  return {
    say: (message) => ask('newMessage', { chatId, message, client_id: randomId() }),
    edit: null,
    type: (typing) => ask('typing', { chatId, typing }),
  };
}

/**
 * Embedded chat: it acts for a user, in this chat and all others of theirs. A sender hears their own message as all do.
 * @param {number} chat
 * @param {Member} me
 * @param {Listener} listener
 * @returns {Client}
 */
export function embed(chat, me, listener) {
  const place = { chat: { id: String(chat) }, user: { id: String(me.id) } };
  // An owner's socket is told of live support, too, by names that both have: those have no chat in them.
  const isOurs = (/** @type {any} */ body) => body.status === 'ok' && body.chat?.id === place.chat.id;
  const ask = open(
    me,
    listener,
    {
      'new-message': (body) => {
        if (body.chat_id === place.chat.id) listener.said({ id: Number(body.id), from: Number(body.user_id), text: body.msg, time: body.created_at });
      },
      'edit-message': (body) => {
        if (isOurs(body)) listener.edited(Number(body.message.id), body.message.msg);
      },
      typing: (body) => {
        if (isOurs(body)) listener.typing(Number(body.user.id), body.typing);
      },
    },
    (connected) => connected('list-messages', { ...place, query: { limit: 1 } }),
  );
  return {
    say: (value) => ask('new-message', { ...place, message: { value, type: 'text' }, client_id: randomId() }),
    edit: (id, value) => ask('edit-message', { ...place, message: { id: String(id), value } }),
    type: (typing) => ask('typing', { ...place, typing }),
  };
}

/**
 * The chat service: a device joins a room, and is told there what is said, in base64. An edited message comes under the id
 * that it has had.
 * @param {number} chat
 * @param {Member} me
 * @param {Listener} listener
 * @returns {Client}
 */
export function service(chat, me, listener) {
  const known = new Set();
  const ask = open(
    me,
    listener,
    {
      message: ({ id, roomId, message, userId, createdAt }) => {
        if (roomId !== chat) return;
        if (known.has(id)) listener.edited(id, plain(message));
        else listener.said({ id, from: userId, text: plain(message), time: createdAt });
        known.add(id);
      },
      is_typing: ({ data, typing }) => listener.typing(data.id, typing === true),
    },
    (connected) => connected('join', `chat-${chat}`),
  );
  return {
    say: (message) => ask('send_message', { message, client_id: randomId() }),
    edit: (id, message) => ask('update', { id, message }),
    type: (typing) => ask('typing', typing),
  };
}
