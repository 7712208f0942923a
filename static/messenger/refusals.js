// What a request that went wrong means to people, who know neither fields nor codes.
import { Refusal } from './api.js';

const UNANSWERED = 'The server is not answering. Please try again in a moment.';
const BROKEN = 'Something went wrong on the server. Please try again.';
const BUSY = 'The server is busy just now. Please try again in a moment.';

/** Codes whose sentences are for programs; the others' name a field that people filled in. */
const WORDS = {
  csrf_rejected: 'The server takes this page for one of another site. Whoever runs it has to look at its proxy.',
  unauthenticated: 'You are signed out. Please sign in again.',
  not_found: 'That is not here any more.',
  too_large: 'That is too long.',
  unsupported_type: BROKEN,
  method_not_allowed: BROKEN,
  bad_cursor: BROKEN,
  gone: BROKEN,
  idempotency_mismatch: BROKEN,
  internal: BROKEN,
  busy: BUSY,
  shutting_down: BUSY,
};

/** What the server says of fields, and what people call them. */
const FIELDS = [
  [/^new_password\b/u, 'The new password'],
  [/^password\b/u, 'The password'],
  [/^email\b/u, 'The e-mail address'],
  [/^e-mail\b/u, 'The e-mail address'],
  [/^name\b(?! or)/u, 'The name'],
  [/^title\b/u, 'The title'],
  [/^content must have at most .*/u, 'The message is too long'],
  [/^content\b/u, 'The message'],
];

export function inWords(error) {
  if (!(error instanceof Refusal)) return UNANSWERED;
  if (Object.hasOwn(WORDS, error.code)) return WORDS[error.code];
  // A proxy's own answer has no code, and its text is for programs.
  if (error.code === '') return error.passing ? BUSY : BROKEN;
  let text = error.message;
  for (const [field, name] of FIELDS) text = text.replace(field, name);
  text = sentence(text);
  if (error.status === 429 && error.retryAfter) text += ` Please wait ${Math.ceil(error.retryAfter / 1000)} seconds.`;
  return text;
}

/** The server's own words, made to look like a sentence. */
function sentence(text) {
  const trimmed = text.trim();
  const first = trimmed.charAt(0).toLocaleUpperCase() + trimmed.slice(1);
  return /[.!?]$/u.test(first) ? first : `${first}.`;
}
