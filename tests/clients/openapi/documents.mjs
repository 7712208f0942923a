// The programs for socket.io-client 4 that the documents show, written into generated/documents to be compiled with the
// types that the server has: `tsc --project documents.json` does that. Run in this folder.

import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';

const ROOT = '../../..';
/** Which API's types a document's programs take. */
const APIS = {
  'README.md': 'embed',
  'docs/embed.md': 'embed',
  'docs/service.md': 'service',
  'docs/socketio.md': 'support',
  'docs/support.md': 'support',
  'docs/guides/embedded-chat.md': 'embed',
  'docs/guides/phone-app.md': 'service',
  'docs/guides/socketio-2-to-4.md': 'support',
};
const IMPORT = 'import { io } from "socket.io-client";';

/** A document's programs: blocks of JavaScript, and files that its commands write. */
function programs(text) {
  const blocks = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
  const files = [...text.matchAll(/<<'JS'\n(.*?)^JS$/gms)].map(([, code]) => code);
  // What imports the client under another name is one of version 2.
  return [...blocks, ...files].filter((code) => /= io\(/.test(code) && !/from "socket\.io-client-/.test(code));
}

const pages = ['README.md'];
for (const folder of ['docs', 'docs/guides']) {
  const names = await readdir(`${ROOT}/${folder}`);
  pages.push(...names.filter((name) => name.endsWith('.md')).map((name) => `${folder}/${name}`));
}
await mkdir('generated/documents', { recursive: true });
const found = new Set();
for (const page of pages) {
  const text = await readFile(`${ROOT}/${page}`, 'utf8');
  for (const [number, code] of programs(text).entries()) {
    const api = APIS[page];
    if (!api) throw new Error(`${page} shows a program: of which API?`);
    found.add(page);
    const typed = code.replace(/^const (\w+) = io\(/gm, `/** @type {import('../types/${api}.js').ParlanceSocket} */\n$&`);
    const whole = code.includes(IMPORT) ? typed : `${IMPORT}\n${typed}`;
    const name = page.replace(/\.md$/, '').replaceAll('/', '-').toLowerCase();
    await writeFile(`generated/documents/${name}-${number}.mjs`, whole);
  }
}
const missing = Object.keys(APIS).filter((page) => !found.has(page));
if (missing.length > 0) throw new Error(`no program was found in ${missing}`);
