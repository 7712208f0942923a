// All about the open chat: what it is, how it calls for attention, who is in it, and the ways in and out.
import { call } from '../shared/api.js';
import { confirm } from '../shared/confirm.js';
import { busy, firstFault, formError, h, keepingFocus, setText } from '../shared/dom.js';
import { inFull, plural } from '../shared/format.js';
import { setForMe } from './chat-settings.js';
import { explain } from './error-text.js';
import { InviteList } from './invite-list.js';
import { levelOf, tomorrow } from './levels.js';
import { MemberList } from './member-list.js';
import { tellFault } from './membership.js';
import { errorLine, labelled, openSheet } from './sheet.js';

/** @typedef {import('./model.js').Chat} Chat */

const HOUR = 3_600_000;
const LEVELS = /** @type {const} */ ([
  ['all', 'All messages'],
  ['mentions', 'Mentions'],
  ['none', 'Nothing'],
]);

export class ChatDetails {
  /**
   * @param {object} options
   * @param {import('./model.js').Model} options.model
   * @param {import('./members.js').Members} options.members
   * @param {(id: number) => void} options.leave
   * @param {(person: number, beside: HTMLElement) => void} options.person
   */
  constructor({ model, members, leave, person }) {
    this.model = model;
    this.members = members;
    this.leave = leave;
    this.person = person;
    /** @type {ReturnType<typeof openSheet> | null} */
    this.sheet = null;
    this.chat = 0;
    // What is being written or shown once is not lost when something else of the chat changes.
    /** Where title and description are changed. @type {HTMLElement | null} */
    this.editor = null;
    /** @type {MemberList | null} */
    this.memberList = null;
    /** @type {InviteList | null} */
    this.inviteList = null;
    model.onChange(() => this.refresh());
  }

  /** @param {number} id */
  open(id) {
    this.chat = id;
    this.editor = null;
    this.memberList = null;
    this.inviteList = null;
    const chat = this.model.chats.get(id);
    if (!chat) return;
    this.sheet = openSheet(chat.title, {
      closed: () => {
        this.sheet = null;
      },
    });
    this.build(chat);
  }

  /** @param {Chat} chat */
  build(chat) {
    const governs = chat.role === 'admin' && !chat.direct;
    this.about = h('p', { class: 'dialog-text' });
    this.memberList ??= new MemberList({ model: this.model, members: this.members, chat: chat.id, person: this.person });
    this.inviteList = governs ? (this.inviteList ?? new InviteList(chat.id)) : null;
    this.builtFor = signature(chat);
    if (!governs || !isBegun(this.editor)) this.editor = governs ? this.editing(chat) : null;
    const parts = [
      this.about,
      ...(chat.member ? [this.settings(chat)] : []),
      ...(this.editor ? [this.editor] : []),
      this.memberList.element,
      ...(this.inviteList ? [this.inviteList.element] : []),
      this.ways(chat, governs),
    ];
    const body = this.sheet?.body;
    if (body) keepingFocus(body, () => body.replaceChildren(...parts));
    this.refresh();
  }

  /** Keeps what is shown as it is now. */
  refresh() {
    if (!this.sheet || !this.about) return;
    const chat = this.model.chats.get(this.chat);
    if (!chat) {
      this.sheet.close();
      return;
    }
    if (signature(chat) !== this.builtFor) {
      this.build(chat);
      return;
    }
    setText(this.sheet.heading, chat.title);
    setText(this.about, describe(chat));
    this.memberList?.render();
  }

  /** What I have set for this chat, for myself alone. @param {Chat} chat */
  settings(chat) {
    const levels = LEVELS.map(([level, name]) =>
      h(
        'label',
        {},
        h('input', { type: 'radio', name: 'level', value: level, checked: levelOf(chat) === level, onchange: () => this.set({ notify: level }) }),
        h('span', {}, name),
      ),
    );
    const pinned = h('input', { id: 'pinned-switch', type: 'checkbox', role: 'switch', class: 'switch', checked: Boolean(chat.pinned) });
    pinned.addEventListener('change', () => this.set({ pinned: String(pinned.checked) }));
    return h(
      'section',
      { class: 'choice stack', 'aria-label': 'For yourself' },
      h('fieldset', { class: 'levels' }, h('legend', {}, 'Notify me of'), h('div', { class: 'segments' }, levels)),
      this.muting(chat),
      h('div', { class: 'switch-row' }, h('label', { for: 'pinned-switch' }, 'Pin to the top of my list'), pinned),
    );
  }

  /** @param {Chat} chat */
  muting(chat) {
    const until = chat.muted_until ? Date.parse(chat.muted_until) : 0;
    const button = (/** @type {string} */ text, /** @type {number} */ end) =>
      h('button', { class: 'button small', type: 'button', onclick: () => this.set({ muted_until: end ? new Date(end).toISOString() : '' }) }, text);
    if (until > Date.now()) return h('div', { class: 'row-start' }, h('span', {}, `Muted until ${inFull(chat.muted_until ?? '')}`), button('Unmute', 0));
    return h('div', { class: 'row-start' }, h('span', {}, 'Mute'), button('for an hour', Date.now() + HOUR), button('until tomorrow', tomorrow()));
  }

  /** @param {Record<string, string>} change */
  async set(change) {
    await setForMe(this.model, this.chat, change);
  }

  /** Title and description, and who may find it. @param {Chat} chat */
  editing(chat) {
    const title = h('input', { name: 'title', required: true, maxlength: '255', value: chat.title, autocomplete: 'off', dir: 'auto' });
    const description = h('textarea', { name: 'description', rows: '3', maxlength: '1000', dir: 'auto' }, chat.description ?? '');
    const open = h('input', { id: 'open-switch', type: 'checkbox', role: 'switch', class: 'switch', checked: chat.open });
    const form = h(
      'form',
      { class: 'stack', novalidate: true },
      labelled('Title', title),
      labelled('What it is about', description),
      h('div', { class: 'switch-row' }, h('label', { for: 'open-switch' }, 'Open to everyone here'), open),
      errorLine(),
      h('div', { class: 'row-end' }, h('button', { class: 'button', type: 'submit' }, 'Save')),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const button = /** @type {HTMLElement} */ (form.querySelector('[type=submit]'));
      busy(button, () => this.save(form, chat, { title: title.value.trim(), description: description.value.trim(), open: String(open.checked) }));
    });
    return h('details', { class: 'choice fold' }, h('summary', {}, 'Title, description and who may read it'), form);
  }

  /**
   * @param {HTMLFormElement} form
   * @param {Chat} chat
   * @param {{title: string, description: string, open: string}} wanted
   */
  async save(form, chat, wanted) {
    const fault = firstFault(form);
    formError(form, fault?.text, fault?.field);
    if (fault) return;
    if (wanted.open === 'true' && !chat.open) {
      const sure = await confirm({
        title: `Open “${chat.title}” to everyone?`,
        text: 'Everybody here will find it, and read all that was ever said in it.',
        yes: 'Open it',
      });
      if (!sure) return;
    }
    const known = { title: chat.title, description: chat.description ?? '', open: String(chat.open) };
    const changes = Object.fromEntries(Object.entries(wanted).filter(([name, value]) => known[/** @type {keyof typeof known} */ (name)] !== value));
    if (Object.keys(changes).length === 0) return;
    try {
      await call('PATCH', `/api/chats/${chat.id}`, { form: changes });
      this.editor = null;
      this.model.takeDone({ id: chat.id, title: wanted.title, description: wanted.description || null, open: wanted.open === 'true' });
      const now = this.model.chats.get(chat.id);
      if (!this.sheet || !now) return;
      // The form is folded again; one goes on from its head.
      this.build(now);
      this.sheet.body.querySelector('summary')?.focus();
    } catch (error) {
      formError(form, explain(error));
    }
  }

  /**
   * @param {Chat} chat
   * @param {boolean} governs
   */
  ways(chat, governs) {
    if (!chat.member) return '';
    const leave = h('button', { class: 'button danger-quiet', type: 'button', onclick: () => this.goAway(chat.id) }, 'Leave this chat');
    const remove = h('button', { class: 'button danger-quiet', type: 'button', onclick: () => this.remove(chat) }, 'Delete for everyone');
    return h('div', { class: 'choice row-split' }, leave, governs ? remove : null);
  }

  /** @param {number} id */
  goAway(id) {
    this.sheet?.close();
    this.leave(id);
  }

  /** @param {Chat} chat */
  async remove(chat) {
    const text = 'All its messages go with it, for everybody in it. This cannot be undone.';
    if (!(await confirm({ title: `Delete “${chat.title}”?`, text, yes: 'Delete' }))) return;
    try {
      await call('DELETE', `/api/chats/${chat.id}`);
    } catch (error) {
      await tellFault(error);
      return;
    }
    this.sheet?.close();
    this.model.chats.delete(chat.id);
    this.model.changed();
    location.hash = '#/';
  }
}

/** Whether a field is not as it was drawn. @param {HTMLElement | null} form */
function isBegun(form) {
  return [...(form?.querySelectorAll('input, textarea') ?? [])].some((field) => {
    if (field instanceof HTMLInputElement && field.type === 'checkbox') return field.checked !== field.defaultChecked;
    return (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) && field.value !== field.defaultValue;
  });
}

/** What decides which parts the panel has. @param {Chat} chat */
function signature(chat) {
  return JSON.stringify([chat.role, chat.member, chat.open, chat.description, levelOf(chat), chat.pinned, chat.muted_until]);
}

/** @param {Chat} chat */
function describe(chat) {
  const kind = chat.direct
    ? 'A conversation of the two of you.'
    : chat.open
      ? 'Open: everybody here can find and read it.'
      : 'Private: its members alone read it.';
  const count = chat.direct || typeof chat.members_count !== 'number' ? '' : ` ${plural(chat.members_count, 'member', 'members')}.`;
  return [chat.description, kind + count].filter(Boolean).join('\n');
}
