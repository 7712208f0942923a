// A program with the types of the embed API, which compiles and runs.
import { io, type Socket } from 'socket.io-client';
import type { ClientToServerEvents, EmbedFailure, ServerToClientEvents } from './generated/types/embed.js';

declare const process: { env: Record<string, string | undefined> };

function good<T extends object>(reply: T | EmbedFailure): Exclude<T, EmbedFailure> {
  if ('status' in reply && reply.status === 'error') throw new Error(JSON.stringify(reply));
  return reply as Exclude<T, EmbedFailure>;
}

const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io(process.env.SERVER_URL ?? '');
const { user } = good(await socket.emitWithAck('create-user', { user: { external_id: 'typed', name: 'Ann', photo: '' } }));
const { chat } = good(await socket.emitWithAck('create-chat', { chat: { name: 'Typed' }, users: [user.id] }));
const heard = new Promise<string>((resolve) => {
  socket.on('new-message', (message) => {
    if (message.status === 'ok') resolve(message.msg);
  });
});
const sent = good(
  await socket.emitWithAck('new-message', { chat, user, message: { value: 'Hello', type: 'text' }, client_id: 'typed-1' }),
);
if ((await heard) !== sent.msg) throw new Error('it comes back');
const { messages } = good(await socket.emitWithAck('list-messages', { chat: { id: chat.id }, query: { limit: 1 } }));
if (messages[0]?.id !== sent.id) throw new Error('it is listed');
const refused = await socket.emitWithAck('seen', { chat: { id: '0' }, user: { id: user.id } });
if (refused.status !== 'error' || refused.code !== 'not_found') throw new Error('a refusal has a code');
socket.close();
console.log('a typed program of the embed API: ok');
