// What each API says of a change, in words that all of them share.
//
// A word is a list: ['message', id, text, person], ['edited', id, text], ['deleted', id],
// ['reaction', id, emoji, added, person], ['read', person, id], ['typing', person, on].

/** All words, in the order in which the matrix prints them. */
export const WORDS = ['message', 'edited', 'deleted', 'reaction', 'read', 'typing'];

const hex = (id) => Number.parseInt(id, 16);
const plain = (base64) => Buffer.from(base64, 'base64').toString('utf8');

/** An event of the messenger. */
function messenger({ type, chat_id: chat, message, ...event }) {
  const said = {
    message: () => ['message', message.id, message.content, message.sender_id],
    edited: () => ['edited', message.id, message.content],
    deleted: () => ['deleted', message.id],
    reaction: () => ['reaction', event.message_id, event.emoji, event.added, event.person_id],
    read: () => ['read', event.person_id, event.up_to],
    typing: () => ['typing', event.person_id, event.typing],
  }[type];
  return { chat, word: said?.() };
}

/** A message of one chat's own long-poll. */
function messages(message) {
  return { chat: message.chat_id, word: ['message', message.id, message.content, message.sender_id] };
}

/** An event of live support. An answer has a status, a push has none; what names no chat so is another API's. */
function support(name, body) {
  if ('statusCode' in body || !body.chatId) return {};
  const said = {
    newMessage: () => ['message', hex(body._id), body.message.message, hex(body.message.from)],
    seen: () => ['read', hex(body.from), hex(body._id)],
    typing: () => ['typing', hex(body.from), body.typing],
  }[name];
  return { chat: hex(body.chatId), word: said?.() };
}

/** An event of embedded chat. An owner's socket is told of live support as well, by names that both APIs have. */
function embed(name, { chat, user, message, ...body }) {
  if (body.status !== 'ok') return {};
  const said = {
    'new-message': () => ['message', Number(body.id), body.msg, Number(body.user_id)],
    'edit-message': () => ['edited', Number(message.id), message.msg],
    'delete-message': () => ['deleted', Number(message.id)],
    seen: () => ['read', Number(user.id), Number(message.id)],
    typing: () => ['typing', Number(user.id), body.typing],
  }[name];
  return { chat: Number(name === 'new-message' ? body.chat_id : chat?.id), word: said?.() };
}

/** An event of the chat service. It tells a message that was edited or deleted as it tells a new one: by the same id. */
function service(name, body, known) {
  if (name === 'message') {
    const { id, message, userId, roomId: chat, deletedAt } = body;
    if (deletedAt) return { chat, word: ['deleted', id] };
    const isNew = !known.has(id);
    known.add(id);
    return { chat, word: isNew ? ['message', id, plain(message), userId] : ['edited', id, plain(message)] };
  }
  // Who has read a room has read it up to the newest message.
  if (name === 'seen_by') return { word: ['read', body.id, Math.max(...known)] };
  if (name === 'is_typing') return { word: ['typing', body.data.id, body.typing] };
  return {};
}

/** Each API's translation, the words that it has, and the names of its events. */
export const APIS = {
  messenger: { translate: (_, body) => messenger(body), words: WORDS },
  messages: { translate: (_, body) => messages(body), words: ['message'] },
  support: { translate: support, words: ['message', 'read', 'typing'], events: ['newMessage', 'seen', 'typing'] },
  embed: {
    translate: embed,
    words: ['message', 'edited', 'deleted', 'read', 'typing'],
    events: ['new-message', 'edit-message', 'delete-message', 'seen', 'typing'],
  },
  service: {
    translate: service,
    words: ['message', 'edited', 'deleted', 'read', 'typing'],
    events: ['message', 'seen_by', 'is_typing'],
  },
};

/** Why an API's readers are not told of something. */
export const SILENT = {
  messages: 'the long-poll of one chat lists messages and nothing else: GET /api/events tells the rest',
  support: 'live support has no event for edits, deletions and reactions: getChatMessages shows the text as it is now',
  embed: 'embedded chat has no event for reactions',
  service: 'the chat service has no event for reactions',
};

/** The number of an id in hex. */
export const number = hex;
