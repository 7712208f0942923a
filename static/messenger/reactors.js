// Who has set which reaction on a message: their names beside a chip, and all of them in a panel.
import { get } from '../shared/api.js';
import { busy, h, setText } from '../shared/dom.js';
import { plural } from '../shared/format.js';
import { explain } from './error-text.js';
import { drawFace } from './face.js';
import { openSheet } from './sheet.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./model.js').Reaction} Reaction */
/** @typedef {{id: number, name: string}} Person */

const FEW = 10;
const PAGE = 100;

/**
 * @param {string} path of the message
 * @param {string} emoji
 * @param {number} limit
 * @param {number} [before] the last person of the page before
 * @returns {Promise<{people: Person[], has_more: boolean}>}
 */
async function read(path, emoji, limit, before) {
  const query = new URLSearchParams({ limit: String(limit), ...(before && { before: String(before) }) });
  return (await get(`${path}/reactions/${encodeURIComponent(emoji)}?${query}`)).body;
}

/**
 * Puts the names beside a chip, once they are wanted: as its description they are read out as well.
 * @param {HTMLElement} chip
 * @param {Model} model
 * @param {string} path
 * @param {Reaction} reaction
 */
export function nameOnDemand(chip, model, path, { emoji, count }) {
  const tell = async () => {
    for (const event of ['pointerenter', 'focus']) chip.removeEventListener(event, tell);
    try {
      const { people } = await read(path, emoji, FEW);
      model.addPeople(people);
      const names = people.map(({ id, name }) => (id === model.me.id ? 'you' : name));
      const rest = count - names.length;
      chip.title = `${names.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
    } catch {
      for (const event of ['pointerenter', 'focus']) chip.addEventListener(event, tell, { once: true });
    }
  };
  for (const event of ['pointerenter', 'focus']) chip.addEventListener(event, tell, { once: true });
}

/**
 * @param {Model} model
 * @param {string} path
 * @param {Reaction[]} reactions
 */
export function openReactors(model, path, reactions) {
  const sheet = openSheet('Who reacted');
  sheet.body.append(...reactions.map((reaction) => section(model, path, reaction)));
}

/**
 * @param {Model} model
 * @param {string} path
 * @param {Reaction} reaction
 */
function section(model, path, { emoji, count }) {
  const list = h('ul', { class: 'member-rows' });
  const note = h('p', { class: 'hint', role: 'status' }, 'Loading…');
  const more = h('button', { class: 'button small', type: 'button', hidden: true, onclick: () => busy(more, load) }, 'More');
  /** @type {number | undefined} */
  let last;
  const load = async () => {
    try {
      const { people, has_more: left } = await read(path, emoji, PAGE, last);
      model.addPeople(people);
      last = people.at(-1)?.id;
      list.append(...people.map((person) => row(model, person)));
      setText(note, '');
      more.hidden = !left;
    } catch (error) {
      setText(note, explain(error));
      more.hidden = false;
    }
  };
  load();
  return h(
    'section',
    { class: 'choice', 'aria-label': `${emoji}, ${plural(count, 'reaction', 'reactions')}` },
    h('h3', {}, h('span', { class: 'reaction-emoji' }, emoji), ` ${count}`),
    list,
    note,
    more,
  );
}

/**
 * @param {Model} model
 * @param {Person} person
 */
function row(model, { id, name }) {
  const mine = id === model.me.id;
  const face = drawFace({ id, name, photo: model.photo(id), small: true });
  return h('li', { class: 'member' }, face, h('span', { class: 'short', dir: 'auto', title: name }, mine ? `${name} (you)` : name));
}
