// The log goes on in another epoch: pages that were open show what is there now, without anybody doing anything.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { chapters } from './chapters.js';
import { Guest, Owner } from './guest.js';
import { AWAY, PATIENCE, Person, chatRow, openBrowser } from './person.js';
import { Server } from './server.js';
import { Site } from './site.js';

/** What the browser says of the answers that lead to a new beginning. */
const BEGINS_ANEW = new RegExp(`${AWAY.source}|status of 410`);

/** Lets such complaints pass from now on: a request may have been sent twice, and its second answer come late. */
const allow = (watches) => watches.forEach((watch) => watch.allowed.push(BEGINS_ANEW));

/** Does something after which every page is told that what it knows does not count. */
async function endsEpoch(people, work) {
  const told = people.map(({ page }) => page.waitForResponse((answer) => answer.status() === 410, { timeout: PATIENCE }));
  await work();
  await Promise.all(told);
}

const restored = (server) => server.stopped(() => server.run(['restore', 'copy.db']));

describe('the messenger after a restore', () => {
  const test = chapters();
  let server;
  let browser;
  let ann;
  let bo;
  let cleo;
  let people;

  before(async () => {
    server = await Server.start();
    browser = await openBrowser();
    ann = await Person.arrive(browser, server, 'Ann');
    bo = await Person.arrive(browser, server, 'Bo');
    cleo = await Person.arrive(browser, server, 'Cleo');
    people = [ann, bo, cleo];
    allow(people.map(({ watch }) => watch));
    for (const person of people) await person.signUp();
    await ann.startChat('Mountain hut');
    await bo.join('Mountain hut');
    // Cleo only looks in: her page waits on the chat itself.
    await cleo.openChat('Mountain hut');
    const stream = bo.page.waitForRequest((request) => request.resourceType() === 'eventsource');
    await bo.page.getByRole('button', { name: 'Account and settings' }).click();
    await bo.page.getByRole('switch', { name: 'Keep one connection open' }).check();
    await bo.page.keyboard.press('Escape');
    await stream;
  });

  after(async () => {
    await browser?.close();
    await server?.end();
  });

  async function allRead(texts) {
    for (const person of people) {
      await person.line('live');
      await person.eventually(() => person.texts(), texts, person.name);
    }
  }

  test('what the backup lacks is not shown any more, whether one polls, streams or looks in', async () => {
    await ann.say('kept');
    await allRead(['kept']);
    await server.run(['backup', 'copy.db']);
    await bo.say('lost');
    await bo.hasSent('lost');
    await ann.say('lost too');
    await ann.hasSent('lost too');
    await allRead(['kept', 'lost', 'lost too']);
    const made = await cleo.request('POST', '/api/chats', { title: 'Lost hut' });
    assert.equal(made.status(), 201);
    await ann.row('Lost hut').waitFor();
    await endsEpoch(people, () => restored(server));
    await allRead(['kept']);
    for (const person of people) await person.eventually(() => person.row('Lost hut').count(), 0);
  });

  test('from there on everything is heard, and read marks count', async () => {
    await ann.say('after');
    await allRead(['kept', 'after']);
    await ann.page.locator('#messages .message.mine', { hasText: 'after' }).waitFor();
    await bo.eventually(() => bo.row('Mountain hut').locator('.badge').count(), 0);
  });

  test('an epoch that an operator begins changes nothing that is shown', async () => {
    await endsEpoch(people, () => server.stopped(() => server.run(['new-epoch'])));
    await allRead(['kept', 'after']);
    await bo.say('and on');
    await allRead(['kept', 'after', 'and on']);
    for (const person of people) await person.leave();
  });
});

describe('live support after a restore', () => {
  const test = chapters();
  let server;
  let site;
  let browser;
  let owner;
  let desk;
  let guest;

  const row = chatRow;

  before(async () => {
    server = await Server.start();
    site = await Site.open(server);
    browser = await openBrowser();
    owner = await Owner.register(server);
    desk = await owner.atDesk(browser);
    guest = await Guest.arrive(browser, server, site, 'Gus');
  });

  after(async () => {
    await browser?.close();
    await site?.close();
    await server?.end();
  });

  test('guest and desk show what is there, and a chat that is gone is left', async () => {
    await guest.visit();
    await guest.begin('kept');
    await guest.hears('kept');
    await row(desk.page, 'Gus').click();
    await desk.hears('kept');
    // A login that is made after the backup is lost with it.
    const other = await Person.arrive(browser, server, 'Another tab');
    await owner.atDesk(browser, other);
    await server.run(['backup', 'copy.db']);
    await guest.say('lost');
    await desk.hears('lost');
    await desk.page.locator('#content').fill('lost too');
    await desk.page.keyboard.press('Enter');
    await guest.hears('lost too');
    await owner.guest('Leo', 'a chat that is lost');
    await row(other.page, 'Leo').click();
    await other.hears('a chat that is lost');
    allow([guest.watch, desk.watch, other.watch]);
    await restored(server);
    await guest.person.eventually(() => guest.texts(), ['kept']);
    await desk.eventually(() => desk.texts(), ['kept']);
    await other.page.waitForFunction(() => location.hash === '#/');
    for (const person of [desk, other]) await person.line('live');
    await other.eventually(() => row(other.page, 'Leo').count(), 0);
    await other.leave();
  });

  test('and they go on from there', async () => {
    await guest.say('after');
    await desk.hears('after');
    await desk.page.locator('#content').fill('answered');
    await desk.page.keyboard.press('Enter');
    await guest.hears('answered');
    await guest.person.eventually(() => guest.texts(), ['kept', 'after', 'answered']);
    await desk.says(['kept', 'after', 'answered']);
    await desk.eventually(() => row(desk.page, 'Leo').count(), 0);
    await desk.leave();
  });
});
