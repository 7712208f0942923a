// Answers on their way: kept until the server has them, sent in order, and once however often they are tried.
import { read, write } from '/messenger/kept.js';

export class Letters {
  /** `deliver(letter)` asks the server and throws {status} for a refusal; `changed()` after every change. */
  constructor({ owner, deliver, changed }) {
    Object.assign(this, { deliver, changed });
    this.key = `parlance.desk.${owner}`;
    this.all = read(this.key, []);
    this.busy = false;
    this.stopped = false;
  }

  of(chat) {
    return this.all.filter((letter) => letter.chat === chat);
  }

  edit(change) {
    this.all = change(this.all);
    write(this.key, this.all.length ? this.all : undefined);
    this.changed();
  }

  add(chat, message) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const id = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    this.edit((all) => [...all, { client_id: id, chat, message, time: new Date().toISOString() }]);
  }

  remove(id) {
    this.edit((all) => all.filter((letter) => letter.client_id !== id));
  }

  retry(id) {
    this.edit((all) => {
      const letter = all.find((each) => each.client_id === id);
      return [...all.filter((each) => each !== letter), { ...letter, refused: undefined }];
    });
  }

  async drain() {
    if (this.busy) return;
    this.busy = true;
    try {
      for (;;) {
        const letter = this.all.find((each) => !each.refused);
        if (!letter || this.stopped) return;
        const repeated = Boolean(letter.tried);
        this.edit((all) => all.map((each) => (each === letter ? { ...each, tried: true } : each)));
        try {
          await this.deliver(letter, repeated);
          this.remove(letter.client_id);
        } catch (problem) {
          if (problem.status === 401 || this.stopped) return;
          if (!problem.status || problem.status === 429 || problem.status >= 500) {
            // Another attempt comes with the next connection, or a little later on this one.
            setTimeout(() => this.drain(), 2000 + Math.random() * 1000);
            return;
          }
          this.edit((all) => all.map((each) => (each.client_id === letter.client_id ? { ...each, refused: problem.message } : each)));
        }
      }
    } finally {
      this.busy = false;
    }
  }
}
