// A person, beside where their name or face was pressed; with a way to write to them.
import { get, post } from '../shared/api.js';
import { busy, h, setText } from '../shared/dom.js';
import { drawFace } from './face.js';
import { tellFault } from './membership.js';
import { openMenu } from './menu.js';
import { goTo } from './overlays.js';
import { lastSeen } from './people.js';

export class PersonCard {
  /**
   * @param {object} options
   * @param {import('./model.js').Model} options.model
   * @param {(person: number) => unknown} options.seek looks for what somebody wrote
   * @param {() => void} options.opened called when the chat with somebody is shown
   */
  constructor({ model, seek, opened }) {
    this.model = model;
    this.seek = seek;
    this.opened = opened;
  }

  /**
   * @param {number} id
   * @param {HTMLElement} beside
   */
  async open(id, beside) {
    const { model } = this;
    const mine = id === model.me.id;
    const name = model.name(id);
    const about = h('p', { class: 'hint' }, mine ? 'This is you.' : '');
    const head = h(
      'div',
      { class: 'person-card' },
      drawFace({ id, name, photo: model.photo(id), online: Boolean(model.presence.isOnline(id)) }),
      h('div', {}, h('p', { class: 'who-name', dir: 'auto' }, name), about),
    );
    const found = { text: mine ? 'Find what I wrote' : `Find what ${name} wrote`, act: () => this.seek(id) };
    openMenu(mine ? [found] : [{ text: `Write to ${name}`, act: () => this.write(id) }, found], { beside, label: name, head });
    if (mine) return;
    try {
      const { body } = await get(`/api/people/${id}`);
      model.addPeople([body]);
      setText(about, lastSeen(body));
    } catch {
      // Then nothing is said of it.
    }
  }

  /** Opens the direct chat with somebody; there is one, no matter who began it. @param {number} id */
  async write(id) {
    await busy(document.body, async () => {
      try {
        await writeTo(this.model, { id, name: this.model.name(id) });
        this.opened();
      } catch (error) {
        await tellFault(error);
      }
    });
  }
}

/**
 * Done once the chat is shown.
 * @param {import('./model.js').Model} model
 * @param {{id: number, name: string}} person
 */
export async function writeTo(model, { id: person, name }) {
  const { headers } = await post('/api/chats', { members: String(person) });
  const id = Number(headers.get('Location')?.match(/(\d+)$/)?.[1]);
  const known = model.chats.has(id) ? {} : { title: name, open: false, direct: true, person_id: person, members_count: 2 };
  model.takeBegun({ id, member: true, ...known });
  await goTo(`#/chats/${id}`);
}
