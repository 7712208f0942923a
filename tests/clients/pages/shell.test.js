// What the service worker keeps is all that the messenger's page is made of.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const STATIC = new URL('../../../static/', import.meta.url);
const text = (address) => readFileSync(address, 'utf8');

/** All modules that a module needs, itself among them. */
function modules(address, found = new Set()) {
  if (found.has(address.href)) return found;
  found.add(address.href);
  for (const [, path] of text(address).matchAll(/(?:from|import) '(\.[^']+)'/gu)) modules(new URL(path, address), found);
  return found;
}

test('the service worker keeps the page, its styles and every module of it', () => {
  const page = text(new URL('index.html', STATIC));
  const needed = new Set(['./', 'icons/192.png', 'vendor/emoji.txt']);
  for (const [, path] of page.matchAll(/<(?:link|script)[^>]+(?:href|src)="([^"]+)"/gu)) {
    const address = new URL(path, STATIC);
    const all = path.endsWith('.js') ? modules(address) : [address.href];
    for (const each of all) needed.add(each.slice(STATIC.href.length));
  }
  const worker = text(new URL('service-worker.js', STATIC));
  const list = /const SHELL = \[([^\]]*)\]/u.exec(worker)?.[1] ?? '';
  const kept = [...list.matchAll(/'([^']+)'/gu)].map(([, path]) => path);
  assert.deepEqual(kept, [...needed].sort(), 'the list in static/service-worker.js');
});
