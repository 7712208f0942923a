// Mistakes that do not compile: wrong names, wrong arguments, answers that are something else.
import type { Socket } from 'socket.io-client';
import type * as types from './generated/types/index.js';

declare const embed: Socket<types.embed.ServerToClientEvents, types.embed.ClientToServerEvents>;
declare const support: Socket<types.support.ServerToClientEvents, types.support.ClientToServerEvents>;
declare const service: Socket<types.service.ServerToClientEvents, types.service.ClientToServerEvents>;
declare const silent: Socket<types.service.ServerToClientEvents, types.service.UnacknowledgedEvents>;

export async function mistakes(): Promise<void> {
  // @ts-expect-error there is no such event
  await embed.emitWithAck('create-usr', { user: { name: 'Ann', photo: '' } });
  // @ts-expect-error the photo is missing
  await embed.emitWithAck('create-user', { user: { name: 'Ann' } });
  // @ts-expect-error the type is none of the words
  await embed.emitWithAck('new-message', { chat: { id: '1' }, user: { id: '2' }, message: { value: 'x', type: 'sound' } });
  // @ts-expect-error the argument is missing
  await embed.emitWithAck('list-chats');
  const made = await embed.emitWithAck('create-user', { user: { name: 'Ann', photo: '' } });
  // @ts-expect-error it may have been refused
  void made.user.id;
  // @ts-expect-error there is no such event
  embed.on('new-messages', () => {});
  // @ts-expect-error a message has no such field
  embed.on('new-message', (message) => void message.text);

  // @ts-expect-error the message is missing
  await support.emitWithAck('newMessage', { chatId: '000000000000000000000001' });
  // @ts-expect-error it is a flag
  await support.emitWithAck('typing', { chatId: '000000000000000000000001', typing: 'yes' });
  // @ts-expect-error an entry has no such field
  support.on('waitingChat', (chat) => void chat.guest);
  // @ts-expect-error that is another API's
  support.emit('join', 'usr-1-2', () => {});

  // @ts-expect-error a page is a number
  await service.emitWithAck('load_more', { page: 'first' });
  // @ts-expect-error nothing comes with it
  await service.emitWithAck('seen', 'usr-1-2');
  // @ts-expect-error a message's id is a number
  await service.emitWithAck('update', { id: 'last', message: 'Hello' });
  // @ts-expect-error a sentence is text
  service.on('info', (sentence: number) => void sentence);
  // @ts-expect-error a user has no such name
  service.on('is_typing', ({ data }) => void data.name);

  silent.emit('send_message', 'Hello');
  // @ts-expect-error text alone, or with a key
  silent.emit('send_message', { text: 'Hello' });
}

export async function narrowing(opened: types.embed.ParlanceSocket, desk: types.support.ParlanceSocket): Promise<string[]> {
  // An acknowledgement may be left out.
  opened.emit('list-chats', { user: { id: '1' } });
  opened.emit('list-chats', { user: { id: '1' } }, (reply) => void reply.status);
  // @ts-expect-error that is no acknowledgement
  opened.emit('list-chats', { user: { id: '1' } }, 'done');
  const made = await opened.emitWithAck('create-user', { user: { name: 'Ann', photo: '' } });
  if (made.status === 'error') throw new Error(made.error[0].message);
  const waiting = await desk.emitWithAck('getWaitingChats', {});
  if (waiting.statusCode !== 200) throw new Error(waiting.data);
  desk.on('newMessage', (body) => {
    // @ts-expect-error it may be an answer
    void body.chatId;
    if (!body.statusCode) void body.message.message;
    else if (body.status === 'error') void body.validation?.keys;
    else void body.data._id;
  });
  const listed = await service.emitWithAck('load_more', {});
  if (listed.status === 'error') throw new Error(listed.message);
  return [made.user.id, ...waiting.data.map((chat) => chat.name), ...listed.map((message) => message.message)];
}
