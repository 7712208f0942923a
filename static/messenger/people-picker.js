// Finds people by name, and lets one pick some of them.
import { get } from '../shared/api.js';
import { h, isComposing, reconcile, setText } from '../shared/dom.js';
import { explain } from './error-text.js';
import { drawFace } from './face.js';
import { openSheet } from './sheet.js';

/** @typedef {import('./model.js').Person} Person */

const PAGE = 30;
const PAUSE = 150;

/** Each list of candidates has a name of its own. */
let count = 0;

/** A box to search in, what was found, and who was picked. */
export class PeopleChooser {
  /**
   * @param {object} options
   * @param {(id: number) => boolean} options.except who is not offered
   * @param {(person: Person) => void} [options.picked] called with each one; without it they are gathered
   */
  constructor({ except, picked }) {
    count += 1;
    this.id = `people-${count}`;
    this.except = except;
    this.picked = picked;
    /** @type {Map<number, Person>} */
    this.chosen = new Map();
    /** Who is offered. @type {Person[]} */
    this.found = [];
    /** Which of them Enter chooses; none while one has not begun to look for somebody. */
    this.active = -1;
    /** What was looked for when they were found. */
    this.query = '';
    /** Whether Enter came before what it is to choose from. */
    this.hurried = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.asked = 0;
    this.search = h('input', {
      type: 'search',
      placeholder: 'Find people by name',
      'aria-label': 'Find people by name',
      autocomplete: 'off',
      role: 'combobox',
      'aria-expanded': 'true',
      'aria-controls': this.id,
      'aria-autocomplete': 'list',
      oninput: () => this.later(),
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event),
    });
    this.chips = h('ul', { class: 'chips', 'aria-label': 'Chosen' });
    this.list = h('ul', { id: this.id, class: 'people', role: 'listbox', 'aria-label': 'People' });
    this.note = h('p', { class: 'hint', role: 'status' });
    this.element = h('div', { class: 'chooser' }, this.search, this.chips, this.list, this.note);
    this.find();
  }

  /** What is looked for, and was not chosen. */
  get begun() {
    return this.search.value.trim();
  }

  /** Says that somebody was looked for and not chosen, so that nothing goes on without them. */
  remind() {
    setText(this.note, `Choose “${this.begun}” from the list, or empty the box.`);
    this.search.focus();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (isComposing(event)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.found.length > 0) this.activate((this.active + step + this.found.length) % this.found.length);
    else if (event.key === 'Enter') this.enter();
    else return;
    event.preventDefault();
  }

  /** Chooses; the form around is not sent. */
  enter() {
    const person = this.found[this.active];
    this.hurried = this.query !== this.begun;
    if (this.hurried) {
      clearTimeout(this.timer);
      this.find();
    } else if (person) this.choose(person);
  }

  /** @param {number} index */
  activate(index) {
    this.active = Math.min(index, this.found.length - 1);
    [...this.list.children].forEach((row, at) => row.setAttribute('aria-selected', String(at === this.active)));
    const row = this.list.children[this.active];
    if (row) this.search.setAttribute('aria-activedescendant', row.id);
    else this.search.removeAttribute('aria-activedescendant');
    row?.scrollIntoView({ block: 'nearest' });
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.find(), PAUSE);
  }

  async find() {
    this.asked += 1;
    const { asked } = this;
    const query = this.search.value.trim();
    try {
      const { body } = await get(`/api/people?limit=${PAGE}&query=${encodeURIComponent(query)}`);
      if (asked !== this.asked) return;
      const people = body.people.filter((/** @type {Person} */ person) => !this.except(person.id) && !this.chosen.has(person.id));
      // Whom one is about to press stays where they are.
      reconcile(
        this.list,
        people.map((/** @type {Person} */ person) => ({
          key: String(person.id),
          print: JSON.stringify([person.name, person.photo, person.online]),
          make: () => this.row(person),
        })),
      );
      this.found = people;
      this.query = query;
      this.activate(query === '' ? -1 : 0);
      const rest = body.has_more ? 'There are more; a few characters of the name find them.' : '';
      setText(this.note, people.length > 0 ? rest : query ? `Nobody here is called “${query}”.` : 'There is nobody else here yet.');
      if (this.hurried && this.found.length > 0) this.choose(this.found[0]);
    } catch (error) {
      if (asked === this.asked) setText(this.note, explain(error));
    }
    if (asked === this.asked) this.hurried = false;
  }

  /** @param {Person} person */
  row(person) {
    const { id, name, photo, online } = person;
    return h(
      'li',
      { id: `${this.id}-${id}`, class: 'person-row', role: 'option', 'aria-selected': 'false', onclick: () => this.choose(person) },
      drawFace({ id, name, photo, online: Boolean(online), small: true }),
      h('span', { class: 'short', dir: 'auto', title: name }, name),
    );
  }

  /** @param {Person} person */
  choose(person) {
    this.hurried = false;
    if (this.picked) {
      this.picked(person);
      return;
    }
    this.chosen.set(person.id, person);
    this.search.value = '';
    this.renderChosen();
    this.find();
    this.search.focus();
  }

  renderChosen() {
    this.chips.replaceChildren(
      ...[...this.chosen.values()].map((person) =>
        h(
          'li',
          {},
          h(
            'button',
            {
              class: 'chip',
              type: 'button',
              'aria-label': `Not ${person.name}`,
              onclick: () => {
                this.chosen.delete(person.id);
                this.renderChosen();
                this.find();
                this.search.focus();
              },
            },
            h('span', { class: 'short', dir: 'auto' }, person.name),
            '×',
          ),
        ),
      ),
    );
  }
}

/**
 * @param {{title: string, button: string, except: (id: number) => boolean}} options
 * @returns {Promise<Person[]>} those who were picked, or none
 */
export function pickPeople({ title, button, except }) {
  return new Promise((resolve) => {
    /** @type {Person[]} */
    let picked = [];
    const sheet = openSheet(title, { closed: () => resolve(picked) });
    const chooser = new PeopleChooser({ except });
    const done = h(
      'button',
      {
        class: 'button primary',
        type: 'button',
        onclick: () => {
          if (chooser.begun) {
            chooser.remind();
            return;
          }
          picked = [...chooser.chosen.values()];
          sheet.close();
        },
      },
      button,
    );
    sheet.body.append(chooser.element, h('div', { class: 'row-end' }, done));
    chooser.search.focus();
  });
}
