// What is told outside the page: by one tab of all, by the level of each chat, and never what is being read.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { chapters } from './chapters.js';
import { Person, Watch, openBrowser, stopClock } from './person.js';
import { Server } from './server.js';

/** Longer than tabs have to answer each other, in milliseconds of the page. */
const MOMENT = 1_000;

/** Stands in for the system's notifications; runs in the page. */
function noteNotifications() {
  globalThis.told = [];
  globalThis.Notification = class {
    static permission = 'granted';
    static requestPermission = async () => 'granted';
    constructor(title, options) {
      globalThis.told.push(`${title}: ${options.body}`);
    }
    close() {
      globalThis.told.push('closed');
    }
  };
}

describe('notifications', () => {
  const test = chapters();
  let server;
  let browser;
  let ann;
  let bo;
  /** A second tab of Ann's. */
  let tab;
  const told = async () => [...(await ann.page.evaluate(() => globalThis.told)), ...(await tab.evaluate(() => globalThis.told))];
  const forget = () => Promise.all([ann.page, tab].map((page) => page.evaluate(() => globalThis.told.splice(0))));

  before(async () => {
    server = await Server.start();
    browser = await openBrowser();
    ann = await Person.arrive(browser, server, 'Ann');
    bo = await Person.arrive(browser, server, 'Bo');
    await ann.context.addInitScript(noteNotifications);
    for (const person of [ann, bo]) await person.signUp();
    await ann.startChat('Garden party');
    await ann.startChat('Elsewhere');
    await bo.join('Garden party');
    await ann.page.getByRole('button', { name: 'Account and settings' }).click();
    await ann.page.getByRole('switch', { name: 'Show notifications' }).check();
    await ann.page.keyboard.press('Escape');
    tab = await ann.context.newPage();
    ann.tabWatch = new Watch(tab);
    await tab.goto(server.url);
    await tab.locator('#app').waitFor();
  });

  after(async () => {
    await browser?.close();
    await server?.end();
  });

  test('of several tabs one tells, and the icon shows how much is unread', async () => {
    await bo.say('Who brings **what**?');
    await ann.eventually(told, ['Garden party: Bo: Who brings what?']);
    await ann.eventually(() => ann.page.title(), '(1) Elsewhere · Parlance');
    assert.match(await ann.page.locator('link[rel=icon]').getAttribute('href'), /^data:image\/svg\+xml,.*%3E1%3C/u);
  });

  test('what was read is told no more, in any tab', async () => {
    await tab.locator('a.chat-row', { hasText: 'Garden party' }).click();
    await ann.eventually(async () => (await told()).includes('closed'), true);
    await ann.eventually(() => ann.page.title(), 'Elsewhere · Parlance');
    assert.equal(await ann.page.locator('link[rel=icon]').getAttribute('href'), `${server.url}/icon.svg`);
  });

  test('what is being read in another tab is not told', async () => {
    await forget();
    // A tab waits for the answer of the others for a moment, which does not pass on a slow machine either.
    const { clock } = ann.page;
    await clock.install();
    await stopClock(ann.page);
    const answered = tab.evaluate(
      () =>
        new Promise((resolve) => {
          new BroadcastChannel('parlance.readers').onmessage = ({ data }) => data.reading !== undefined && resolve(data.reading);
        }),
    );
    await bo.say('You see this already');
    assert.equal(await answered, 1);
    await tab.locator('.bubble', { hasText: 'You see this already' }).waitFor();
    await ann.eventually(() => ann.row('Garden party').locator('.chat-preview').textContent(), 'Bo: You see this already');
    await clock.runFor(MOMENT);
    assert.deepEqual(await told(), []);
    await clock.resume();
  });

  test('a chat of which one wants to hear nothing is silent, and so is all in a pause', async () => {
    await tab.close();
    tab = ann.page;
    await ann.openChat('Garden party');
    await ann.page.getByRole('button', { name: 'Details and members' }).click();
    await ann.page.getByRole('radio', { name: 'Nothing' }).check();
    await ann.page.keyboard.press('Escape');
    await ann.openChat('Elsewhere');
    await forget();
    const { clock } = ann.page;
    await bo.say('Into the silence');
    const badge = ann.row('Garden party').locator('.badge .sr-only');
    await ann.eventually(() => badge.textContent(), '1 unread message');
    await clock.runFor(MOMENT);
    assert.deepEqual(await told(), []);
    assert.equal(await ann.page.title(), 'Elsewhere · Parlance');

    await ann.request('PATCH', '/api/chats/1/settings', { notify: 'all' });
    await ann.page.getByRole('button', { name: 'Account and settings' }).click();
    await ann.page.getByRole('button', { name: 'for an hour' }).click();
    await ann.page.getByText('Paused until').waitFor();
    await ann.assertAccessible('a pause');
    await ann.page.keyboard.press('Escape');
    await bo.say('In the pause');
    await ann.eventually(() => badge.textContent(), '2 unread messages');
    await clock.runFor(MOMENT);
    assert.deepEqual(await told(), []);
  });

  test('nobody saw an error or a broken rule of the page', () => {
    for (const watch of [ann.watch, ann.tabWatch, bo.watch]) watch.assertQuiet();
  });
});
