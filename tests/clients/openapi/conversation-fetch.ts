// A whole conversation by another client that is generated from the server's own description: @hey-api/openapi-ts writes
// a function for each operation, with a client on fetch and what it takes to show who one is.
import { createClient, type Client } from './generated/hey/client/index.js';
import {
  chats, createApp, createChat, createRoom, createToken, deleteMessage, editMessage, emitEvent, events, me, message, messages, putUser, react,
  registerOwner, search, sendMessage, signDeveloperIn, signOwnerIn, signUp, users,
} from './generated/hey/index.js';

declare const process: { env: Record<string, string | undefined> };

const baseUrl = process.env.SERVER_URL ?? '';

function check(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

/** The data of an answer that is no refusal. */
function good<T>(answer: { data?: T; error?: unknown; request?: Request }): NonNullable<T> {
  check(answer.data !== undefined && answer.data !== null, `${answer.request?.url}: ${JSON.stringify(answer.error)}`);
  return answer.data;
}

/** Somebody who signs up, and shows their cookies, as the description says that one may. */
async function person(name: string): Promise<Client> {
  const cookies = new Map<string, string>();
  const client = createClient({ baseUrl, auth: ({ in: where, name: cookie }) => (where === 'cookie' ? cookies.get(cookie ?? '') : undefined) });
  const made = await signUp({ client, body: { name, password: 'correct horse', email: 'someone@example.com' } });
  good(made);
  for (const line of made.response?.headers.getSetCookie() ?? []) {
    const [pair] = line.split(';');
    const [key, value] = pair?.split('=') ?? [];
    if (key) cookies.set(key, value ?? '');
  }
  return client;
}

/** The same person as a program, with a token. */
async function program(client: Client): Promise<Client> {
  const { token } = good(await createToken({ client, body: { name: 'generated', scopes: ['read', 'write'] } }));
  return createClient({ baseUrl, auth: ({ scheme }) => (scheme === 'bearer' ? token : undefined) });
}

async function messenger(): Promise<void> {
  const ann = await person('ann.hey');
  const bo = await program(await person('bo.hey'));
  const friend = good(await me({ client: bo }));
  const made = await createChat({ client: ann, body: { title: 'Generated', private: true, members: [friend.id] } });
  good(made);
  const chat = Number(made.response?.headers.get('Location')?.split('/').pop());

  const { cursor } = good(await events({ client: bo, query: { after: 'now', timeout: 0 } }));
  const waiting = events({ client: bo, query: { after: cursor, timeout: 20, types: 'message' } });
  const sent = good(
    await sendMessage({
      client: ann,
      path: { chat },
      body: { content: 'Hello, generated', client_id: 'hey-1' },
      headers: { Prefer: 'return=representation' },
    }),
  ).message;
  check(sent, 'the answer has the message');
  const [event] = good(await waiting).events;
  check(event && 'message' in event && event.message?.id === sent.id, 'the wait ends with the message');

  const path = { chat, message: sent.id };
  good(await editMessage({ client: ann, path, body: { content: 'Hello, edited and generated' } }));
  good(await react({ client: bo, path: { ...path, emoji: '👍' } }));
  const read = good(await message({ client: ann, path }));
  check(read.edited_at && read.reactions[0]?.count === 1, 'edited, with a reaction');
  const { hits } = good(await search({ client: bo, query: { query: 'generated' } }));
  check(hits[0]?.message.content === 'Hello, edited and generated', 'the edited message is found');
  check(good(await chats({ client: bo })).chats[0]?.last_message === 'Hello, edited and generated', 'the list shows it');
  const foreign = await deleteMessage({ client: bo, path });
  check(foreign.response?.status === 403 && foreign.error && 'code' in foreign.error && foreign.error.code === 'forbidden', 'it is not theirs');
  good(await deleteMessage({ client: ann, path }));
  const page = good(await messages({ client: bo, path: { chat } }));
  check('messages' in page && page.messages[0]?.deleted_at, 'it is deleted');
  const stranger = await chats({ client: createClient({ baseUrl }) });
  check(stranger.response?.status === 401 && stranger.error, 'a stranger is refused');
}

async function service(): Promise<void> {
  const [email, password] = [process.env.ADMIN_EMAIL ?? '', process.env.ADMIN_PASSWORD ?? ''];
  const client = createClient({ baseUrl });
  const { token } = good(await signDeveloperIn({ client, body: { email, password } }));
  const headers = { Authorization: `Bearer ${token}` };
  const app = good(await createApp({ client, headers, body: { name: 'shop' } }));
  const appId = app.applicationId;
  const ann = good(await putUser({ client, body: { appId, appUserId: 7, firstName: 'Ann', token: 'hey-token-of-ann' } }));
  good(await createRoom({ client, body: { appId, room: 'hey-7', users: [7] } }));
  const device = createClient({ baseUrl, headers: { Authorization: 'Bearer hey-token-of-ann' } });
  const said = good(
    await emitEvent({ client: device, path: { event: 'send_message' }, query: { dialect: 'service', room: 'hey-7' }, body: 'Hello' }),
  );
  check(said.event === 'send_message', 'the event is answered');
  check(good(await users({ client, path: { id: appId } })).some((user) => user.id === ann.id), 'the app lists its users');
}

async function support(): Promise<void> {
  const client = createClient({ baseUrl });
  const account = { email: 'hey@example.com', password: 'correct horse' };
  good(await registerOwner({ client, body: { ...account, domain: 'hey.example' } }));
  check(good(await signOwnerIn({ client, body: account })).data.level === 'owner', 'an owner is signed in');
}

await messenger();
await service();
await support();
console.log('conversation by @hey-api/openapi-ts: ok');
