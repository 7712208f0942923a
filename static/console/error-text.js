// Error texts for the support API's errors, which have a status and, for invalid input, the field.
import { ApiError } from '../shared/api.js';
import { BROKEN, BUSY, GONE, SIGNED_OUT, TOO_LONG, UNANSWERED, aboutField } from '../shared/error-text.js';

/** What is not about a field. @type {Record<number, string>} */
const STATUSES = {
  401: SIGNED_OUT,
  403: 'This server does not allow that.',
  404: GONE,
  410: GONE,
  413: TOO_LONG,
  429: 'Too many attempts. Please wait a little and try again.',
};

/** What only happens to forms, by the server's own words. @type {Record<string, string>} */
const SENTENCES = {
  'Domain already taken': 'That domain is registered already.',
  'Email already taken': 'That e-mail address is registered already.',
  'this server takes no new owners': 'This server takes no new sites.',
};

/** @param {unknown} error an ApiError, or what a socket's answer was made into */
export function explain(error) {
  const { status, data, field } = details(error);
  if (!status) return UNANSWERED;
  if (Object.hasOwn(SENTENCES, data)) return SENTENCES[data];
  if (Object.hasOwn(STATUSES, status)) return STATUSES[status];
  if (status >= 500) return BUSY;
  return status === 400 && field ? aboutField(data) : BROKEN;
}

/** @param {unknown} error */
function details(error) {
  if (error instanceof ApiError) {
    const { data, validation } = error.body;
    return { status: error.status, data: String(data ?? ''), field: validation?.keys?.[0] };
  }
  const { status, message, field } = /** @type {import('./support-store.js').Problem} */ (error);
  return { status, data: message, field };
}
