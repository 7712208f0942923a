// Who of those on the page is there, and their photos, read when they appear; events keep it fresh.
import { get } from '../shared/api.js';

/** Who comes and goes while no request waits is told to nobody: so it is asked again now and then. */
const AGAIN = 60_000;
/** Of so many people, those of the open chat first. */
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

  /** Whom the page shows: who speaks in the open chat, its members, and those one has a chat with alone. */
  shown() {
    const { model } = this;
    const chat = this.current() ?? 0;
    /** @type {Set<number>} */
    const people = new Set();
    const add = (/** @type {Iterable<number>} */ found) => {
      for (const id of found) if (people.size < MOST && id !== model.me.id) people.add(id);
    };
    add((model.rooms.get(chat)?.messages ?? []).slice(-MOST).map((message) => message.sender_id));
    add(model.members.get(chat)?.keys() ?? []);
    add([...model.chats.values()].flatMap((each) => (each.person_id && each.member ? [each.person_id] : [])));
    return [...people];
  }

  async readNew() {
    if (this.reading) return;
    const people = this.shown().filter((id) => !this.asked.has(id));
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
