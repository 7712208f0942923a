// Error texts for people: without field names and status codes.

export const UNANSWERED = 'The server is not answering. Please try again in a moment.';
export const BROKEN = 'Something went wrong on the server. Please try again.';
export const BUSY = 'The server is busy just now. Please try again in a moment.';
export const SIGNED_OUT = 'You are signed out. Please sign in again.';
export const GONE = 'That is not here any more.';
export const TOO_LONG = 'That is too long.';

/** Field names of the API, and what the pages call them. @type {[RegExp, string][]} */
const FIELDS = [
  [/^new_password\b/u, 'The new password'],
  [/^password\b/u, 'The password'],
  [/^email\b/u, 'The e-mail address'],
  [/^e-mail\b/u, 'The e-mail address'],
  [/^name\b(?! or)/u, 'The name'],
  [/^title\b/u, 'The title'],
  [/^domain\b/u, 'The domain'],
  [/^(?:content|message) must have at most .*/u, 'The message is too long'],
  [/^(?:content|message)\b/u, 'The message'],
];

/** The server's message about a field, with the name that the page shows. @param {string} text */
export function aboutField(text) {
  let named = text.trim();
  for (const [field, name] of FIELDS) named = named.replace(field, name);
  const first = named.charAt(0).toLocaleUpperCase() + named.slice(1);
  return /[.!?]$/u.test(first) ? first : `${first}.`;
}

/** @param {number | null | undefined} ms the server's Retry-After in milliseconds */
export const pleaseWait = (ms) => (ms ? ` Please wait ${Math.ceil(ms / 1000)} seconds.` : '');
