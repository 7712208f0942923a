// The messenger's outbox: messages go out by plain HTTP, under the name of who wrote them.
import { Outbox } from '../shared/outbox.js';
import { scoped } from '../shared/server.js';
import { ApiError, Unreachable, cookiePerson, hedged, post } from '../shared/api.js';
import { explain } from './error-text.js';

const TIMEOUT = 10_000;

/**
 * @param {object} options
 * @param {number} options.person
 * @param {() => void} options.changed called after every change
 * @param {(chat: number, message: any) => void} options.sent called when the server has a message
 * @param {() => void} options.ended called when the login is over
 * @param {() => void} options.unanswered called when nobody answers
 */
export function createOutbox({ person, changed, sent, ended, unanswered }) {
  return new Outbox({
    key: scoped(`parlance.outbox.${person}`),
    changed,
    deliver: ({ chat, content, client_id, reply_to: answered }, { signal, inDoubt }) => {
      // Somebody else signed in from this browser: these words are not theirs.
      if (cookiePerson() !== String(person)) throw new ApiError(401, {}, null);
      const form = { content, client_id, ...(answered && { reply_to: String(answered) }) };
      const request = (/** @type {AbortSignal} */ limit) =>
        post(`/api/chats/${chat}`, form, { headers: { Prefer: 'return=representation' }, signal: limit, timeout: TIMEOUT });
      return inDoubt ? hedged(request, signal) : request(signal);
    },
    sent: ({ chat, content, client_id }, { body, headers }) => {
      const message = body.message ?? {
        id: Number(headers.get('X-Message-Id')),
        time: headers.get('X-Message-Time'),
        content,
        sender_id: person,
        client_id,
      };
      if (message.id) sent(Number(chat), message);
    },
    judge: (error, failures) => {
      if (error instanceof ApiError) {
        if (error.status === 401) {
          ended();
          return { ended: true };
        }
        return error.passing ? { retryAfter: error.retryAfter } : { refused: explain(error) };
      }
      if (error instanceof Unreachable) unanswered();
      else console.error(error);
      return { retryAfter: null, inDoubt: error instanceof Unreachable && failures === 0 };
    },
  });
}
