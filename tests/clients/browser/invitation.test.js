// The page of an invitation: who has an account, who has none, and who comes too late.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { Person, openBrowser } from './person.js';
import { Server } from './server.js';
import { chapters } from './chapters.js';

describe('the page of an invitation', () => {
  const test = chapters();
  let server;
  let browser;
  let ann;
  let bo;
  let chat;

  /** Makes an invitation to Ann's chat, and returns the address of its page. */
  async function invite(uses) {
    const made = await ann.request('POST', `${chat}/invites`, { uses: String(uses) });
    return `${server.url}${(await made.json()).url}`;
  }

  before(async () => {
    server = await Server.start();
    browser = await openBrowser();
    ann = await Person.arrive(browser, server, 'Ann');
    bo = await Person.arrive(browser, server, 'Bo');
    await ann.signUp();
    const made = await ann.request('POST', '/api/chats', { title: 'Garden party', private: 'true' });
    chat = made.headers().location;
  });

  after(async () => {
    await browser?.close();
    await server?.end();
  });

  test('who has no account signs up and is in the chat', async () => {
    const { page } = bo;
    await page.goto(await invite(1));
    await page.getByRole('heading', { name: 'Garden party' }).waitFor();
    assert.match(await page.locator('#invited-by').textContent(), /^Ann invites you\. One person is in this chat\.$/);
    await bo.assertAccessible('an invitation, signing up');
    const form = page.getByRole('form', { name: 'Create an account' });
    await form.getByLabel('Name').fill('Bo');
    await form.getByLabel('E-mail').fill('bo@example.org');
    await form.getByRole('button', { name: 'Create account and join' }).click();
    assert.equal(await form.getByRole('alert').textContent(), 'Password is missing.');
    await form.getByLabel('Password').fill(bo.password);
    await form.getByRole('button', { name: 'Create account and join' }).click();
    await bo.atDesk();
    await page.getByRole('heading', { name: 'Garden party' }).waitFor();
    await bo.say('thank you');
    await bo.hasSent('thank you');
  });

  test('who is signed in joins, and who is not signs in and joins', async () => {
    const cy = await Person.arrive(browser, server, 'Cy');
    await cy.signUp();
    const address = await invite(5);
    await cy.page.goto(address);
    await cy.assertAccessible('an invitation, joining');
    await cy.page.getByRole('button', { name: 'Join the chat' }).click();
    await cy.atDesk();
    await cy.page.getByRole('heading', { name: 'Garden party' }).waitFor();
    await cy.leave();

    const dee = await Person.arrive(browser, server, 'Dee');
    await dee.signUp();
    await dee.context.clearCookies();
    await dee.page.goto(address);
    await dee.page.getByRole('link', { name: 'Sign in' }).click();
    const form = dee.page.getByRole('form', { name: 'Sign in' });
    await form.getByLabel('Name').fill('Dee');
    await form.getByLabel('Password').fill(dee.password);
    await form.getByRole('button', { name: 'Sign in and join' }).click();
    await dee.atDesk();
    await dee.page.getByRole('heading', { name: 'Garden party' }).waitFor();
    await dee.leave();
  });

  test('an invitation that is used up says so', async () => {
    const late = await Person.arrive(browser, server, 'Late', { viewport: { width: 360, height: 640 } });
    const address = await invite(1);
    const code = address.split('/').pop();
    await bo.request('POST', `${chat}/leave`);
    await bo.request('POST', `/api/invites/${code}`);
    await late.watch.expecting(/status of 404/, async () => {
      await late.page.goto(address);
      await late.page.getByText('This invitation is not good any more. Ask for a new one.').waitFor();
    });
    assert.equal(await late.page.locator('form:visible').count(), 0);
    await late.assertAccessible('an invitation that is over');
    await late.page.getByRole('link', { name: 'Open Parlance' }).click();
    await late.page.getByRole('form', { name: 'Sign in' }).waitFor();
    await late.leave();
    bo.watch.assertQuiet();
    ann.watch.assertQuiet();
  });
});
