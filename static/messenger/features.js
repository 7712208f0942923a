// What the server can do so far: what it cannot is not offered.

export const has = { reactions: true, reads: false, typing: false, people: true, invites: true, search: true, export: false };
