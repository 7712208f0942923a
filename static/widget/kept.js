// What is kept of a guest in this browser: who they are, and what is not yet sent. All tabs of the site share it.

const NOBODY = { guest: null, outbox: [], seen: null, open: false, closed: null };

export class Kept {
  constructor(key) {
    this.key = key;
    // Storage may be forbidden; then the chat lasts as long as the page.
    this.memory = {};
  }

  all() {
    try {
      this.memory = JSON.parse(localStorage.getItem(this.key)) ?? {};
    } catch {
      // As above.
    }
    return { ...NOBODY, ...this.memory };
  }

  /** Other tabs write as well: what is changed is what is kept, not what we remember of it. */
  put(change) {
    const all = { ...this.all(), ...change };
    this.memory = all;
    try {
      localStorage.setItem(this.key, JSON.stringify(all));
    } catch {
      // As above.
    }
  }

  forget() {
    this.memory = {};
    try {
      localStorage.removeItem(this.key);
    } catch {
      // As above.
    }
  }

  get guest() {
    return this.all().guest;
  }

  get outbox() {
    return this.all().outbox;
  }

  edit(id, change) {
    this.put({ outbox: this.outbox.map((entry) => (entry.client_id === id ? { ...entry, ...change } : entry)) });
  }

  drop(id) {
    this.put({ outbox: this.outbox.filter((entry) => entry.client_id !== id) });
  }
}
