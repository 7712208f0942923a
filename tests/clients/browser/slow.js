// Slowness on purpose, to find by design what else is found by chance: BROWSER_SLOW=6 gives each page a sixth of a processor,
// SERVER_SLOW=300 holds back what the server sends for up to so many milliseconds.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const PAGES = Number(process.env.BROWSER_SLOW ?? 1);
const DELAY = Number(process.env.SERVER_SLOW ?? 0);

/** Slows the pages of a context down, when that is asked for. */
export function slowPages(context) {
  if (PAGES <= 1) return;
  context.on('page', async (page) => {
    try {
      const session = await context.newCDPSession(page);
      await session.send('Emulation.setCPUThrottlingRate', { rate: PAGES });
    } catch {
      // It was closed at once.
    }
  });
}

/** A port that leads to another one, the way back of which is slow; the other one itself when nothing is to be slow. */
export async function slowPath(port) {
  if (DELAY <= 0) return { port, close: () => {} };
  const open = new Set();
  const listener = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    let sent = Promise.resolve();
    const later = (work) => {
      sent = sent.then(() => pause(Math.random() * DELAY)).then(work);
    };
    near.on('data', (bytes) => far.write(bytes));
    far.on('data', (bytes) => later(() => near.write(bytes)));
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      open.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        open.delete(one);
        if (one === near) other.destroy();
        else later(() => other.destroySoon());
      });
    }
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: listener.address().port,
    close() {
      for (const socket of open) socket.destroy();
      listener.close();
    },
  };
}
