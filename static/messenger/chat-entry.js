// A chat as an entry of the list.

/**
 * @typedef {object} Chat
 * @property {number} id
 * @property {string} title
 * @property {boolean} open
 * @property {boolean} member
 * @property {number} unread
 * @property {number} last_position
 * @property {number} last_id
 * @property {number | null} members_count
 * @property {string | null} last_message
 * @property {string | null} last_message_time
 * @property {number | null} sender_id
 * @property {number} active the place of the newest activity
 * @property {number | null} [first_unread]
 * @property {number} [unread_mentions]
 * @property {'admin' | 'member' | null} [role]
 * @property {string | null} [description]
 * @property {'all' | 'mentions' | 'none'} [notify]
 * @property {boolean} [notify_chosen] whether that was chosen; else it follows the size
 * @property {boolean} [pinned]
 * @property {string | null} [muted_until]
 * @property {boolean} [direct] whether it is of two people alone
 * @property {number | null} [person_id] the other one of the two
 * @property {boolean} [founding]
 */

/**
 * A list entry with every key this page reads, whatever the server left out.
 * @param {Partial<Chat>} chat
 * @returns {Chat}
 */
export function filled(chat) {
  return {
    id: 0,
    open: true,
    member: true,
    unread: 0,
    last_position: 0,
    // A message's id is its place in the log.
    last_id: typeof chat.last_message === 'string' ? (chat.last_position ?? 0) : 0,
    members_count: null,
    last_message: null,
    last_message_time: null,
    sender_id: null,
    // The place of the newest activity, which is a message or the chat's beginning: the server's own order.
    active: chat.last_position ?? 0,
    ...withoutGaps(chat),
    title: chat.title ?? 'Chat',
  };
}

/** @param {Partial<Chat>} chat @returns {Partial<Chat>} */
export function withoutGaps(chat) {
  return Object.fromEntries(Object.entries(chat).filter(([, value]) => value !== undefined));
}

/** Whether a message mentions somebody. @param {import('./model.js').Message} message @param {number} person */
export function mentions(message, person) {
  return Boolean(message.mentions_all) || (message.mentions ?? []).some((each) => (typeof each === 'number' ? each : each.id) === person);
}
