// Sets up a site with three owners and a guest, by what anybody may ask of this server.
import { ApiError, call } from '../shared/api.js';
import { randomId } from '../shared/ids.js';
import { BASE } from '../shared/server.js';

/**
 * @typedef {object} Member somebody in the chat
 * @property {number} id
 * @property {string} name
 * @property {string} token
 */

/**
 * @typedef {object} Demo
 * @property {number} chat the chat's number; some APIs write it in hexadecimal digits
 * @property {Member} ann an owner, who has a personal access token
 * @property {Member} bo another owner
 * @property {Member} cy and another
 * @property {Member} gus the guest
 */

/** @param {string} digits */
export const number = (digits) => Number.parseInt(digits, 16);

/** @param {number} id */
export const digits = (id) => id.toString(16).padStart(24, '0');

/** The paths that a cookie of ours is sent to: the one request that takes nothing else. */
const TOKENS = 'api/me/tokens';

/** Makes everything anew. @returns {Promise<Demo>} */
export async function setUp() {
  if (/(?:^|;\s*)__Host-user_id=/u.test(document.cookie)) {
    throw new Error('You are signed in to the messenger in this browser. Open this page in a private window, where nobody is.');
  }
  const domain = `${randomId(6)}.together.example`;
  const ann = await owner('Ann', domain);
  const bo = await owner('Bo', domain, ann.token);
  const cy = await owner('Cy', domain, ann.token);
  const opened = await event('getNewChat', { name: 'Gus', email: `gus@${domain}`, domain });
  return {
    chat: number(opened.chatId),
    ann: { ...ann, token: await accessToken(ann) },
    bo,
    cy,
    gus: { id: number(opened.guestId), name: 'Gus', token: opened.guestToken },
  };
}

/**
 * Registers an owner, a colleague of whose token is shown, and signs them in.
 * @param {string} name
 * @param {string} domain
 * @param {string} [token]
 * @returns {Promise<Member>}
 */
async function owner(name, domain, token) {
  const account = { email: `${name.toLowerCase()}@${domain}`, password: randomId() };
  await asked('owner/register', { ...account, domain, ...(token && { token }) });
  const { data } = await asked('owner/login', account);
  return { id: number(data.ownerId), name, token: data.token };
}

/**
 * A personal access token, with which the messenger's routes need no cookies. Making one takes the login's cookies: they are
 * set for that one path, so that a login to the messenger that the visitor has counts everywhere else.
 * @param {Member} member
 */
async function accessToken({ id, token }) {
  const path = `path=${new URL(TOKENS, BASE).pathname}; SameSite=Strict`;
  const set = (/** @type {string} */ more) => {
    document.cookie = `user_id=${id}; ${path}${more}`;
    document.cookie = `token=${token}; ${path}${more}`;
  };
  set('');
  try {
    const { body } = await call('POST', TOKENS, { form: { name: 'Four APIs, one chat', scopes: 'read,write', expires: '86400' } });
    return body.token;
  } finally {
    set('; max-age=0');
  }
}

/**
 * @param {string} path
 * @param {Record<string, string>} form
 */
async function asked(path, form) {
  try {
    return (await call('POST', path, { form })).body;
  } catch (error) {
    throw explained(error);
  }
}

/**
 * @param {string} name
 * @param {Record<string, string>} argument
 */
const event = async (name, argument) => (await asked(`api/events/${name}`, argument)).data;

/** A failure in the words of live support, where it has any. @param {unknown} error */
function explained(error) {
  if (!(error instanceof ApiError)) return error;
  const { data } = error.body;
  const sentence = typeof data === 'string' ? data : data?.data;
  const wait = error.retryAfter ? ` Try again in ${Math.ceil(error.retryAfter / 1000)} seconds.` : '';
  return typeof sentence === 'string' ? new Error(`The server says: ${sentence}.${wait}`) : error;
}
