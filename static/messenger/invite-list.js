// The invitations to a chat: making a link, copying it, taking it back.
import { call, get, post } from '../shared/api.js';
import { busy, h, keepingPlace, setText } from '../shared/dom.js';
import { inFull, plural } from '../shared/format.js';
import { at } from '../shared/server.js';
import { copyText } from '../shared/clipboard.js';
import { explain } from './error-text.js';
import { labelled } from './sheet.js';

/** @typedef {{id: number, prefix: string, expires_at: string, uses_left: number | null}} Invite */

const DAY = 86_400;
const TERMS = [
  ['For a day', DAY],
  ['For a week', 7 * DAY],
  ['For a month', 30 * DAY],
];

export class InviteList {
  /** @param {number} chat */
  constructor(chat) {
    this.chat = chat;
    this.list = h('ul', { class: 'logins' });
    this.note = h('p', { class: 'hint', role: 'status' });
    this.term = h(
      'select',
      { name: 'expires' },
      ...TERMS.map(([name, seconds]) => h('option', { value: seconds, selected: seconds === 7 * DAY }, String(name))),
    );
    this.uses = h(
      'select',
      { name: 'uses' },
      h('option', { value: '' }, 'Any number'),
      h('option', { value: '1' }, 'One person'),
      h('option', { value: '10' }, 'Ten people'),
    );
    this.link = h('input', { type: 'text', readonly: true, 'aria-label': 'The link', onfocus: () => this.link.select() });
    this.copy = h('button', { class: 'button', type: 'button', onclick: () => this.copyLink() }, 'Copy link');
    this.made = h('div', { class: 'invite-made', hidden: true }, this.link, this.copy);
    const make = h('button', { class: 'button small', type: 'button', onclick: () => busy(make, () => this.make()) }, 'Make a link');
    this.heading = h('h3', { tabindex: '-1' }, 'Invite by a link');
    this.element = h(
      'section',
      { class: 'choice stack', 'aria-label': 'Invitations' },
      this.heading,
      h('p', { class: 'hint' }, 'Who has the link can join, and make an account if they have none.'),
      h('div', { class: 'invite-terms' }, labelled('Valid', this.term), labelled('For how many', this.uses), make),
      this.made,
      this.note,
      this.list,
    );
    this.read();
  }

  async read() {
    try {
      const { body } = await get(`/api/chats/${this.chat}/invites?limit=50`);
      const rows = body.invites.map((/** @type {Invite} */ invite) => this.row(invite));
      keepingPlace(this.list, this.heading, () => this.list.replaceChildren(...rows));
    } catch (error) {
      setText(this.note, explain(error));
    }
  }

  /** @param {Invite} invite */
  row({ id, prefix, expires_at: end, uses_left: left }) {
    const end_ = h('button', { class: 'button small', type: 'button', onclick: () => busy(end_, () => this.end(id)) }, 'End it');
    const uses = left === null ? 'for any number of people' : `for ${plural(left, 'more person', 'more people')}`;
    return h(
      'li',
      { class: 'login' },
      h('div', {}, h('p', { class: 'login-name' }, `${prefix}…`), h('p', { class: 'hint' }, `Until ${inFull(end)}, ${uses}`)),
      end_,
    );
  }

  async make() {
    setText(this.note, '');
    try {
      const { body } = await post(`/api/chats/${this.chat}/invites`, { expires: this.term.value, ...(this.uses.value && { uses: this.uses.value }) });
      this.link.value = at(body.url);
      this.made.hidden = false;
      await this.copyLink();
      await this.read();
      for (const part of [this.note, this.made]) part.scrollIntoView({ block: 'nearest' });
    } catch (error) {
      setText(this.note, explain(error));
    }
  }

  async copyLink() {
    const copied = await copyText(this.link.value);
    if (!copied) this.link.select();
    setText(this.note, copied ? 'The link is copied. It is shown this once.' : 'Copy the link from the field above.');
  }

  /** @param {number} id */
  async end(id) {
    try {
      await call('DELETE', `/api/chats/${this.chat}/invites/${id}`);
      await this.read();
      setText(this.note, 'That link opens nothing any more.');
    } catch (error) {
      setText(this.note, explain(error));
    }
  }
}
