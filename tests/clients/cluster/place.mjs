// A guest's conversation on a site, where all four APIs meet: who writes and who listens there, in all dialects and transports.

import { site } from '../together/places.mjs';
import { number } from '../together/words.mjs';
import { HISTORIES, PollListener, SocketListener, StreamListener } from './mirrors.mjs';
import { byEvents, byRoutes, bySocket, request } from './senders.mjs';

const PASSWORD = 'correct horse';

/** How the sockets of those who write and of those who listen are; 2.x does not know recovery. */
const WRITING = [
  { protocol: 4, transport: 'polling', recovers: false },
  { protocol: 4, transport: 'websocket', recovers: true },
  { protocol: 3, transport: 'polling', recovers: false },
  { protocol: 3, transport: 'websocket', recovers: false },
];
const LISTENING = [
  ...['polling', 'websocket', 'upgraded'].map((transport) => ({ protocol: 4, transport, recovers: true })),
  { protocol: 4, transport: 'polling', recovers: false },
  { protocol: 3, transport: 'polling', recovers: false },
  { protocol: 3, transport: 'upgraded', recovers: false },
];
/** The APIs of events, and as whom one writes there. */
const EVENTFUL = { support: 'guest', embed: 'key', service: 'token' };

const called = ({ protocol, transport, recovers }) => `Socket.IO ${protocol === 3 ? 2 : 4}, ${transport}${recovers ? ', recovering' : ''}`;

/** How many clients each chat has. */
export const divide = (clients, chats) => Array.from({ length: chats }, (_, chat) => Math.floor(clients / chats) + (chat < clients % chats ? 1 : 0));

/** So many of some kinds: each as often as another, but for one; where there are fewer, other ones in each chat. */
export function pick(kinds, count, chat) {
  return Array.from({ length: count }, (_, at) => {
    const step = count < kinds.length ? Math.floor((at * kinds.length) / count) + chat : at;
    return { kind: kinds[step % kinds.length], copy: Math.floor(at / kinds.length) };
  });
}

/** The people, the chat, and what each API needs to know of both. */
export async function open(url, ledger, domain) {
  const { ann, bo, cy } = await site(url, domain);
  const guest = { email: `gus@${domain}`, name: 'Gus', domain };
  const { data } = await request(ledger, 'POST', `${url}/api/events/getNewChat`, guest);
  const place = { url, domain, chat: number(data.chatId), chatId: data.chatId, room: `chat-${number(data.chatId)}`, ann, bo, cy };
  // From the first answer on it is no more news that the conversation waits.
  await request(ledger, 'POST', `${url}/api/chats/${place.chat}`, { content: 'How can we help?' }, { prefer: 'return=representation', ...cy.headers });
  return Object.assign(place, { guest: number(data.guestId), guestToken: data.guestToken });
}

/** Another owner of the site: somebody listens in so many ways only. */
async function colleague({ url, domain, ann }, ledger, name) {
  const account = { email: `${name}@${domain}`, password: PASSWORD };
  await request(ledger, 'POST', `${url}/owner/register`, { ...account, domain, token: ann.token });
  const signIn = async () => (await request(ledger, 'POST', `${url}/owner/login`, account)).data;
  const { ownerId, token } = await signIn();
  const headers = { cookie: `user_id=${ownerId}; token=${token}` };
  return { id: number(ownerId), headers, again: async () => (await signIn()).token };
}

/** What a socket of an API has to say at first. */
function beginning(api, place, person) {
  if (api === 'service') return (client) => client.ask('join', place.room);
  if (api === 'support') return async () => {};
  const fetched = { user: { id: String(person) }, chat: { id: String(place.chat) }, query: { limit: 1 } };
  return (client) => client.ask('list-messages', fetched);
}

/** Every way to write: by the messenger's routes, and by each API of events in requests and by sockets. */
const WRITERS = [{ api: 'messenger' }, ...Object.keys(EVENTFUL).flatMap((api) => [{ api }, ...WRITING.map((how) => ({ api, how }))])];

function writer({ api, how }, turn, place, ledger) {
  const { ann, guest, guestToken } = place;
  if (api === 'messenger') return byRoutes(`messenger, cookies${turn}`, ledger, place, ann.headers);
  const [person, credentials] = {
    guest: [guest, { token: guestToken }],
    key: [ann.id, { key: ann.key }],
    token: [ann.id, { token: ann.token }],
  }[EVENTFUL[api]];
  const name = `${api}, ${EVENTFUL[api]}${turn}`;
  if (!how) {
    const room = api === 'service' ? { room: place.room } : {};
    return byEvents(`${name}, POST /api/events`, ledger, api, place, person, { ...credentials, ...room });
  }
  const begin = beginning(api, place, person);
  return bySocket(`${name}, ${called(how)}, writing`, ledger, api, place, person, how, { credentials, begin });
}

/** Those who write: Ann by everything that she has, and the guest. */
export function writers(place, ledger, count, chat) {
  return pick(WRITERS, count, chat).map(({ kind, copy }) => writer(kind, copy > 0 ? ` ${copy + 1}` : '', place, ledger));
}

/** Every way to listen: by the messenger's long-polls and stream, and to each API of events by sockets, long-poll and stream. */
const LISTENERS = [
  { api: 'messenger', by: 'long-poll' },
  { api: 'messages', by: 'long-poll' },
  { api: 'messenger', by: 'stream' },
  ...Object.keys(EVENTFUL).flatMap((api) => [...LISTENING.map((how) => ({ api, how })), { api, by: 'long-poll' }, { api, by: 'stream' }]),
];

function listener({ api, how, by }, turn, place, bo, ledger) {
  const { url, chat } = place;
  if (how) {
    const credentials = { token: bo.tokens[api] };
    const at = { chatId: place.chatId, chat: { id: String(chat) }, user: { id: String(bo.id) } };
    const history = (client, mirror) => HISTORIES[api](client, mirror, at);
    const begin = beginning(api, place, bo.id);
    return new SocketListener(`${api}${turn}, ${called(how)}`, url, how, { api, chat, credentials, begin, history }, ledger);
  }
  const Listener = by === 'stream' ? StreamListener : PollListener;
  const name = api === 'messages' ? `messenger${turn}, long-poll of the chat` : `${api}${turn}, ${by}`;
  const poll = `${api}-${by}`;
  if (api === 'messages') return Listener.begin(name, `${url}/api/chats/${chat}?poll=${poll}`, { api, chat, headers: bo.headers }, ledger);
  if (api === 'messenger') return Listener.begin(name, `${url}/api/events?poll=${poll}`, { api, chat, headers: bo.headers }, ledger);
  const room = api === 'service' ? { room: place.room } : {};
  const query = new URLSearchParams({ dialect: api, poll, token: bo.tokens[api], ...room });
  return Listener.begin(name, `${url}/api/events?${query}`, { api, chat }, ledger);
}

/** Those who listen: Bo, by everything that he has, and in a large crowd others like him. */
export async function listeners(place, ledger, count, chat) {
  const picked = pick(LISTENERS, count, chat);
  const people = [];
  for (let copy = 0; copy <= picked.at(-1).copy; copy += 1) {
    const bo = copy === 0 ? place.bo : await colleague(place, ledger, `bo-${copy + 1}`);
    people.push({ id: bo.id, headers: bo.headers, tokens: {} });
    for (const api of Object.keys(EVENTFUL)) people[copy].tokens[api] = await bo.again();
  }
  return Promise.all(picked.map(({ kind, copy }) => listener(kind, copy > 0 ? ` ${copy + 1}` : '', place, people[copy], ledger)));
}
