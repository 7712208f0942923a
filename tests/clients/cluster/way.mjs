// The way from one server to PostgreSQL: a proxy that holds back, delays and breaks what goes through.

import { connect, createServer } from 'node:net';

/** What the statement contains by which the writer takes the log's lock. */
const LOCK = Buffer.from('for update');

export class Way {
  /** Whether nothing goes through, and nobody is told. */
  #isCut = false;
  #delay = 0;
  #connections = new Set();
  /** What to do when the next batch takes the log's lock. */
  #atLock;

  /** To a port of this machine. */
  static async to(port) {
    const way = new Way();
    way.server = createServer((near) => way.#carry(near, connect(port, '127.0.0.1')));
    await new Promise((resolve) => way.server.listen(0, '127.0.0.1', resolve));
    way.port = way.server.address().port;
    return way;
  }

  /** From now on nothing goes through in either direction; connections are accepted, and stand. */
  cut() {
    this.#isCut = true;
  }

  /** What was held back goes through, as when a network is there again; with `broken` its connections are gone. */
  mend({ broken = false } = {}) {
    this.#isCut = false;
    for (const connection of [...this.#connections]) {
      if (broken) connection.break();
      else connection.flush();
    }
  }

  /** Everything takes so many milliseconds longer, in each direction. */
  delay(milliseconds) {
    this.#delay = milliseconds;
  }

  /**
   * Calls `act` when the next batch of this server is about to take the log's lock, and returns true; or false if none has come within so
   * many milliseconds, and then nothing happens.
   */
  atLock(act, late) {
    return new Promise((resolve) => {
      const end = (isInABatch) => {
        clearTimeout(timer);
        this.#atLock = undefined;
        if (isInABatch) act();
        resolve(isInABatch);
      };
      const timer = setTimeout(end, late, false);
      this.#atLock = () => end(true);
    });
  }

  close() {
    this.server.close();
    for (const connection of [...this.#connections]) connection.break();
  }

  #carry(near, far) {
    const held = [];
    const connection = {
      flush: () => held.splice(0).forEach((pass) => pass()),
      break: () => {
        this.#connections.delete(connection);
        near.destroy();
        far.destroy();
      },
    };
    this.#connections.add(connection);
    const direct = (from, to, isUp) => {
      const pass = (action) => {
        if (this.#isCut || held.length > 0) held.push(action);
        else if (this.#delay > 0) setTimeout(action, this.#delay);
        else action();
      };
      from.on('data', (bytes) => {
        if (isUp && this.#atLock && bytes.includes(LOCK)) {
          const act = this.#atLock;
          // The database has the lock, and this server does not hear of it before something has happened to it.
          to.write(bytes);
          act();
          return;
        }
        pass(() => to.write(bytes));
      });
      from.on('end', () => pass(() => to.end()));
      from.on('error', () => pass(connection.break));
      from.on('close', () => pass(() => this.#connections.delete(connection)));
    };
    direct(near, far, true);
    direct(far, near, false);
  }
}
