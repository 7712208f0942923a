// Who is there, and who types where: what is told for a moment and never kept.

/** A typist who says nothing more has stopped. */
const TYPING_FOR = 6_000;

export class Presence {
  /**
   * @param {number} me
   * @param {() => void} changed
   */
  constructor(me, changed) {
    this.me = me;
    this.changed = changed;
    /** Who types in which chat, and until when that is believed. @type {Map<number, Map<number, number>>} */
    this.typing = new Map();
    /** Who is there, as far as it was told. @type {Map<number, boolean>} */
    this.online = new Map();
    /** When they were last there, as far as it was told. @type {Map<number, string>} */
    this.seen = new Map();
  }

  /**
   * What a list or an event says of a person; nothing where that may not be known.
   * @param {number} person
   * @param {{online?: boolean | null, last_seen?: string | null}} told
   */
  take(person, { online, last_seen: seen }) {
    if (online === undefined) return;
    if (online === null) this.online.delete(person);
    else this.online.set(person, online);
    if (seen) this.seen.set(person, seen);
  }

  /** @param {{chat_id: number, person_id: number, typing: boolean}} event */
  applyTyping({ chat_id: chat, person_id: person, typing }) {
    if (person === this.me) return;
    const typists = this.typing.get(chat) ?? new Map();
    if (typing) typists.set(person, Date.now() + TYPING_FOR);
    else typists.delete(person);
    this.typing.set(chat, typists);
    // Nobody may ever say that it is over.
    if (typing) setTimeout(() => this.changed(), TYPING_FOR + 50);
  }

  /**
   * Somebody has said what they typed, or is gone.
   * @param {number} chat
   * @param {number} person
   */
  stopped(chat, person) {
    this.typing.get(chat)?.delete(person);
  }

  /** Who types in a chat just now. @param {number} chat */
  typists(chat) {
    const now = Date.now();
    return [...(this.typing.get(chat) ?? [])].filter(([, until]) => until > now).map(([person]) => person);
  }

  /**
   * Whether a person is there; null where nobody has told.
   * @param {number | null | undefined} person
   */
  isOnline(person) {
    return person ? (this.online.get(person) ?? null) : null;
  }
}
