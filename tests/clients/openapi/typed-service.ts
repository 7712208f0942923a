// A program with the types of the chat service, which compiles and runs.
import { io, type Socket } from 'socket.io-client';
import type { ClientToServerEvents, ServerToClientEvents, ServiceEventFailure } from './generated/types/service.js';

declare const process: { env: Record<string, string | undefined> };

const server = process.env.SERVER_URL ?? '';
type Device = Socket<ServerToClientEvents, ClientToServerEvents>;

async function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Record<string, unknown>> {
  const sent = { 'content-type': 'application/json', ...headers };
  const answer = await fetch(server + path, { method: 'POST', headers: sent, body: JSON.stringify(body) });
  return (await answer.json()) as Record<string, unknown>;
}

function good<T extends object>(reply: T | ServiceEventFailure): Exclude<T, ServiceEventFailure> {
  if ('status' in reply && reply.status === 'error') throw new Error(JSON.stringify(reply));
  return reply as Exclude<T, ServiceEventFailure>;
}

const { ADMIN_EMAIL: email, ADMIN_PASSWORD: password } = process.env;
const { token } = await post('/auth/login', { email, password });
const { applicationId: appId } = await post('/app', { name: 'Typed' }, { authorization: String(token) });
for (const [appUserId, firstName] of [[1, 'Ann'], [2, 'Bo']] as const) {
  await post('/user', { appId, appUserId, firstName, token: `typed-token-${appUserId}` });
}
await post('/room', { appId, room: 'typed', users: [1, 2] });
const [ann, bo] = [1, 2].map((number): Device => io(server, { auth: { token: `typed-token-${number}` }, forceNew: true })) as [Device, Device];
for (const device of [ann, bo]) good(await device.emitWithAck('join', 'typed'));
const heard = new Promise<string>((resolve) => bo.on('message', (message) => resolve(message.message)));
const sent = good(await ann.emitWithAck('send_message', { message: 'Hello', client_id: 'typed-1' }));
if ((await heard) !== btoa('Hello')) throw new Error('the other device hears it');
const told = new Promise<unknown>((resolve) => bo.on('is_typing', ({ typing }) => resolve(typing)));
good(await ann.emitWithAck('typing', true));
if ((await told) !== true) throw new Error('the other device is told');
const listed = await bo.emitWithAck('load_more', undefined);
if (!Array.isArray(listed) || listed[0]?.id !== sent.id) throw new Error('it is listed');
good(await bo.emitWithAck('seen'));
const refused = await bo.emitWithAck('update', { id: sent.id, message: 'Not mine' });
if (!('status' in refused) || refused.code !== 'forbidden') throw new Error('only its sender changes it');
for (const device of [ann, bo]) device.close();
console.log('a typed program of the chat service: ok');
