// Where people of several APIs meet: each is a chat in a tenant of its own, with all who speak and listen there.
//
// Ann speaks and Bo listens, each with their own connections; Cy is there, too.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { PollReceiver, SOCKETS, SocketReceiver, StreamReceiver, WebhookReceiver, ask, connect } from './receivers.mjs';
import { byEvents, byHook, byRoutes, bySocket, request } from './senders.mjs';
import { number } from './words.mjs';

const bearer = (token) => ({ authorization: `Bearer ${token}` });
const email = (name) => `${name}@together.example`;
const password = 'correct horse';

/** A chat, its people, and how they come to it. */
class Place {
  senders = [];
  receivers = [];

  constructor(name, url, chat) {
    Object.assign(this, { name, url, chat });
  }

  speak(...senders) {
    this.senders.push(...senders);
  }

  async hear(...receivers) {
    this.receivers.push(...(await Promise.all(receivers)));
  }

  /** Ann by the messenger's routes, Bo by its long-polls and its stream. `ann` and `bo` are headers with cookies. */
  async messenger(ann, bo, annsId) {
    const { url, chat } = this;
    const events = `${url}/api/events`;
    this.speak(byRoutes('messenger, cookies', this, annsId, ann));
    await this.hear(
      PollReceiver.begin('messenger, cookies, long-poll', 'messenger', chat, `${events}?poll=a`, bo),
      PollReceiver.begin('messenger, cookies, long-poll of the chat', 'messages', chat, `${url}/api/chats/${chat}?poll=b`, bo),
      StreamReceiver.begin('messenger, cookies, stream', 'messenger', chat, events, bo),
    );
    const tokens = [];
    for (const headers of [ann, bo]) {
      const body = { name: 'together', scopes: 'read,write' };
      tokens.push((await request('POST', `${url}/api/me/tokens`, body, headers)).token);
    }
    const [anns, bos] = tokens.map(bearer);
    this.speak(byRoutes('messenger, personal access token', this, annsId, anns));
    await this.hear(PollReceiver.begin('messenger, personal access token, long-poll', 'messenger', chat, events, bos));
    this.tokens = tokens;
  }

  /** Somebody by events of an API: by Socket.IO in all its forms, and in requests. */
  async speaksEvents(name, api, person, credentials, begin = async () => {}) {
    for (const how of SOCKETS) {
      const socket = await connect(this.url, how, credentials);
      await begin(socket);
      this.speak(bySocket(`${name}, ${called(how)}`, api, this, person, socket));
    }
    const { headers, ...query } = credentials;
    this.speak(byEvents(`${name}, POST /api/events`, api, this, person, { ...query, ...this.room(api) }, headers));
  }

  /** Somebody listens to an API: the same, by long-poll and by stream. */
  async hearsEvents(name, api, credentials, begin, more = {}) {
    const { url, chat } = this;
    const before = this.receivers.length;
    for (const how of SOCKETS) {
      const socket = await connect(url, how, credentials);
      await begin(socket);
      await this.hear(new SocketReceiver(`${name}, ${called(how)}`, api, chat, socket));
    }
    const { headers, ...shown } = credentials;
    const events = `${url}/api/events?${new URLSearchParams({ dialect: api, ...shown, ...more, ...this.room(api) })}`;
    await this.hear(
      PollReceiver.begin(`${name}, long-poll`, api, chat, events, headers),
      StreamReceiver.begin(`${name}, stream`, api, chat, events, headers),
    );
    return this.receivers.slice(before);
  }

  /** What a request of an API says of where it is. */
  room(api) {
    return api === 'service' ? { room: this.named ?? `chat-${this.chat}` } : {};
  }

  /** The chat service: a socket joins the room. */
  joins() {
    const { room } = this.room('service');
    return async (socket) => {
      const joined = await ask(socket, 'join', room);
      assert.equal(joined.room, room, JSON.stringify(joined));
    };
  }

  /** Embedded chat: a socket that acts for somebody listens from its first event on. */
  actsFor(person) {
    return async (socket) => {
      const place = { user: { id: String(person) }, chat: { id: String(this.chat) } };
      const listed = await ask(socket, 'list-messages', { ...place, query: {} });
      assert.equal(listed.status, 'ok', JSON.stringify(listed));
    };
  }

  /** A webhook in each of these shapes; `path` is where they are registered. */
  async webhooks(path, headers, apis) {
    const register = (api) => async (url) => {
      const made = await request('POST', this.url + path, { url, dialect: api }, headers);
      return (made.data ?? made).secret;
    };
    for (const api of apis) {
      await this.hear(WebhookReceiver.begin(`webhook, as ${api} tells it`, api, this.chat, register(api)));
    }
  }

  /** An incoming hook, made by an admin of the chat. */
  async hook(headers) {
    const { url, chat } = this;
    const made = await request('POST', `${url}/api/chats/${chat}/hooks`, { name: `build of ${chat}` }, headers);
    const { hooks } = await request('GET', `${url}/api/chats/${chat}/hooks`, undefined, headers);
    // It leads to where the server says that it is.
    const path = new URL(made.url, url).pathname;
    this.speak(byHook('incoming hook', url + path, hooks[0].person_id));
  }

  async close() {
    await Promise.all(this.receivers.map((receiver) => receiver.close()));
  }
}

const called = ({ protocol, transport }) => `Socket.IO of Engine.IO ${protocol}, ${transport}`;

// --- A site's people --------------------------------------------------------------------------------

/** An owner of a site, who signs in again for every use. */
async function owner(url, domain, name, colleague) {
  const account = { email: email(`${name}.${domain}`), password };
  await request('POST', `${url}/owner/register`, { ...account, domain, token: colleague?.token });
  const { data } = await request('POST', `${url}/owner/login`, account);
  const again = async () => (await request('POST', `${url}/owner/login`, account)).data.token;
  return { id: number(data.ownerId), token: data.token, key: data.appId, again, headers: cookies(data.ownerId, data.token) };
}

const cookies = (id, token) => ({ cookie: `user_id=${id}; token=${token}` });

/** A site with three owners. */
export async function site(url, domain) {
  const ann = await owner(url, domain, 'ann');
  const bo = await owner(url, domain, 'bo', ann);
  const cy = await owner(url, domain, 'cy', ann);
  return { ann, bo, cy };
}

/** Embedded chat and the chat service, as Ann and Bo of a site or of home come to them with their tokens. */
async function ownTokens(place, ann, bo) {
  await place.speaksEvents('embed, token', 'embed', ann.id, { token: ann.token }, place.actsFor(ann.id));
  await place.speaksEvents('service, token', 'service', ann.id, { token: ann.token }, place.joins());
  await place.hearsEvents('embed, token', 'embed', { token: await bo.again() }, place.actsFor(bo.id));
  await place.hearsEvents('service, token', 'service', { token: await bo.again() }, place.joins());
}

/** Embedded chat as a product's server comes to it. */
async function ownKey(place, key, ann, bo) {
  await place.speaksEvents('embed, key', 'embed', ann.id, { key }, place.actsFor(ann.id));
  await place.hearsEvents('embed, key', 'embed', { key }, place.actsFor(bo.id), { user: bo.id });
}

const noHook = 'no incoming hook: nobody governs the conversation of a guest, so nobody can give it one';

/** A guest's conversation on a site: all four APIs at once. */
export async function conversation({ url }) {
  const domain = 'guests.example';
  const people = await site(url, domain);
  const { ann, bo, cy } = people;
  const opened = await request('POST', `${url}/api/events/getNewChat`, { email: email('gus'), name: 'Gus', domain });
  const { chatId, guestId, guestToken } = opened.data;
  const place = new Place("a guest's conversation on a site", url, number(chatId));
  // From the first answer on it is no more news that the conversation waits.
  const desk = byRoutes('', place, cy.id, cy.headers);
  await desk.say('How can we help?');

  await place.messenger(ann.headers, bo.headers, ann.id);
  const silent = async () => {};
  await place.speaksEvents('support, owner', 'support', ann.id, { token: ann.token });
  await place.speaksEvents('support, guest', 'support', number(guestId), { token: guestToken });
  await place.hearsEvents('support, owner', 'support', { token: await bo.again() }, silent);
  const own = await place.hearsEvents('support, guest', 'support', { token: guestToken }, silent);
  for (const receiver of own) receiver.person = number(guestId);
  await ownTokens(place, ann, bo);
  await ownKey(place, ann.key, ann, bo);
  await place.webhooks('/owner/webhooks', bearer(ann.token), ['messenger', 'support', 'embed', 'service']);

  const refused = await fetch(`${url}/api/chats/${place.chat}/hooks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...ann.headers },
    body: JSON.stringify({ name: 'hook' }),
  });
  assert.equal(refused.status, 403);
  return Object.assign(place, { third: desk, cannot: [noHook] });
}

const noSupport = 'no live support: it knows the conversations of guests alone';

/** An open chat among the owners of a site. */
export async function backOffice({ url }) {
  const { ann, bo, cy } = await site(url, 'office.example');
  const place = new Place('an open chat among the owners of a site', url, await openChat(url, 'Office', [ann, bo, cy]));
  await place.messenger(ann.headers, bo.headers, ann.id);
  await ownTokens(place, ann, bo);
  await ownKey(place, ann.key, ann, bo);
  await place.webhooks('/owner/webhooks', bearer(ann.token), ['messenger', 'support', 'embed', 'service']);
  await place.hook(ann.headers);

  const chatId = place.chat.toString(16).padStart(24, '0');
  const event = { chatId, token: ann.token, message: 'Hello' };
  await isRefused(url, 'newMessage', event, 404, 'Chat not found');
  return Object.assign(place, { third: byRoutes('', place, cy.id, cy.headers), cannot: [noSupport] });
}

/** A chat that the first of these people opens, and the others join. */
async function openChat(url, title, [first, ...others]) {
  const response = await fetch(`${url}/api/chats`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...first.headers },
    body: JSON.stringify({ title }),
  });
  assert.equal(response.status, 201, await response.text());
  const chat = Number(response.headers.get('location').split('/').pop());
  for (const { headers } of others) await request('POST', `${url}/api/chats/${chat}/join`, undefined, headers);
  return chat;
}

async function isRefused(url, event, argument, status, sentence) {
  const response = await fetch(`${url}/api/events/${event}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(argument),
  });
  const { data } = await response.json();
  assert.deepEqual([response.status, data.data], [status, sentence]);
}

// --- People with accounts ---------------------------------------------------------------------------

/** Somebody with an account of the messenger. */
async function account(url, name) {
  const person = { name, email: email(name), password };
  const signIn = async (path) => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(person),
    });
    assert.ok(response.ok, await response.text());
    const jar = new Map(response.headers.getSetCookie().map((line) => line.split(';')[0].split('=')));
    return { id: Number(jar.get('user_id')), token: jar.get('token') };
  };
  const { id, token } = await signIn('/api/reg');
  const again = async () => (await signIn('/api/login')).token;
  return { id, token, again, headers: cookies(id, token) };
}

/** An open chat of people who have accounts of the messenger. */
export async function home({ url, folder }) {
  const [ann, bo, cy] = [await account(url, 'ann'), await account(url, 'bo'), await account(url, 'cy')];
  const place = new Place('an open chat of the messenger', url, await openChat(url, 'Breakfast', [ann, bo, cy]));
  await place.messenger(ann.headers, bo.headers, ann.id);
  await ownTokens(place, ann, bo);
  const signedIn = { headers: ann.headers };
  await place.speaksEvents('embed, cookies', 'embed', ann.id, signedIn, place.actsFor(ann.id));
  await place.speaksEvents('service, cookies', 'service', ann.id, signedIn, place.joins());
  const listening = { headers: cookies(bo.id, await bo.again()) };
  await place.hearsEvents('embed, cookies', 'embed', listening, place.actsFor(bo.id));
  await place.hearsEvents('service, cookies', 'service', listening, place.joins());
  const [annsAccess, bosAccess] = place.tokens;
  await place.speaksEvents('embed, personal access token', 'embed', ann.id, { token: annsAccess }, place.actsFor(ann.id));
  await place.hearsEvents('service, personal access token', 'service', { token: bosAccess }, place.joins());
  await promisify(execFile)(process.env.PARLANCE_BIN, ['admin', 'ann'], { cwd: folder });
  await place.webhooks('/api/admin/webhooks', ann.headers, ['messenger', 'support', 'embed', 'service']);
  await place.hook(ann.headers);

  const event = { chatId: place.chat.toString(16).padStart(24, '0'), token: ann.token, message: 'Hello' };
  await isRefused(url, 'newMessage', event, 401, 'Guest not found');
  const noKey = "no embed, key: the messenger's home has no application id, since nobody acts for all who have accounts";
  return Object.assign(place, { third: byRoutes('', place, cy.id, cy.headers), cannot: [noSupport, noKey] });
}

// --- An app's users ---------------------------------------------------------------------------------

/** A room of an app of the chat service. */
export async function room({ url }) {
  const admin = { email: process.env.ADMIN_EMAIL, password: process.env.ADMIN_PASSWORD };
  const { token } = await request('POST', `${url}/auth/login`, admin);
  const { applicationId: appId } = await request('POST', `${url}/app`, { name: 'Together' }, { authorization: token });
  const users = [];
  for (const [index, firstName] of ['Ann', 'Bo', 'Cy'].entries()) {
    const own = `token-of-${firstName}-${appId}`;
    const { id } = await request('POST', `${url}/user`, { appId, appUserId: index + 1, firstName, token: own });
    users.push({ id, token: own, again: async () => own, headers: cookies(id, own) });
  }
  const [ann, bo, cy] = users;
  const made = await request('POST', `${url}/room`, { appId, room: 'together', users: [1, 2, 3] });
  const place = Object.assign(new Place('a room of an app', url, made.id), { named: 'together' });
  await place.messenger(ann.headers, bo.headers, ann.id);
  await ownTokens(place, ann, bo);
  await ownKey(place, appId, ann, bo);
  await place.webhooks('/webhook', { appId }, ['messenger', 'support', 'embed', 'service']);

  const event = { chatId: place.chat.toString(16).padStart(24, '0'), token: ann.token, message: 'Hello' };
  await isRefused(url, 'newMessage', event, 401, 'Guest not found');
  return Object.assign(place, { third: byRoutes('', place, cy.id, cy.headers), cannot: [noSupport] });
}

conversation.title = 'all four APIs meet in the conversation of a guest';
backOffice.title = 'the owners of a site meet in an open chat';
home.title = 'people with accounts meet in an open chat';
room.title = 'the users of an app meet in a room';
