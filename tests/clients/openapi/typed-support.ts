// A program with the types of live support, which compiles and runs.
import { io, type Socket } from 'socket.io-client';
import type { ClientToServerEvents, ServerToClientEvents, SupportFailure } from './generated/types/support.js';

declare const process: { env: Record<string, string | undefined> };

const server = process.env.SERVER_URL ?? '';
type Desk = Socket<ServerToClientEvents, ClientToServerEvents>;

function good<T extends object>(reply: T | SupportFailure): Exclude<T, SupportFailure> {
  if ('status' in reply && reply.status === 'error') throw new Error(JSON.stringify(reply));
  return reply as Exclude<T, SupportFailure>;
}

async function owner(): Promise<string> {
  const account = { email: 'typed@example.com', password: 'correct horse', domain: 'typed.example' };
  const post = (path: string) =>
    fetch(server + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(account) });
  await post('/owner/register');
  const { data } = (await (await post('/owner/login')).json()) as { data: { token: string } };
  return data.token;
}

const desk: Desk = io(server, { auth: { token: await owner() }, forceNew: true });
const guest: Desk = io(server, { forceNew: true });
good(await desk.emitWithAck('getWaitingChats', {}));
const waits = new Promise<string>((resolve) => desk.on('waitingChat', (chat) => resolve(chat.name)));
const opened = good(await guest.emitWithAck('getNewChat', { email: 'gus@example.com', name: 'Gus', domain: 'typed.example' }));
if ((await waits) !== 'Gus') throw new Error('the guest waits');
const answer = new Promise<string>((resolve) => {
  guest.on('newMessage', (message) => {
    // A push has no status.
    if ('_id' in message) resolve(message.message.message);
  });
});
const [chat] = good(await desk.emitWithAck('getWaitingChats', { limit: 1 })).data;
if (!chat || chat.chatId !== opened.chatId) throw new Error('the chat is listed');
good(await desk.emitWithAck('newMessage', { chatId: { _id: chat._id }, message: 'Hello, Gus' }));
if ((await answer) !== 'Hello, Gus') throw new Error('the guest hears it');
const refused = await guest.emitWithAck('closeChat', { chatId: opened.chatId, token: 'nobody' });
if (refused.status !== 'error' || refused.statusCode !== 401) throw new Error('a stranger is refused');
for (const socket of [desk, guest]) socket.close();
console.log('a typed program of live support: ok');
