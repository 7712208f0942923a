// The dialogs over the messenger, and the form for a new chat: open to everyone, for some people, or with one person.
import { ApiError, post } from '../shared/api.js';
import { confirm } from '../shared/confirm.js';
import { $, busy, formError, input, setText, show, wireCloseButtons, within } from '../shared/dom.js';
import { explain } from './error-text.js';
import { PeopleChooser } from './people-picker.js';
import { writeTo } from './person-card.js';

const HINTS = {
  open: 'Everybody here can find it by this title, read it and join.',
  private: 'Only the people in it can read it. You can add more of them later, or invite by a link.',
};

export class NewChat {
  /**
   * Wires the dialogs once.
   * @param {object} options
   * @param {import('./model.js').Model} options.model
   * @param {(id: number, title: string, open: boolean) => void} options.made called with a new chat
   * @param {() => void} options.written called when the chat with one person is shown
   * @param {(title: string) => number | null} options.find gives the id of an open chat of that title
   */
  constructor({ model, made, written, find }) {
    this.model = model;
    this.made = made;
    this.written = written;
    this.find = find;
    this.dialog = $('chat-dialog', HTMLDialogElement);
    this.form = $('chat-form', HTMLFormElement);
    this.form.noValidate = true;
    this.title = $('chat-name', HTMLInputElement);
    /** @type {PeopleChooser | null} */
    this.chooser = null;
    for (const id of ['new-chat', 'blank-new']) $(id).addEventListener('click', () => this.open());
    for (const radio of this.form.querySelectorAll('[name=kind]')) radio.addEventListener('change', () => this.turn());
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (this.kind === 'direct') return;
      if (this.kind === 'private' && this.chooser?.begun) this.chooser.remind();
      else if (this.title.value.trim() === '') formError(this.form, 'Please give the chat a title.', this.title);
      else busy(within(this.form, '[type=submit]'), () => this.create());
    });
  }

  /** @returns {'open' | 'private' | 'direct'} */
  get kind() {
    return /** @type {any} */ (new FormData(this.form).get('kind'));
  }

  open() {
    this.form.reset();
    formError(this.form, null);
    this.dialog.showModal();
    this.turn();
    this.title.focus();
  }

  /** Shows the fields of the kind that is chosen. */
  turn() {
    const { kind } = this;
    formError(this.form, null);
    show($('chat-name-field'), kind !== 'direct');
    show(within(this.form, '[type=submit]'), kind !== 'direct');
    if (kind !== 'direct') setText($('chat-name-hint'), HINTS[kind]);
    show($('chat-people'), kind !== 'open');
    if (kind === 'open') return;
    const except = (/** @type {number} */ id) => id === this.model.me.id;
    this.chooser = new PeopleChooser({ except, picked: kind === 'direct' ? (person) => this.write(person) : undefined });
    $('chat-people').replaceChildren(this.chooser.element);
  }

  /** @param {{id: number, name: string}} person */
  async write(person) {
    try {
      this.model.addPeople([person]);
      await writeTo(this.model, person);
      this.written();
    } catch (error) {
      formError(this.form, explain(error));
    }
  }

  async create() {
    const { form, title, kind } = this;
    formError(form, null);
    const people = kind === 'private' ? [...(this.chooser?.chosen.keys() ?? [])] : [];
    try {
      const { headers } = await post('/api/chats', {
        title: title.value,
        ...(kind === 'private' && { private: 'true' }),
        ...(people.length > 0 && { members: people.join(',') }),
      });
      const id = Number(headers.get('Location')?.match(/(\d+)$/)?.[1]);
      this.dialog.close();
      this.made(id, title.value.trim(), kind === 'open');
    } catch (error) {
      await this.failed(error);
    }
  }

  /** @param {unknown} error */
  async failed(error) {
    const { form, title } = this;
    const taken = error instanceof ApiError && error.status === 409 ? this.find(title.value) : null;
    if (!taken) {
      formError(form, explain(error), input(form, 'title'));
      return;
    }
    this.dialog.close();
    await confirm({ title: 'That chat exists already', text: `Somebody started “${title.value.trim()}” before.`, no: 'Open it' });
    location.hash = `#/chats/${taken}`;
  }
}

export function wireDialogs() {
  wireCloseButtons();
  for (const dialog of document.querySelectorAll('dialog')) {
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog) dialog.close();
    });
  }
}
