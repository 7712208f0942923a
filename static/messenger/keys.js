// The keys of the page, in a panel that a question mark opens.
import { $, h } from '../shared/dom.js';
import { openSheet } from './sheet.js';

/** @type {[string, [string[], string][]][]} */
const KEYS = [
  [
    'Anywhere',
    [
      [['Alt', '↑'], 'The chat before'],
      [['Alt', '↓'], 'The chat after'],
      [['?'], 'These keys'],
    ],
  ],
  [
    'In the box for a message',
    [
      [['Enter'], 'Send'],
      [['Shift', 'Enter'], 'Begin a new line'],
      [['↑'], 'Change my last message, in the empty box'],
      [['Escape'], 'Give up an answer or a change'],
      [['@'], 'Complete a name'],
      [[':'], 'Complete an emoji'],
    ],
  ],
  [
    'On a message',
    [
      [['↑'], 'The message before'],
      [['↓'], 'The message after'],
      [['Enter'], 'Its menu'],
      [['r'], 'Reply'],
      [['+'], 'React'],
      [['e'], 'Edit'],
      [['c'], 'Copy'],
      [['Delete'], 'Delete'],
    ],
  ],
];

export function openKeys() {
  const sheet = openSheet('Keys');
  sheet.body.append(
    ...KEYS.map(([where, keys]) =>
      h(
        'section',
        { class: 'choice' },
        h('h3', {}, where),
        h(
          'dl',
          { class: 'keys' },
          ...keys.map(([combination, does]) => h('div', {}, h('dt', {}, ...combination.map((key) => h('kbd', {}, key))), h('dd', {}, does))),
        ),
      ),
    ),
  );
}

export function wireKeys() {
  $('keys-open').addEventListener('click', () => openKeys());
  document.addEventListener('keydown', (event) => {
    if (event.key !== '?' || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    if (event.target instanceof Element && event.target.closest('input, textarea, select, [contenteditable]')) return;
    event.preventDefault();
    openKeys();
  });
}
