// The pages under a path of somebody's host: nothing of them may ask for the root.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PrefixProxy } from './prefix.js';
import { Person, openBrowser } from './person.js';
import { Server } from './server.js';

describe('under a path prefix', () => {
  let server;
  let browser;
  let proxy;
  let ann;

  before(async () => {
    server = await Server.start();
    browser = await openBrowser();
    proxy = await PrefixProxy.open(server, '/some/chat');
    ann = await Person.arrive(browser, { url: proxy.url }, 'Ann');
  });

  after(async () => {
    await browser?.close();
    await proxy?.close();
    await server?.end();
  });

  test('the messenger signs up, writes, hears and signs out', async () => {
    await ann.signUp();
    const [token] = (await ann.context.cookies(`${proxy.url}/`)).filter(({ name }) => name === 'token');
    assert.equal(token.path, '/some/chat/');
    await ann.startChat('Harbour');
    await ann.say('Under a path');
    await ann.hasSent('Under a path');
    await ann.line('live');
    await ann.page.getByRole('button', { name: 'Account and settings' }).click();
    await ann.page.getByRole('switch', { name: 'Keep one connection open' }).check();
    await ann.page.keyboard.press('Escape');
    const bo = await Person.arrive(browser, { url: proxy.url }, 'Bo');
    await bo.signUp();
    await bo.join('Harbour');
    await bo.say('I hear you');
    await ann.hears('I hear you');
    const kept = await ann.page.evaluate(() => Object.keys(localStorage));
    assert.ok(kept.includes('/some/chat/ parlance.stream'));
    const others = kept.filter((key) => !key.startsWith('/some/chat/ '));
    assert.deepEqual(others, [], 'what is kept is apart from another server on the same host');
    await bo.leave();
  });

  test('the console and the widget of the shop talk to each other', async () => {
    const owner = await Person.arrive(browser, { url: proxy.url }, 'Olga');
    await owner.page.goto(`${proxy.url}/console#/register`);
    const form = owner.page.getByRole('form', { name: 'Register a site' });
    await form.getByLabel('Domain').fill('127.0.0.1');
    await form.getByLabel('E-mail').fill('olga@shop.example');
    await form.getByLabel('Password').fill(owner.password);
    await form.getByRole('button').click();
    await owner.page.locator('#app').waitFor();
    await owner.line('live');

    const guest = await Person.arrive(browser, { url: proxy.url }, 'Gus');
    await guest.page.goto(`${proxy.url}/shop`);
    assert.equal(await guest.page.locator('#register').evaluate((link) => link.href), `${proxy.url}/console/#/register/127.0.0.1`);
    await guest.page.getByRole('button', { name: 'Ask us about tea' }).click();
    await guest.page.getByLabel('Your name').fill('Gus');
    await guest.page.getByLabel('Your e-mail').fill('gus@example.org');
    await guest.page.locator('textarea[name=message]').fill('Green or black?');
    await guest.page.getByRole('button', { name: 'Start chat' }).click();
    await owner.page.locator('a.chat-row', { hasText: 'Gus' }).click();
    await owner.hears('Green or black?');
    await owner.page.locator('#content').fill('Green it is');
    await owner.page.getByRole('button', { name: 'Send' }).click();
    await guest.page.locator('parlance-widget').getByText('Green it is', { exact: true }).first().waitFor();
    await owner.leave();
    await guest.leave();
  });

  test('the documentation finds its document', async () => {
    const reader = await Person.arrive(browser, { url: proxy.url }, 'Reader');
    const document = reader.page.waitForResponse((response) => response.url().endsWith('/openapi.json'));
    await reader.page.goto(`${proxy.url}/swagger`);
    assert.equal((await document).url(), `${proxy.url}/openapi.json`);
    await reader.page.getByText('Parlance').first().waitFor();
    await reader.context.close();
  });

  test('nothing asked for the root', () => {
    assert.deepEqual(proxy.strays, []);
    ann.watch.assertQuiet();
  });
});
