// The server's base address, which may have a path prefix behind a proxy.

export const BASE = new URL('..', import.meta.url);

/** The address of a path of the server, such as `/api/chats`. @param {string} path */
export const at = (path) => new URL(path.replace(/^\/+/u, ''), BASE).href;

/** Browser storage is shared by an origin, which may serve several servers under different prefixes. */
const SCOPE = BASE.pathname === '/' ? '' : `${BASE.pathname} `;

/** The storage key of this server's pages for a name. @param {string} name */
export const scoped = (name) => SCOPE + name;
