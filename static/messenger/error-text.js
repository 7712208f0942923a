// What an error of the messenger's API means to people.
import { ApiError } from '../shared/api.js';
import { BROKEN, BUSY, GONE, SIGNED_OUT, TOO_LONG, UNANSWERED, aboutField, pleaseWait } from '../shared/error-text.js';

/**
 * Codes whose sentences are for programs; the others' name a field that people filled in.
 * @type {Record<string, string>}
 */
const SENTENCES = {
  csrf_rejected: 'The server takes this page for one of another site. Its operator has to check the proxy.',
  unauthenticated: SIGNED_OUT,
  not_found: GONE,
  too_large: TOO_LONG,
  unsupported_type: BROKEN,
  method_not_allowed: BROKEN,
  bad_cursor: BROKEN,
  gone: BROKEN,
  idempotency_mismatch: BROKEN,
  internal: BROKEN,
  busy: BUSY,
  shutting_down: BUSY,
};

/** @param {unknown} error */
export function explain(error) {
  if (!(error instanceof ApiError)) return UNANSWERED;
  if (Object.hasOwn(SENTENCES, error.code)) return SENTENCES[error.code];
  // A proxy's own answer has no code, and its text is for programs.
  if (error.code === '') return error.passing ? BUSY : BROKEN;
  return aboutField(error.message) + (error.status === 429 ? pleaseWait(error.retryAfter) : '');
}
