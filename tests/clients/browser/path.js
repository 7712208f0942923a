// The network path to the server, which can fail the way networks do: without a word to either side.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * A dead connection is found within seconds by a probe, which takes four to fail. Without one it would be found after 33
 * (a long-poll) or 45 (a socket): a bound between the two says which it was, also of a slow machine.
 */
export const SECONDS = 30_000;

export class NetworkPath {
  static async open(server) {
    const path = new NetworkPath();
    path.pairs = new Set();
    path.blocked = false;
    path.listener = createServer((near) => path.carry(near, connect(server.port, '127.0.0.1')));
    path.listener.listen(0, '127.0.0.1');
    await once(path.listener, 'listening');
    path.url = `http://127.0.0.1:${path.listener.address().port}`;
    return path;
  }

  carry(near, far) {
    const pair = { near, far, dead: this.blocked };
    this.pairs.add(pair);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      from.on('data', (bytes) => {
        if (!pair.dead) to.write(bytes);
      });
      from.on('error', () => {});
      from.on('close', () => {
        if (!pair.dead) to.destroy();
      });
    }
  }

  /** What is open now carries nothing any more, and nobody is told: so it is when a machine wakes on another network. */
  forget() {
    for (const pair of this.pairs) pair.dead = true;
  }

  /** Ends what is open, so that everybody knows. */
  reset() {
    for (const { near, far } of this.pairs) {
      near.destroy();
      far.destroy();
    }
    this.pairs.clear();
  }

  /** Nothing gets through, old or new, until `unblock`. */
  block() {
    this.blocked = true;
    this.forget();
  }

  unblock() {
    this.blocked = false;
  }

  async close() {
    this.reset();
    this.listener.close();
    await once(this.listener, 'close');
  }
}
