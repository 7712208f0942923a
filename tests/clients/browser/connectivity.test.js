// Networks that go, come back and die in silence: the pages notice, say so, and what is written goes out within seconds.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { NetworkPath, SECONDS } from './path.js';
import { AWAY, PATIENCE, Person, backOnline, openBrowser, stopClock } from './person.js';
import { Server } from './server.js';

describe('the shared socket client', () => {
  let server;
  let browser;
  let path;
  let person;

  before(async () => {
    server = await Server.start();
    browser = await openBrowser();
    path = await NetworkPath.open(server);
    person = await Person.arrive(browser, server, 'Dora');
    await person.page.clock.install();
  });

  after(async () => {
    await browser?.close();
    await path?.close();
    await server?.end();
  });

  /** A page with a socket whose statuses are written down. */
  async function connect(transports) {
    path.reset();
    await person.page.goto(`${path.url}/console/`);
    await person.page.evaluate((wanted) => {
      globalThis.statuses = [];
      globalThis.socket = globalThis.ParlanceSocket.connect(location.origin, { transports: wanted });
      globalThis.socket.on('status', ({ status }) => globalThis.statuses.push([status, performance.now()]));
    }, transports);
    await status('connected');
  }

  const status = (wanted, within = PATIENCE) =>
    person.page.waitForFunction((name) => globalThis.socket.status === name, wanted, { timeout: within, polling: 20 });
  const fire = (name) => person.page.evaluate((event) => window.dispatchEvent(new Event(event)), name);
  /** These statuses, one after the other, and no more. */
  async function told(wanted) {
    const all = (count) => globalThis.statuses.length >= count;
    await person.page.waitForFunction(all, wanted.length, { timeout: SECONDS, polling: 20 });
    assert.deepEqual(await names(), wanted);
  }
  const names = () => person.page.evaluate(() => globalThis.statuses.map(([name]) => name));

  for (const transports of [['websocket'], ['polling']]) {
    test(`${transports}: a dead connection is found by a probe when the network changes`, async () => {
      await connect(transports);
      path.forget();
      await person.watch.expecting(AWAY, async () => {
        await fire('online');
        await told(['connected', 'waiting', 'connected']);
      });
    });

    test(`${transports}: a connection that lives passes the probe and stays`, async () => {
      await connect(transports);
      // However long the answer takes, the time for it is not over.
      await stopClock(person.page);
      await fire('online');
      await person.page.waitForFunction(() => globalThis.socket.probing === null);
      assert.deepEqual(await names(), ['connected']);
      await person.page.clock.resume();
      const reply = await person.page.evaluate(() => globalThis.socket.ask('getWaitingChats', {}));
      assert.equal(reply.statusCode, 400, 'it still answers');
    });

    test(`${transports}: what is written on a connection that died in silence is told as lost within seconds`, async () => {
      await connect(transports);
      path.forget();
      await person.watch.expecting(AWAY, async () => {
        await stopClock(person.page);
        const lost = person.page.evaluate(() => {
          globalThis.socket.receivedAt = 0;
          return globalThis.socket.ask('getWaitingChats', {}).catch((problem) => problem.lost);
        });
        await person.page.clock.runFor('00:05');
        assert.equal(await lost, true);
        await person.page.clock.resume();
        await status('connected');
      });
    });
  }

  test('sleep is seen by the clock', async () => {
    // Less than the server's own pings would need to find it.
    await connect(['websocket']);
    path.forget();
    await person.watch.expecting(AWAY, async () => {
      await person.page.clock.fastForward('00:30');
      await told(['connected', 'waiting', 'connected']);
    });
  });

  test('offline is told at once, and so is the way back', async () => {
    await connect(['websocket', 'polling']);
    await person.watch.expecting(AWAY, async () => {
      await person.context.setOffline(true);
      await status('offline');
      // Long enough for several attempts: going online must not wait for the next one, which never comes here.
      await person.page.waitForFunction(() => globalThis.socket.failures >= 4);
      await stopClock(person.page);
      await backOnline(person);
      await status('connected');
      await person.page.clock.resume();
    });
  });
});

describe('the messenger on a failing network', () => {
  let server;
  let browser;
  let path;
  let ann;
  let bo;

  before(async () => {
    server = await Server.start();
    browser = await openBrowser();
    path = await NetworkPath.open(server);
    ann = await Person.arrive(browser, { url: path.url }, 'Ann');
    bo = await Person.arrive(browser, server, 'Bo');
    for (const person of [ann, bo]) {
      await person.page.clock.install();
      await person.signUp();
    }
    await ann.startChat('Mountain hut');
    await bo.join('Mountain hut');
  });

  after(async () => {
    await browser?.close();
    await path?.close();
    await server?.end();
  });

  test('offline is shown at once, with words of its own', async () => {
    await ann.watch.expecting(AWAY, async () => {
      await ann.context.setOffline(true);
      await ann.line('offline');
      await ann.page.getByText('You are offline. What you write is kept here').waitFor();
      // Without waiting for the next attempt, which never comes here.
      await stopClock(ann.page);
      await backOnline(ann);
      await ann.line('live');
      await ann.page.clock.resume();
    });
  });

  for (const streaming of [false, true]) {
    const way = streaming ? 'a stream' : 'long-poll';
    test(`after sleep what was written goes out and what was missed comes in (${way})`, async () => {
      if (streaming) {
        await ann.page.getByRole('button', { name: 'Account and settings' }).click();
        await ann.page.getByRole('switch', { name: 'Keep one connection open' }).check();
        await ann.page.keyboard.press('Escape');
      }
      await ann.say(`Good night (${way})`);
      await bo.hears(`Good night (${way})`);
      await ann.watch.expecting(AWAY, async () => {
        path.forget();
        await bo.say(`Said while you slept (${way})`);
        await bo.hasSent(`Said while you slept (${way})`);
        await ann.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
        await ann.say(`Good morning (${way})`);
        await ann.bubble(`Said while you slept (${way})`).waitFor({ timeout: SECONDS });
        await bo.bubble(`Good morning (${way})`).waitFor({ timeout: SECONDS });
        await ann.hasSent(`Good morning (${way})`);
        await ann.line('live');
      });
    });
  }

  test('a path that swallows everything is noticed by the test, and found again', async () => {
    await ann.watch.expecting(AWAY, async () => {
      path.block();
      await ann.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
      await ann.page.locator('#connection[data-state="waiting"]').waitFor({ timeout: SECONDS });
      await ann.say('Into the void');
      path.unblock();
      path.forget();
      await ann.page.evaluate(() => window.dispatchEvent(new Event('online')));
      await bo.bubble('Into the void').waitFor({ timeout: SECONDS });
      await ann.line('live');
    });
    assert.equal((await bo.texts()).filter((text) => text === 'Into the void').length, 1);
  });

  test('who only looks in hears again as well', async () => {
    const cleo = await Person.arrive(browser, { url: path.url }, 'Cleo');
    await cleo.signUp();
    await cleo.openChat('Mountain hut');
    await cleo.hears('Into the void');
    await cleo.watch.expecting(AWAY, async () => {
      path.forget();
      await bo.say('Said past a dead line');
      await cleo.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
      await cleo.bubble('Said past a dead line').waitFor({ timeout: SECONDS });
    });
    await cleo.leave();
  });

  test('a page that opened without an answer asks again as soon as the network is back', async () => {
    let refused = 0;
    await bo.watch.expecting(AWAY, async () => {
      await bo.page.route('**/api/me', (route) => {
        refused += 1;
        return route.abort();
      });
      await bo.page.reload();
      await bo.page.getByText('The server is not answering. Still trying…').waitFor();
      // From here on attempts are four seconds apart and more.
      await bo.eventually(() => refused >= 5, true);
      await stopClock(bo.page);
      await bo.page.unroute('**/api/me');
      await bo.page.evaluate(() => window.dispatchEvent(new Event('online')));
      await bo.page.locator('#app').waitFor();
      await bo.page.clock.resume();
    });
  });

  test('nobody saw an error', () => {
    ann.watch.assertQuiet();
    bo.watch.assertQuiet();
  });
});
