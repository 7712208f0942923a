// Who of those on the page is there, read when they appear; events keep it fresh.
import { get } from '../shared/api.js';

/** Who comes and goes while no request waits is told to nobody: so it is asked again now and then. */
const AGAIN = 60_000;
/** For so many people, those of the open chat first. */
const MOST = 200;

export class PresenceReader {
  /**
   * @param {import('./model.js').Model} model
   * @param {() => number | null} current the open chat
   */
  constructor(model, current) {
    this.model = model;
    this.current = current;
    /** @type {Set<number>} */
    this.asked = new Set();
    this.reading = false;
    model.onChange(() => this.readNew());
    setInterval(() => document.visibilityState === 'visible' && this.readAgain(), AGAIN);
  }

  readAgain() {
    this.asked.clear();
    this.readNew();
  }

  /** Whose presence the page shows: those in the open chat, and those one has a chat with alone. */
  shown() {
    const { model } = this;
    const people = new Set(model.members.get(this.current() ?? 0)?.keys());
    for (const chat of model.chats.values()) {
      if (people.size >= MOST) break;
      if (chat.person_id && chat.member) people.add(chat.person_id);
    }
    people.delete(model.me.id);
    return [...people];
  }

  async readNew() {
    if (this.reading || this.asked.size >= MOST) return;
    const people = this.shown().filter((id) => !this.asked.has(id));
    people.length = Math.min(people.length, MOST - this.asked.size);
    if (people.length === 0) return;
    this.reading = true;
    for (const id of people) this.asked.add(id);
    try {
      await this.model.taking(
        () => get(`/api/people?ids=${people.join(',')}`),
        ({ body }) => this.model.addPeople(body.people),
      );
    } catch {
      // It is asked again in a while.
    }
    this.reading = false;
    this.model.changed();
  }
}
