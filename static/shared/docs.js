// The documentation's code: with the address of this server, and to be copied.
import { copyText } from './clipboard.js';
import { h, setText } from './dom.js';

/** What the documents call the server. */
const WRITTEN = 'http://127.0.0.1:8000';
/** Where it is for this reader: a proxy may have another name, or put it below a folder. */
const HERE = new URL('..', import.meta.url).href.replace(/\/$/u, '');

/** @param {Element} code */
function place(code) {
  const text = code.textContent ?? '';
  if (text.includes(WRITTEN)) setText(code, text.replaceAll(WRITTEN, HERE));
}

/**
 * What of a block is typed.
 * @param {Element} code
 */
function typed(code) {
  const text = code.textContent ?? '';
  return code.classList.contains('language-console') ? text.replace(/^\$ /gmu, '') : text;
}

/** @param {HTMLPreElement} block */
function copyable(block) {
  const code = block.firstElementChild ?? block;
  const button = h('button', { type: 'button', class: 'button small copy', onclick: copy }, 'Copy');
  async function copy() {
    setText(button, (await copyText(typed(code))) ? 'Copied' : 'Not copied');
    setTimeout(() => setText(button, 'Copy'), 2000);
  }
  const frame = h('div', { class: 'copyable' });
  block.replaceWith(frame);
  frame.append(block, button);
}

for (const code of document.querySelectorAll('main code')) place(code);
for (const block of document.querySelectorAll('pre')) copyable(block);
