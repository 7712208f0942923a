// What is seen before the server answers: where it is not reached, the messages that wait in this browser.
import { cookiePerson } from '../shared/api.js';
import { $, h, show } from '../shared/dom.js';
import { briefly, plural } from '../shared/format.js';
import { BASE, scoped } from '../shared/server.js';
import { keys, read } from '../shared/storage.js';

/** @typedef {import('../shared/outbox.js').Entry} Entry */

/** So many are shown one by one. */
const SHOWN = 20;

/** Shows what waits to be sent, as far as this browser knows whose it is. */
export function showWaiting() {
  const person = cookiePerson();
  const kept = person === null ? [] : keys(`${scoped(`parlance.outbox.${person}`)} `).map((key) => /** @type {Entry | null} */ (read(key, null)));
  const entries = kept.filter((entry) => entry !== null).sort((a, b) => a.order - b.order);
  const list = $('boot-waiting');
  show(list, entries.length > 0);
  if (entries.length === 0) return;
  const rest = entries.length - SHOWN;
  list.replaceChildren(
    h('h2', {}, plural(entries.length, 'message waits', 'messages wait')),
    h('p', { class: 'hint' }, 'Kept in this browser. They go out by themselves when the server is reached.'),
    h('ul', {}, entries.slice(0, SHOWN).map(drawEntry)),
    rest > 0 ? h('p', { class: 'hint' }, `And ${rest} more.`) : '',
  );
}

/** @param {Entry} entry */
function drawEntry({ content, written, title, refused }) {
  return h(
    'li',
    { class: 'waiting-entry' },
    h('p', { class: 'hint' }, [title, briefly(written), refused ? 'was refused' : null].filter(Boolean).join(' · ')),
    h('p', { class: 'waiting-words', dir: 'auto' }, content.slice(0, 300)),
  );
}

/** Lets the browser keep the page itself, for times without a network. */
export async function keepPage() {
  const workers = navigator.serviceWorker;
  if (!workers) return;
  const known = Boolean(workers.controller);
  try {
    await workers.register(new URL('service-worker.js', BASE), { updateViaCache: 'none' });
    // What a worker keeps that was there before may be older than this page.
    if (known) workers.controller?.postMessage({ renew: true });
  } catch (error) {
    // Without it all is as before, but for times without a network.
    console.info('The page is not kept for times without a network:', error);
  }
}
