// A whole conversation by a client that is generated from the server's own description: openapi-typescript
// writes the types, openapi-fetch sends the requests.
import createClient, { type Middleware } from 'openapi-fetch';
import type { paths } from './generated/schema.js';

declare const process: { env: Record<string, string | undefined> };

const baseUrl = process.env.SERVER_URL ?? '';

/** What Node has no browser for: the cookies of one person. */
function cookies(): Middleware {
  const kept = new Map<string, string>();
  return {
    onRequest({ request }) {
      request.headers.set('Cookie', [...kept].map(([name, value]) => `${name}=${value}`).join('; '));
      return request;
    },
    onResponse({ response }) {
      for (const line of response.headers.getSetCookie()) {
        const [pair] = line.split(';');
        const [name, value] = pair?.split('=') ?? [];
        if (name) kept.set(name, value ?? '');
      }
    },
  };
}

function person() {
  const client = createClient<paths>({ baseUrl });
  client.use(cookies());
  return client;
}

function check(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

/** The data of an answer that is no refusal. */
function good<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  check(answer.data !== undefined, `${answer.response.url}: ${JSON.stringify(answer.error)}`);
  return answer.data;
}

/** The same of events, which come as a stream only to who asks for one. */
function page<T>(told: T | string): T {
  check(typeof told !== 'string', 'no stream was asked for');
  return told;
}

async function messenger(): Promise<void> {
  const [ann, bo] = [person(), person()];
  const password = 'correct horse';
  for (const [client, name] of [[ann, 'ann.ts'], [bo, 'bo.ts']] as const) {
    good(await client.POST('/api/reg', { body: { name, password, email: 'someone@example.com' } }));
    good(await client.POST('/api/logout'));
    good(await client.POST('/api/login', { body: { name, password } }));
  }
  const friend = good(await bo.GET('/api/me'));
  const made = await ann.POST('/api/chats', { body: { title: 'TypeScript', private: true, members: [friend.id] } });
  good(made);
  const chat = Number(made.response.headers.get('Location')?.split('/').pop());

  const now = await bo.GET('/api/events', { params: { query: { after: 'now', timeout: 0 } } });
  const { cursor } = page(good(now));
  const waiting = bo.GET('/api/events', { params: { query: { after: cursor, timeout: 20, types: 'message' } } });
  const sent = await ann.POST('/api/chats/{chat}', {
    params: { path: { chat }, header: { Prefer: 'return=representation' } },
    body: { content: 'Hello from TypeScript', client_id: 'ts-1' },
  });
  const message = good(sent).message;
  check(message, 'the answer has the message');
  const [event] = page(good(await waiting)).events;
  check(event && 'message' in event && event.message?.id === message.id, 'the wait ends with the message');

  const at = { params: { path: { chat, message: message.id } } };
  good(await ann.PATCH('/api/chats/{chat}/messages/{message}', { ...at, body: { content: 'Hello, edited' } }));
  const path = { ...at.params.path, emoji: '👍' };
  good(await bo.PUT('/api/chats/{chat}/messages/{message}/reactions/{emoji}', { params: { path } }));
  const read = good(await ann.GET('/api/chats/{chat}/messages/{message}', at));
  check(read.edited_at && read.reactions[0]?.count === 1, 'edited, with a reaction');
  const { hits } = good(await bo.GET('/api/search', { params: { query: { query: 'edited' } } }));
  check(hits[0]?.message.content === 'Hello, edited', 'the edited message is found');
  const { chats } = good(await bo.GET('/api/chats'));
  check(chats[0]?.last_message === 'Hello, edited', 'the list shows it');

  const stranger = await person().GET('/api/chats');
  check(stranger.response.status === 401, 'a stranger is refused');
  check(stranger.error && stranger.error.code === 'unauthenticated', 'with a code');
}

async function service(): Promise<void> {
  const [email, password] = [process.env.ADMIN_EMAIL ?? '', process.env.ADMIN_PASSWORD ?? ''];
  const client = createClient<paths>({ baseUrl });
  const { token } = good(await client.POST('/auth/login', { body: { email, password } }));
  const headers = { Authorization: `Bearer ${token}` };
  const app = good(await client.POST('/app', { headers, body: { name: 'shop' } }));
  const appId = app.applicationId;
  const ann = good(
    await client.POST('/user', { body: { appId, appUserId: 7, firstName: 'Ann', token: 'ts-token-of-ann' } }),
  );
  good(await client.POST('/user', { body: { appId, appUserId: 'eight', firstName: 'Bo' } }));
  const body = { appId, room: 'ts-7-8', users: [7, 'eight'] };
  const room = good(await client.POST('/room', { body }));
  check(room.users?.length === 2, 'both are in the room');
  const message = good(
    await client.POST('/api/events/{event}', {
      params: { path: { event: 'send_message' }, query: { dialect: 'service', room: 'ts-7-8' } },
      headers: { Authorization: 'Bearer ts-token-of-ann' },
      body: 'Hello',
    }),
  );
  check(message.event === 'send_message', 'the event is answered');
  const users = good(await client.GET('/user/{id}', { params: { path: { id: appId } } }));
  check(users.some((user) => user.id === ann.id), 'the app lists its users');
  const taken = await client.POST('/room', { body });
  check(taken.response.status === 400 && taken.error, 'a name is taken once');
}

async function support(): Promise<void> {
  const client = createClient<paths>({ baseUrl });
  const [email, password] = ['ts@example.com', 'correct horse'];
  good(await client.POST('/owner/register', { body: { email, password, domain: 'ts.example' } }));
  const { data } = good(await client.POST('/owner/login', { body: { email, password } }));
  check(data.level === 'owner', 'an owner is signed in');
  const found = good(await client.GET('/owner/domains/{host}', { params: { path: { host: 'ts.example' } } }));
  check(found.data.domain === 'ts.example', 'the site is found');
  good(await client.POST('/owner/logout', { body: { token: data.token } }));
}

await messenger();
await service();
await support();
console.log('conversation by openapi-typescript and openapi-fetch: ok');
