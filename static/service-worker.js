// Shows the messenger where no server can be reached, so that one sees what still waits to be sent. It keeps the page and
// its scripts, and never an answer of the API. With a server it is out of the way: everything is asked for anew, and what
// is kept stands in only for what does not come.

/** The service worker's own global object. @type {any} */
const worker = self;
const HERE = new URL('./', location.href);
/** Storage belongs to a whole host, which may serve several of these under different prefixes. */
const PREFIX = `parlance-shell ${HERE.pathname} `;
/** A network that takes longer is as good as none. */
const TIMEOUT = 8_000;

/** All that the page is made of, and what it needs soon after. */
const SHELL = [
  './',
  'icon.svg',
  'icons/192.png',
  'manifest.webmanifest',
  'messenger/account.js',
  'messenger/badge.js',
  'messenger/chat-details.js',
  'messenger/chat-entry.js',
  'messenger/chat-header.js',
  'messenger/chat-history.js',
  'messenger/chat-lines.js',
  'messenger/chat-list.js',
  'messenger/chat-menu.js',
  'messenger/chat-poll.js',
  'messenger/chat-settings.js',
  'messenger/chat-view.js',
  'messenger/completion.js',
  'messenger/composer.js',
  'messenger/day-jump.js',
  'messenger/dialogs.js',
  'messenger/drafts-list.js',
  'messenger/emoji-picker.js',
  'messenger/emoji.js',
  'messenger/error-text.js',
  'messenger/face.js',
  'messenger/feed.js',
  'messenger/finding.js',
  'messenger/formatting.js',
  'messenger/forward.js',
  'messenger/found-words.js',
  'messenger/holding.js',
  'messenger/invite-list.js',
  'messenger/keys.js',
  'messenger/levels.js',
  'messenger/main.js',
  'messenger/markdown.js',
  'messenger/member-list.js',
  'messenger/members.js',
  'messenger/membership.js',
  'messenger/menu.js',
  'messenger/message-actions.js',
  'messenger/message-body.js',
  'messenger/message-list.js',
  'messenger/message-tools.js',
  'messenger/messages.css',
  'messenger/model.js',
  'messenger/nameable.js',
  'messenger/notification-settings.js',
  'messenger/notifications.js',
  'messenger/offline.js',
  'messenger/outbox.js',
  'messenger/overlays.js',
  'messenger/panels.css',
  'messenger/password-again.js',
  'messenger/people-picker.js',
  'messenger/people.js',
  'messenger/person-card.js',
  'messenger/places.js',
  'messenger/presence-reader.js',
  'messenger/presence.js',
  'messenger/preview.js',
  'messenger/profile.js',
  'messenger/quoting.js',
  'messenger/reactors.js',
  'messenger/read-marks.js',
  'messenger/readers.js',
  'messenger/reading-place.js',
  'messenger/room.js',
  'messenger/search.js',
  'messenger/second-factor.js',
  'messenger/sheet.js',
  'messenger/sign-in.js',
  'messenger/sound.js',
  'messenger/virtual-list.js',
  'parlance-socket.js',
  'shared/api.js',
  'shared/backoff.js',
  'shared/chat-row.js',
  'shared/clipboard.js',
  'shared/composer.js',
  'shared/confirm.js',
  'shared/connection-status.js',
  'shared/dom.js',
  'shared/drafts.js',
  'shared/error-text.js',
  'shared/format.js',
  'shared/ids.js',
  'shared/message-view.js',
  'shared/outbox.js',
  'shared/server.js',
  'shared/storage.js',
  'shared/style.css',
  'shared/theme.js',
  'vendor/emoji.txt',
  'vendor/markdown-it.js',
];
const KEPT = new Set(SHELL.map((path) => new URL(path, HERE).href));

/** Pages that were opened from what is kept: they go on with it, so that no page is made of two versions. @type {Set<string>} */
const fromKept = new Set();

worker.addEventListener('install', (/** @type {any} */ event) => event.waitUntil(renew().then(() => worker.skipWaiting())));
worker.addEventListener('activate', (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener('message', (/** @type {any} */ event) => {
  if (event.data?.renew) event.waitUntil(renew().catch(() => {}));
});

/** Keeps everything as it is now, in place of what was kept; or nothing, when a part of it does not come. */
async function renew() {
  const name = PREFIX + Date.now();
  const cache = await caches.open(name);
  try {
    await Promise.all(
      [...KEPT].map(async (address) => {
        const answer = await fetch(address, { cache: 'no-cache' });
        if (!answer.ok || answer.redirected) throw new Error(`${address}: ${answer.status}`);
        await cache.put(address, answer);
      }),
    );
  } catch (error) {
    await caches.delete(name);
    throw error;
  }
  const names = await caches.keys();
  await Promise.all(names.filter((each) => each.startsWith(PREFIX) && each !== name).map((each) => caches.delete(each)));
}

worker.addEventListener('fetch', (/** @type {any} */ event) => {
  const { request } = event;
  const address = new URL(request.url);
  address.hash = '';
  address.search = '';
  if (address.pathname === `${HERE.pathname}index.html`) address.pathname = HERE.pathname;
  if (request.method !== 'GET' || !KEPT.has(address.href)) return;
  event.respondWith(respond(event, address.href));
});

/**
 * @param {any} event
 * @param {string} address
 * @returns {Promise<Response>}
 */
async function respond(event, address) {
  const kept = () => findKept(address);
  if (fromKept.has(event.clientId)) return (await kept()) ?? fetch(event.request);
  try {
    const fresh = await fetch(event.request, { signal: AbortSignal.timeout(TIMEOUT) });
    // A proxy in front of a server that is away answers for it.
    if (fresh.status < 500) return fresh;
    return (await remembered(event, kept)) ?? fresh;
  } catch (error) {
    const found = await remembered(event, kept);
    if (found) return found;
    throw error;
  }
}

/**
 * @param {any} event
 * @param {() => Promise<Response | undefined>} kept
 */
async function remembered(event, kept) {
  const found = await kept();
  if (found && event.resultingClientId) fromKept.add(event.resultingClientId);
  return found;
}

/** @param {string} address */
async function findKept(address) {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX)).sort();
  for (const name of names.reverse()) {
    const found = await (await caches.open(name)).match(address);
    if (found) return found;
  }
  return undefined;
}

worker.addEventListener('notificationclick', (/** @type {any} */ event) => {
  event.notification.close();
  event.waitUntil(openPage(event.notification.data ?? {}));
});

/** @param {{chat?: number, address?: string}} data */
async function openPage({ chat, address }) {
  const pages = await worker.clients.matchAll({ type: 'window' });
  const page = pages.find((/** @type {any} */ each) => new URL(each.url).pathname === HERE.pathname);
  if (!page) {
    await worker.clients.openWindow(address ?? HERE.href);
    return;
  }
  await page.focus();
  page.postMessage({ open: chat });
}
