// Where the server is: what is under this folder's parent, which a proxy may serve under a prefix.

export const BASE = new URL('..', import.meta.url);

/** The address of a path of the server, such as `/api/chats`. */
export const at = (path) => new URL(path.replace(/^\/+/u, ''), BASE).href;
