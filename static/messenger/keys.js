// The keys of the page, and how a text gets its form, in a panel that a question mark opens.
import { $, h } from '../shared/dom.js';
import { isWriting } from './finding.js';
import { drawExamples } from './formatting.js';
import { openSheet } from './sheet.js';

/** @type {[string, [string[], string][]][]} */
const KEYS = [
  [
    'Anywhere',
    [
      [['Alt', '↑'], 'The chat before'],
      [['Alt', '↓'], 'The chat after'],
      [['Alt', 'Shift', '↓'], 'The next chat with something unread'],
      [['Ctrl', 'K'], 'Find a chat or a message; also /'],
      [['?'], 'These keys'],
    ],
  ],
  [
    'In the list of chats',
    [
      [['↑'], 'The one before, from the box that finds'],
      [['↓'], 'The one after'],
      [['Enter'], 'Open it; in the box, the first'],
      [['Shift', 'F10'], 'Its menu: read, pin, mute, copy its link'],
    ],
  ],
  [
    'In the box for a message',
    [
      [['Enter'], 'Send'],
      [['Shift', 'Enter'], 'Begin a new line'],
      [['↑'], 'Change my last message, in the empty box'],
      [['Escape'], 'Give up a reply or a change'],
      [['Ctrl', 'B'], 'Bold'],
      [['Ctrl', 'I'], 'Italic'],
      [['Ctrl', 'E'], 'Code'],
      [['Alt', 'P'], 'See it as it will be seen'],
      [['@'], 'Complete a name'],
      [['#'], 'Complete a chat, as a link to it'],
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
      [['f'], 'Forward to another chat'],
      [['q'], 'Go to what it answers'],
      [['d'], 'Go to a day'],
      [['Delete'], 'Delete'],
    ],
  ],
];

export function openKeys() {
  const sheet = openSheet('Keys and formatting');
  const section = (/** @type {string} */ title, /** @type {HTMLElement[]} */ rows) =>
    h('section', { class: 'choice' }, h('h3', {}, title), h('dl', { class: 'keys' }, rows));
  const row = (/** @type {string[]} */ combination, /** @type {string} */ does) =>
    h('div', {}, h('dt', {}, ...combination.map((key) => h('kbd', {}, key))), h('dd', {}, does));
  sheet.body.append(
    section('What you write', drawExamples()),
    ...KEYS.map(([where, keys]) =>
      section(
        where,
        keys.map(([combination, does]) => row(combination, does)),
      ),
    ),
  );
}

export function wireKeys() {
  $('keys-open').addEventListener('click', () => openKeys());
  document.addEventListener('keydown', (event) => {
    if (event.key !== '?' || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    if (isWriting(event)) return;
    event.preventDefault();
    openKeys();
  });
}
