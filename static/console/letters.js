// Answers on their way: kept until the server has them, sent in order, and once however often they are tried. All tabs
// of the desk share what is kept; each sends what was written in it, and what a tab that is gone has left.
import { read, stored, write } from '../messenger/kept.js';
import { unique } from '../widget/alone.js';

const ORPHANED = 10_000;
const TAB = 'parlance.tab';

function tabId() {
  const known = sessionStorage.getItem(TAB) ?? unique(8);
  sessionStorage.setItem(TAB, known);
  return known;
}

export class Letters {
  /** `deliver(letter)` asks the server and throws {status} for a refusal; `changed()` after every change. */
  constructor({ owner, deliver, changed }) {
    Object.assign(this, { deliver, changed });
    this.key = `parlance.desk.${owner}`;
    this.tab = tabId();
    this.busy = false;
    this.pausing = null;
    window.addEventListener('storage', (event) => {
      if (event.key !== stored(this.key) && event.key !== null) return;
      this.changed();
      this.drain();
    });
  }

  get all() {
    return read(this.key, []);
  }

  of(chat) {
    return this.all.filter((letter) => letter.chat === chat);
  }

  /** Other tabs write the same list: what is changed is what is kept, not what we remember of it. */
  edit(change) {
    const all = change(this.all);
    write(this.key, all.length ? all : undefined);
    this.changed();
  }

  amend(id, change) {
    this.edit((all) => all.map((each) => (each.client_id === id ? { ...each, ...change } : each)));
  }

  add(chat, message) {
    this.edit((all) => [...all, { client_id: unique(), chat, message, tab: this.tab, time: new Date().toISOString() }]);
  }

  remove(id) {
    this.edit((all) => all.filter((letter) => letter.client_id !== id));
  }

  /** Tries a refused answer again, as the newest one. */
  retry(id) {
    this.edit((all) => {
      const letter = all.find((each) => each.client_id === id);
      return letter ? [...all.filter((each) => each !== letter), { ...letter, refused: undefined, tab: this.tab }] : all;
    });
  }

  /** The next answer that is this tab's to send. */
  next() {
    if (this.pausing) return undefined;
    const due = (letter) => !letter.tab || letter.tab === this.tab || Date.now() - Date.parse(letter.time) > ORPHANED;
    return this.all.find((letter) => !letter.refused && due(letter));
  }

  later(ms) {
    this.pausing = setTimeout(() => {
      this.pausing = null;
      this.drain();
    }, ms);
  }

  /** The line stands again: what waits for another attempt waits no longer. */
  nudge() {
    clearTimeout(this.pausing);
    this.pausing = null;
    this.drain();
  }

  async drain() {
    if (this.busy) return;
    this.busy = true;
    try {
      for (let letter = this.next(); letter; letter = this.next()) {
        if ((await this.attempt(letter)) === 'ended') return;
      }
    } finally {
      this.busy = false;
    }
    clearTimeout(this.inheriting);
    if (this.all.some((letter) => !letter.refused && letter.tab !== this.tab)) this.inheriting = setTimeout(() => this.drain(), ORPHANED);
  }

  async attempt(letter) {
    const repeated = Boolean(letter.tried);
    this.amend(letter.client_id, { tried: true });
    try {
      await this.deliver(letter, repeated);
      this.remove(letter.client_id);
    } catch (problem) {
      if (problem.status === 401) return 'ended';
      // Another attempt comes with the next connection, or a little later on this one.
      if (!problem.status || problem.status === 429 || problem.status >= 500) this.later((problem.wait ?? 2) * 1000 + Math.random() * 1000);
      else this.amend(letter.client_id, { refused: problem.message });
    }
    return undefined;
  }
}
