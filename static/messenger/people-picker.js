// Finds people by name, and lets one pick some of them.
import { get } from '../shared/api.js';
import { h, reconcile, setText } from '../shared/dom.js';
import { explain } from './error-text.js';
import { drawFace } from './face.js';
import { openSheet } from './sheet.js';

/** @typedef {import('./model.js').Person} Person */

const PAGE = 30;
const PAUSE = 150;

/** A box to search in, what was found, and who was picked. */
export class PeopleChooser {
  /**
   * @param {object} options
   * @param {(id: number) => boolean} options.except who is not offered
   * @param {(person: Person) => void} [options.picked] called with each one; without it they are gathered
   */
  constructor({ except, picked }) {
    this.except = except;
    this.picked = picked;
    /** @type {Map<number, Person>} */
    this.chosen = new Map();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.asked = 0;
    this.search = h('input', {
      type: 'search',
      placeholder: 'Find people by name',
      'aria-label': 'Find people by name',
      autocomplete: 'off',
      oninput: () => this.later(),
    });
    this.chips = h('ul', { class: 'chips', 'aria-label': 'Chosen' });
    this.list = h('ul', { class: 'people' });
    this.note = h('p', { class: 'hint', role: 'status' });
    this.element = h('div', { class: 'chooser' }, this.search, this.chips, this.list, this.note);
    this.find();
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
      const rest = body.has_more ? 'There are more; a few characters of the name find them.' : '';
      setText(this.note, people.length > 0 ? rest : query ? `Nobody here is called “${query}”.` : 'There is nobody else here yet.');
    } catch (error) {
      if (asked === this.asked) setText(this.note, explain(error));
    }
  }

  /** @param {Person} person */
  row(person) {
    const { id, name, photo, online } = person;
    return h(
      'li',
      {},
      h(
        'button',
        { class: 'person-row', type: 'button', onclick: () => this.choose(person) },
        drawFace({ id, name, photo, online: Boolean(online), small: true }),
        h('span', { dir: 'auto' }, name),
      ),
    );
  }

  /** @param {Person} person */
  choose(person) {
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
            h('span', { dir: 'auto' }, person.name),
            ' ×',
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
