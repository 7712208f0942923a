// Where the server is: what is under this folder's parent, which a proxy may serve under a prefix.

export const BASE = new URL('..', import.meta.url);

/** The address of a path of the server, such as `/api/chats`. @param {string} path */
export const at = (path) => new URL(path.replace(/^\/+/u, ''), BASE).href;

/** Storage belongs to a whole host, which may serve several of these under different prefixes. */
const SCOPE = BASE.pathname === '/' ? '' : `${BASE.pathname} `;

/** The name under which this server's pages keep something in the browser. @param {string} name */
export const scoped = (name) => SCOPE + name;
