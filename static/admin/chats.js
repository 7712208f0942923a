// Chats: finding and deleting them, and taking messages down.
import { call, get } from '../shared/api.js';
import { confirm } from '../shared/confirm.js';
import { h, input } from '../shared/dom.js';
import { briefly, plural } from '../shared/format.js';
import { closeDetails, facts, openDetails, runInDetails, when } from './details.js';

/**
 * @typedef {object} Chat
 * @property {number} id
 * @property {string | null} title
 * @property {'open' | 'private' | 'direct'} kind
 * @property {{id: number, name: string}} created_by
 * @property {string} created_at
 * @property {number} members_count
 * @property {number} messages
 * @property {{id: number, name: string, role: string}[]} [members]
 */

/** How many of an open chat's messages are shown, to choose one. */
const SHOWN = 20;
const KINDS = { open: 'Open', private: 'Private', direct: 'Direct' };

/** @param {Chat} chat */
const nameOf = (chat) => chat.title ?? `Direct chat ${chat.id}`;

/** @type {import('./section.js').Section} */
export const chatsSection = {
  title: 'Chats',
  lead: 'All chats, with who is in them. What is said in a private chat only its members can read.',
  path: '/api/admin/chats',
  key: 'chats',
  finder: 'Find chats by title',
  empty: 'There are no chats yet.',
  row: (chat, view) =>
    h(
      'li',
      { class: 'row' },
      h(
        'div',
        { class: 'row-words' },
        h('p', { class: 'row-title', dir: 'auto' }, nameOf(chat), h('span', { class: 'tag' }, KINDS[/** @type {Chat['kind']} */ (chat.kind)] ?? chat.kind)),
        h(
          'p',
          { class: 'row-sub' },
          [
            plural(chat.members_count, 'member', 'members'),
            plural(chat.messages, 'message', 'messages'),
            `by ${chat.created_by.name}, ${briefly(chat.created_at)}`,
          ].join(' · '),
        ),
      ),
      h('button', { class: 'button small', type: 'button', 'aria-label': `Open ${nameOf(chat)}`, onclick: () => enter(chat.id, view) }, 'Open'),
    ),
};

/**
 * @param {number} id
 * @param {import('./section.js').SectionView} view
 */
async function enter(id, view) {
  try {
    await open(id, view);
  } catch (error) {
    view.failed(error);
  }
}

/**
 * @param {number} id
 * @param {import('./section.js').SectionView} view
 */
async function open(id, view) {
  const { body: chat } = await get(`/api/admin/chats/${id}`);
  const again = () => open(id, view);
  const members = h('ul', { class: 'rows details-list', 'aria-label': 'Members', tabindex: '0' }, ...(chat.members ?? []).map(member));
  const body = [
    facts([
      ['Number', String(chat.id)],
      ['Kind', KINDS[/** @type {Chat['kind']} */ (chat.kind)]],
      ['Made by', `${chat.created_by.name}, ${when(chat.created_at)}`],
      ['Messages', String(chat.messages)],
      ['Members', String(chat.members_count)],
    ]),
    ...(chat.members_count > 0 ? [members] : []),
    ...(chat.kind === 'open' ? await messages(chat, again) : []),
    takeDownForm(chat, again),
  ];
  const remove = { label: 'Delete chat', kind: /** @type {const} */ ('danger'), work: () => removeChat(chat, view) };
  openDetails({ title: nameOf(chat), body, actions: [remove] }, { again: async () => {} });
}

/** @param {{id: number, name: string, role: string}} member */
const member = ({ id, name, role }) =>
  h(
    'li',
    { class: 'row' },
    h('div', { class: 'row-words' }, h('p', { class: 'row-title', dir: 'auto' }, name), h('p', { class: 'row-sub' }, `number ${id}`)),
    role === 'admin' ? h('span', { class: 'tag' }, 'Admin') : null,
  );

/**
 * The newest messages of a chat that anybody here may read.
 * @param {Chat} chat
 * @param {() => Promise<void>} again
 */
async function messages(chat, again) {
  const { body } = await get(`/api/chats/${chat.id}?limit=${SHOWN}`);
  const names = new Map((body.people ?? []).map((/** @type {any} */ person) => [person.id, person.name]));
  const standing = (body.messages ?? []).filter((/** @type {any} */ message) => !message.deleted_at).reverse();
  if (standing.length === 0) return [];
  const rows = standing.map((/** @type {any} */ message) => {
    const who = names.get(message.sender_id) ?? '';
    const button = h('button', { class: 'button small danger-quiet', type: 'button', 'aria-label': `Take down what ${who} wrote` }, 'Take down');
    button.addEventListener('click', () => runInDetails(button, () => takeDown(chat, message.id), again));
    return h(
      'li',
      { class: 'row' },
      h(
        'div',
        { class: 'row-words' },
        h('p', { dir: 'auto' }, message.content.slice(0, 200)),
        h('p', { class: 'row-sub' }, `${who}, ${briefly(message.time)}, number ${message.id}`),
      ),
      button,
    );
  });
  return [h('h3', { class: 'sub-title' }, 'Newest messages'), h('ul', { class: 'rows details-list', 'aria-label': 'Newest messages', tabindex: '0' }, ...rows)];
}

/**
 * @param {Chat} chat
 * @param {() => Promise<void>} again
 */
function takeDownForm(chat, again) {
  const form = h(
    'form',
    { class: 'inline-form', 'aria-label': 'Take a message down' },
    h(
      'div',
      { class: 'field' },
      h('label', { for: 'take-down' }, 'Take a message down, by its number'),
      h('input', { id: 'take-down', name: 'message', inputmode: 'numeric', pattern: '[0-9]+', autocomplete: 'off', required: true }),
    ),
    h('button', { class: 'button danger-quiet', type: 'submit' }, 'Take down'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const button = form.querySelector('button');
    if (button) runInDetails(button, () => takeDown(chat, Number(input(form, 'message').value)), again);
  });
  return form;
}

/**
 * @param {Chat} chat
 * @param {number} message
 */
async function takeDown(chat, message) {
  const sure = await confirm({
    title: 'Take this message down?',
    text: 'Its words are gone for everybody, and cannot be restored. Where it stood it says that it was deleted.',
    yes: 'Take down',
  });
  if (!sure) return null;
  await call('DELETE', `/api/admin/chats/${chat.id}/messages/${message}`);
  return 'The message is taken down.';
}

/**
 * @param {Chat} chat
 * @param {import('./section.js').SectionView} view
 */
async function removeChat(chat, view) {
  const sure = await confirm({
    title: `Delete ${nameOf(chat)}?`,
    text: `${plural(chat.members_count, 'member loses', 'members lose')} the chat and ${plural(chat.messages, 'message', 'messages')} at once. It cannot be restored.`,
    yes: 'Delete chat',
  });
  if (!sure) return null;
  await call('DELETE', `/api/admin/chats/${chat.id}`);
  closeDetails();
  view.tell(`${nameOf(chat)} is deleted.`);
  await view.refresh();
  return null;
}
