// The members of a chat, read when they are wanted, and kept fresh by events.
import { get } from '../shared/api.js';

/** @typedef {{id: number, name: string, photo: string | null, role: string}} Member */

const PAGE = 200;
/** So many are shown and completed; a chat of more people is searched by name. */
const MOST = 1_000;

export class Members {
  /** @param {import('./model.js').Model} model */
  constructor(model) {
    this.model = model;
    /** @type {Map<number, Promise<void>>} */
    this.reading = new Map();
  }

  /**
   * All members, up to a bound, by their names.
   * @param {number} chat
   * @returns {Promise<Member[]>}
   */
  async of(chat) {
    if (!this.model.members.has(chat)) {
      const reading = this.reading.get(chat) ?? this.read(chat);
      this.reading.set(chat, reading);
      await reading.finally(() => this.reading.delete(chat));
    }
    return this.known(chat);
  }

  /** What was read so far. @param {number} chat @returns {Member[]} */
  known(chat) {
    const members = [...(this.model.members.get(chat) ?? [])];
    return members
      .map(([id, role]) => ({ id, role, name: this.model.name(id), photo: this.model.photo(id) }))
      .sort((a, b) => a.name.localeCompare(b.name) || a.id - b.id);
  }

  /** @param {number} chat */
  async read(chat) {
    await this.model.taking(
      () => this.pages(chat),
      (found) => this.model.members.set(chat, found),
    );
    this.model.changed();
  }

  /** @param {number} chat */
  async pages(chat) {
    /** @type {Map<number, string>} */
    const found = new Map();
    let before = '';
    for (let more = true; more && found.size < MOST;) {
      const { body } = await get(`/api/chats/${chat}/members?limit=${PAGE}${before}`);
      this.model.addPeople(body.members);
      for (const { id, role } of body.members) found.set(id, role);
      before = `&before=${body.members.at(-1)?.joined_position}`;
      more = Boolean(body.has_more) && body.members.length > 0;
    }
    return found;
  }
}
