// The desk with colleagues, long queues, closed chats and two tabs.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Guest, Owner } from './guest.js';
import { NetworkPath, SECONDS } from './path.js';
import { AWAY, chatRow, openBrowser, stopClock, typeUntil } from './person.js';
import { Server } from './server.js';
import { Site } from './site.js';

const MANY = 115;

describe('the desk', () => {
  let server;
  let site;
  let browser;
  let owner;
  let colleague;
  let desk;

  before(async () => {
    server = await Server.start();
    site = await Site.open(server);
    browser = await openBrowser();
    owner = await Owner.register(server);
    colleague = await Owner.register(server, { name: 'colleague', colleague: owner });
    desk = await owner.atDesk(browser);
  });

  after(async () => {
    await browser?.close();
    await site?.close();
    await server?.end();
  });

  const row = (name, person = desk) => chatRow(person.page, name);
  const names = (queue, person = desk) => person.page.locator(`#${queue}-list a.chat-row .chat-title`).allTextContents();
  const answer = async (text, page = desk.page) => {
    await page.locator('#content').fill(text);
    await page.keyboard.press('Enter');
  };

  test('a colleague is not the guest', async () => {
    const gus = await Guest.arrive(browser, server, site, 'Gus');
    await gus.visit();
    await gus.begin('Hello');
    await gus.hears('Hello');
    await row('Gus').click();
    await desk.hears('Hello');
    await answer('Good day');
    await gus.hears('Good day');
    const other = await colleague.atDesk(browser);
    await desk.page.locator('#messages .message.mine', { hasText: 'Seen' }).waitFor();
    await gus.page.getByRole('button', { name: 'Close' }).click();
    await answer('Anything else?');
    await row('Gus', other).click();
    await other.hears('Anything else?');
    await typeUntil(other.page.locator('#content'), 'I think', desk.page.getByText('A colleague is writing…'));
    assert.equal(await desk.page.getByText('Gus is typing').count(), 0);
    assert.equal(await desk.page.locator('#messages .message.mine', { hasText: 'Anything else?' }).getByText('Seen').count(), 0);
    await other.page.keyboard.press('Enter');
    await desk.hears('I think');
    await desk.page.getByText('A colleague is writing…').waitFor({ state: 'hidden' });
    await gus.opener.click();
    await desk.page.locator('#messages .message.mine', { hasText: 'Seen' }).waitFor();
    await desk.assertAccessible('a chat with a colleague');
    // A guest who goes while typing types no longer: it is told, and not only forgotten after some time, which stands still.
    await desk.page.clock.install();
    await stopClock(desk.page);
    await typeUntil(gus.text, 'Well', desk.page.getByText('Gus is typing'));
    await gus.person.leave();
    await desk.page.getByText('Gus is typing').waitFor({ state: 'detached' });
    await desk.page.clock.resume();
    await other.leave();
  });

  test('what a colleague closes is closed here, and comes back from among the closed', async () => {
    const opened = await owner.guest('Clara', 'Is this open?');
    await row('Clara').click();
    await desk.hears('Is this open?');
    await colleague.say('closeChat', { chatId: opened.chatId });
    await desk.page.getByText('This chat is closed.').waitFor();
    await desk.eventually(async () => [...(await names('waiting')), ...(await names('active'))].includes('Clara'), false);
    assert.equal(await desk.page.getByRole('button', { name: 'Close chat' }).count(), 0);
    await desk.page.getByRole('radio', { name: 'Closed' }).check();
    await desk.eventually(() => names('closed'), ['Clara']);
    await desk.assertAccessible('closed chats');
    await owner.say('newMessage', { token: opened.guestToken, chatId: opened.chatId, message: 'One more thing' });
    await desk.eventually(() => names('closed'), []);
    await desk.hears('One more thing');
    await desk.page.getByText('This chat is closed.').waitFor({ state: 'hidden' });
    await desk.page.getByRole('radio', { name: 'Open' }).check();
    await desk.eventually(async () => (await names('waiting')).includes('Clara'), true);
    // One that was closed while the line was down, and found so when it is back.
    await desk.watch.expecting(AWAY, async () => {
      await desk.context.setOffline(true);
      await desk.line('offline');
      await colleague.say('closeChat', { chatId: opened.chatId });
      await desk.context.setOffline(false);
      await desk.line('live');
    });
    await desk.page.getByText('This chat is closed.').waitFor();
    // An answer opens it as well.
    await answer('We have it again');
    await desk.eventually(async () => (await names('active')).includes('Clara'), true);
    await desk.page.getByText('This chat is closed.').waitFor({ state: 'hidden' });
  });

  test('two tabs of a desk send each answer once, and lose none', async () => {
    const opened = await owner.guest('Twin', 'Hello');
    const second = await desk.context.newPage();
    await second.goto(`${server.url}/console/`);
    const form = second.getByRole('form', { name: 'Sign in' });
    await form.getByLabel('E-mail').fill(owner.email);
    await form.getByLabel('Password').fill(owner.password);
    await form.getByRole('button', { name: 'Sign in' }).click();
    await second.locator('#connection[data-state="live"]').waitFor();
    for (const page of [desk.page, second]) {
      await chatRow(page, 'Twin').click();
      await page.locator('#messages .bubble', { hasText: 'Hello' }).waitFor();
    }
    await desk.watch.expecting(AWAY, async () => {
      await server.kill('SIGKILL');
      await answer('from the first');
      await answer('from the second', second);
      await answer('and the first again');
      // What a tab has not sent when it is closed is the other's to send.
      await second.close();
      await server.start();
      for (const text of ['from the first', 'and the first again', 'from the second']) {
        await desk.page.locator('#messages .message:not(.pending):not(.failed) .bubble', { hasText: text }).waitFor();
      }
    });
    const { data } = await owner.say('getChatMessages', { chatId: opened.chatId });
    assert.deepEqual(data.map(({ message }) => message).toSorted(), ['Hello', 'and the first again', 'from the first', 'from the second']);
  });

  test('what is written waits for its end, grows its box, and is not too long', async () => {
    await row('Twin').click();
    await desk.hears('Hello');
    const content = desk.page.locator('#content');
    const height = () => content.evaluate((text) => text.offsetHeight);
    const low = await height();
    await content.fill('one long line '.repeat(40));
    assert.ok((await height()) > low + 20, 'the box is higher');
    await content.fill('にほん');
    const composed = await content.evaluate((text) => {
      const event = new KeyboardEvent('keydown', { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true });
      return [text.dispatchEvent(event), text.value];
    });
    assert.deepEqual(composed, [true, 'にほん']);
    await content.fill('x'.repeat(16_385));
    await desk.page.keyboard.press('Enter');
    await desk.page.getByText('This answer is too long.').waitFor();
    await content.fill('short');
    await desk.page.keyboard.press('Enter');
    await desk.hears('short');
    await desk.watch.expecting(/status of 4/, async () => {
      await desk.page.evaluate(() => {
        const key =
          Object.keys(localStorage).find((name) => /^parlance\.desk\.[0-9a-f]{24}$/.test(name)) ??
          `parlance.desk.${JSON.parse(sessionStorage['parlance.desk.owner']).ownerId}`;
        const chat = location.hash.split('/').at(-1);
        localStorage.setItem(key, JSON.stringify([{ client_id: 'old', chat, message: `too long ${'y'.repeat(16_384)}`, time: new Date().toISOString() }]));
        window.dispatchEvent(new StorageEvent('storage', { key }));
      });
      await desk.page.getByText('Not sent: The message is too long.').waitFor();
    });
    await desk.page.getByRole('button', { name: 'Edit' }).click();
    assert.match(await content.inputValue(), /^too long yyy/);
    await content.fill('');
  });

  test('what is half written is kept with its chat, over a reload and in two tabs', async () => {
    const first = await owner.guest('Draft', 'Are you there?');
    await owner.guest('Other', 'And you?');
    const content = desk.page.locator('#content');
    await row('Draft').click();
    await desk.hears('Are you there?');
    await content.fill('Half an answer');
    await row('Other').click();
    await desk.hears('And you?');
    assert.equal(await content.inputValue(), '');
    await content.fill('To the other');
    await row('Draft').click();
    await desk.eventually(() => content.inputValue(), 'Half an answer');
    await desk.page.reload();
    await desk.hears('Are you there?');
    assert.equal(await content.inputValue(), 'Half an answer');
    await answer('A whole answer', desk.page);
    await desk.hears('A whole answer');
    await desk.page.reload();
    await desk.hears('A whole answer');
    assert.equal(await content.inputValue(), '');
    for (const chat of (await owner.waiting()).filter(({ name }) => name === 'Other')) await owner.say('closeChat', { chatId: chat._id });
    await owner.say('closeChat', { chatId: first.chatId });
  });

  test('a desk that slept hears and answers within seconds', async () => {
    const path = await NetworkPath.open(server);
    const opened = await owner.guest('Early', 'Good night');
    const person = await Object.assign(Object.create(owner), { server: { url: path.url } }).atDesk(browser);
    await row('Early', person).click();
    await person.hears('Good night');
    await person.watch.expecting(AWAY, async () => {
      path.forget();
      await owner.say('newMessage', { token: opened.guestToken, chatId: opened.chatId, message: 'Are you up?' });
      await person.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
      await answer('Good morning', person.page);
      await person.bubble('Are you up?').waitFor({ timeout: SECONDS });
      await person.page.locator('#messages .message:not(.pending) .bubble', { hasText: 'Good morning' }).waitFor({ timeout: SECONDS });
      await person.line('live');
    });
    await person.leave();
    await path.close();
  });

  test('a long queue is all there, and can be searched', async () => {
    const before = (await owner.waiting()).length;
    for (let number = 0; number < MANY; number += 1) await owner.guest(`Crowd${String(number).padStart(3, '0')}`, 'Me too');
    const total = before + MANY;
    await desk.eventually(() => desk.page.locator('#waiting-count').textContent(), String(total));
    await desk.page.locator('#waiting-more').click();
    await desk.eventually(async () => (await names('waiting')).length, total);
    await desk.page.locator('#waiting-more').waitFor({ state: 'hidden' });
    await desk.page.getByLabel('Search guests').fill('CROWD112');
    await desk.eventually(() => names('waiting'), ['Crowd112']);
    await desk.page.locator('#active-none', { hasText: 'Nothing found.' }).waitFor();
    await row('Crowd112').click();
    await desk.hears('Me too');
    await answer('You are served');
    await desk.hears('You are served');
    await desk.page.getByLabel('Search guests').fill('');
    await desk.eventually(async () => (await names('active')).includes('Crowd112'), true);
    desk.watch.assertQuiet();
  });
});
