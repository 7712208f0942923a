// What the server can do so far: what it cannot is not offered.

export const has = { reactions: true, reads: false, typing: false, people: false, invites: false, search: false, export: false };
