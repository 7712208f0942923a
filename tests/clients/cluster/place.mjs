// A guest's conversation on a site, where all four APIs meet: who writes and who listens there, in all dialects and transports.

import { site } from '../together/places.mjs';
import { number } from '../together/words.mjs';
import { HISTORIES, PollListener, SocketListener, StreamListener } from './mirrors.mjs';
import { byEvents, byRoutes, bySocket, request } from './senders.mjs';

const DOMAIN = 'cluster.example';

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

const called = ({ protocol, transport, recovers }) => `Socket.IO ${protocol === 3 ? 2 : 4}, ${transport}${recovers ? ', recovering' : ''}`;

/** The people, the chat, and what each API needs to know of both. */
export async function open(url, ledger) {
  const { ann, bo, cy } = await site(url, DOMAIN);
  const guest = { email: 'gus@cluster.example', name: 'Gus', domain: DOMAIN };
  const { data } = await request(ledger, 'POST', `${url}/api/events/getNewChat`, guest);
  const place = { url, chat: number(data.chatId), chatId: data.chatId, room: `chat-${number(data.chatId)}`, ann, bo, cy };
  // From the first answer on it is no more news that the conversation waits.
  await request(ledger, 'POST', `${url}/api/chats/${place.chat}`, { content: 'How can we help?' }, { prefer: 'return=representation', ...cy.headers });
  return Object.assign(place, { guest: number(data.guestId), guestToken: data.guestToken });
}

/** What a socket of an API has to say at first. */
function beginning(api, place, person) {
  if (api === 'service') return (client) => client.ask('join', place.room);
  if (api === 'support') return async () => {};
  const fetched = { user: { id: String(person) }, chat: { id: String(place.chat) }, query: { limit: 1 } };
  return (client) => client.ask('list-messages', fetched);
}

/** Those who write: Ann by everything that she has, and the guest. */
export function senders(place, ledger) {
  const { ann, guest, guestToken } = place;
  const all = [byRoutes('messenger, cookies', ledger, place, ann.headers)];
  const events = (name, api, person, credentials, more = {}) => {
    const begin = beginning(api, place, person);
    all.push(byEvents(`${name}, POST /api/events`, ledger, api, place, person, { ...credentials, ...more }));
    for (const how of WRITING) {
      all.push(bySocket(`${name}, ${called(how)}, writing`, ledger, api, place, person, how, { credentials, begin }));
    }
  };
  events('support, guest', 'support', guest, { token: guestToken });
  events('embed, key', 'embed', ann.id, { key: ann.key });
  events('service, token', 'service', ann.id, { token: ann.token }, { room: place.room });
  return all;
}

/** Those who listen: Bo, by everything that he has. */
export async function listeners(place, ledger) {
  const { url, chat, bo } = place;
  const events = `${url}/api/events`;
  const cookies = { chat, headers: bo.headers };
  const all = [
    PollListener.begin('messenger, long-poll', `${events}?poll=a`, { api: 'messenger', ...cookies }, ledger),
    PollListener.begin('messenger, long-poll of the chat', `${url}/api/chats/${chat}?poll=b`, { api: 'messages', ...cookies }, ledger),
    StreamListener.begin('messenger, stream', `${events}?poll=c`, { api: 'messenger', ...cookies }, ledger),
  ];
  const apis = { support: { token: await bo.again() }, embed: { token: await bo.again() }, service: { token: await bo.again() } };
  for (const [api, credentials] of Object.entries(apis)) {
    const begin = beginning(api, place, bo.id);
    const at = { chatId: place.chatId, chat: { id: String(chat) }, user: { id: String(bo.id) } };
    const history = (client, mirror) => HISTORIES[api](client, mirror, at);
    for (const how of LISTENING) {
      all.push(new SocketListener(`${api}, ${called(how)}`, url, how, { api, chat, credentials, begin, history }, ledger));
    }
    const room = api === 'service' ? { room: place.room } : {};
    const query = (poll) => `${events}?${new URLSearchParams({ dialect: api, poll, ...credentials, ...room })}`;
    all.push(
      PollListener.begin(`${api}, long-poll`, query(`${api}-p`), { api, chat }, ledger),
      StreamListener.begin(`${api}, stream`, query(`${api}-s`), { api, chat }, ledger),
    );
  }
  return Promise.all(all);
}
