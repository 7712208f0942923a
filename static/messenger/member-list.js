// Who is in a chat: with roles, and what admins do with members.
import { call, post } from '../shared/api.js';
import { confirm } from '../shared/confirm.js';
import { h, keepingPlace, setText, show } from '../shared/dom.js';
import { drawFace } from './face.js';
import { openMenu } from './menu.js';
import { tellFault } from './membership.js';
import { pickPeople } from './people-picker.js';
import { VirtualList } from './virtual-list.js';

/** @typedef {import('./members.js').Member} Member */

const ROW_HEIGHT = 52;

export class MemberList {
  /**
   * @param {object} options
   * @param {import('./model.js').Model} options.model
   * @param {import('./members.js').Members} options.members
   * @param {number} options.chat
   * @param {(person: number, beside: HTMLElement) => void} options.person
   */
  constructor({ model, members, chat, person }) {
    this.model = model;
    this.members = members;
    this.chat = chat;
    this.person = person;
    this.list = h('ul', { class: 'member-rows' });
    this.scroll = h('div', { class: 'member-scroll' }, this.list);
    this.note = h('p', { class: 'hint', role: 'status' }, 'Loading…');
    this.add = h('button', { class: 'button small', type: 'button', onclick: () => this.addPeople() }, 'Add people');
    this.heading = h('h3', { tabindex: '-1' }, 'Members');
    this.element = h('section', { class: 'choice', 'aria-label': 'Members' }, h('div', { class: 'row-split' }, this.heading, this.add), this.note, this.scroll);
    this.rows = new VirtualList({ list: this.list, scroll: this.scroll, height: ROW_HEIGHT });
    this.read();
  }

  get entry() {
    return this.model.chats.get(this.chat);
  }

  get governs() {
    return this.entry?.role === 'admin' && !this.entry.direct;
  }

  async read() {
    try {
      await this.members.of(this.chat);
      setText(this.note, '');
      this.render();
    } catch {
      setText(this.note, 'The members cannot be loaded just now.');
    }
  }

  render() {
    show(this.add, Boolean(this.governs));
    const all = this.members.known(this.chat);
    show(this.note, this.note.textContent !== '');
    this.scroll.style.maxHeight = all.length > 7 ? '' : 'none';
    keepingPlace(this.list, this.heading, () => this.rows.render(all.length, (index) => this.row(all[index])));
  }

  /** @param {Member} member */
  row(member) {
    const { id, name, photo, role } = member;
    const online = this.model.presence.isOnline(id) ?? undefined;
    const mine = id === this.model.me.id;
    const make = () => {
      const name_ = h('button', { class: 'member-name', type: 'button', dir: 'auto', title: name }, mine ? `${name} (you)` : name);
      name_.addEventListener('click', () => this.person(id, name_));
      const more = h('button', { class: 'button small quiet', type: 'button', 'aria-label': `What to do with ${name}` }, '⋯');
      more.addEventListener('click', () => this.menu(member, more));
      return h(
        'li',
        { class: 'member' },
        drawFace({ id, name, photo, online, small: true }),
        name_,
        online ? h('span', { class: 'sr-only' }, 'here now') : null,
        role === 'admin' && !this.entry?.direct ? h('span', { class: 'tag' }, 'Admin') : null,
        this.governs && !mine ? more : null,
      );
    };
    return { key: String(id), print: JSON.stringify([name, photo, role, online, this.governs]), make };
  }

  /**
   * @param {Member} member
   * @param {HTMLElement} beside
   */
  menu(member, beside) {
    const admin = member.role === 'admin';
    openMenu(
      [
        { text: admin ? 'Make a member again' : 'Make an admin', act: () => this.promote(member, admin ? 'member' : 'admin') },
        null,
        { text: 'Remove from this chat', act: () => this.remove(member), danger: true },
      ],
      { beside, label: member.name },
    );
  }

  /**
   * @param {Member} member
   * @param {string} role
   */
  async promote({ id }, role) {
    try {
      await call('PATCH', `/api/chats/${this.chat}/members/${id}`, { form: { role } });
      this.model.members.get(this.chat)?.set(id, role);
      this.render();
    } catch (error) {
      await tellFault(error);
    }
  }

  /** @param {Member} member */
  async remove({ id, name }) {
    const text = 'They hear nothing more of it at once, and come back only when somebody adds them.';
    if (!(await confirm({ title: `Remove ${name}?`, text, yes: 'Remove' }))) return;
    try {
      await call('DELETE', `/api/chats/${this.chat}/members/${id}`);
    } catch (error) {
      await tellFault(error);
    }
  }

  async addPeople() {
    const known = this.model.members.get(this.chat) ?? new Map();
    const people = await pickPeople({ title: 'Add people', button: 'Add', except: (id) => known.has(id) });
    if (people.length === 0) return;
    this.model.addPeople(people);
    try {
      await post(`/api/chats/${this.chat}/members`, { members: people.map(({ id }) => id).join(',') });
    } catch (error) {
      await tellFault(error);
    }
  }
}
