// From nothing: a private chat, an invitation by its link, people found by name, a search, a profile.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { chapters } from './chapters.js';
import { PHONE, closeStage, openStage } from './stage.js';

describe('newcomers', () => {
  const test = chapters();
  let server;
  let browser;
  let ann;
  let bo;
  let cy;

  before(async () => {
    ({ server, browser, ann, bo, cy } = await openStage({ ann: 'Ann', bo: 'Bo Lindqvist', cy: ['Cy', { ...PHONE, colorScheme: 'light' }] }));
  });

  after(() => closeStage({ server, browser }));

  test('the first page says what else is here', async () => {
    await ann.page.goto(server.url);
    await ann.page.getByRole('link', { name: 'A shop with live support' }).waitFor();
    await ann.page.getByText('Chat with everybody who is here.').waitFor();
    await ann.assertAccessible('the first page');
    for (const name of ['A shop with live support', 'The support desk', 'The documents of every route']) {
      const href = await ann.page.getByRole('link', { name }).getAttribute('href');
      assert.equal((await ann.context.request.get(`${server.url}/${href}`)).status(), 200, name);
    }
    await ann.signUp();
    await bo.signUp();
  });

  test('a private chat is made with people who are found by name', async () => {
    const { page } = ann;
    await page.getByRole('button', { name: 'New chat' }).click();
    await page.getByRole('radio', { name: 'Some people' }).check();
    await page.getByLabel('What is it about?').fill('Surprise');
    await page.getByLabel('Find people by name').fill('bo');
    await page.getByRole('option', { name: 'Bo Lindqvist' }).click();
    await page.getByRole('button', { name: 'Not Bo Lindqvist' }).waitFor();
    await ann.assertAccessible('a new chat');
    await page.getByRole('button', { name: 'Start chat' }).click();
    await page.getByRole('heading', { name: 'Surprise' }).waitFor();
    await ann.eventually(() => page.locator('#room-sub').textContent(), '2 members · Private');
    await ann.say('Nobody else may know of the cake');
    await bo.openChat('Surprise');
    await bo.hears('the cake');
  });

  test('by a link somebody comes who has no account yet', async () => {
    const { page } = ann;
    await page.getByRole('button', { name: 'Details and members' }).click();
    await page.getByRole('heading', { name: 'Invite by a link' }).waitFor();
    await page.getByRole('button', { name: 'Make a link' }).click();
    await ann.eventually(async () => /\/invite\/[\w-]+$/u.test(await page.getByLabel('The link').inputValue()), true);
    await ann.assertAccessible('an invitation');
    const link = await page.getByLabel('The link').inputValue();
    await page.keyboard.press('Escape');

    await cy.page.goto(link);
    await cy.page.getByRole('heading', { name: 'Surprise' }).waitFor();
    const form = cy.page.getByRole('form', { name: 'Create an account' });
    await form.getByLabel('Name').fill('Cy');
    await form.getByLabel('E-mail').fill('cy@example.org');
    await form.getByLabel('Password').fill(cy.password);
    await form.getByRole('button', { name: 'Create account and join' }).click();
    await cy.hears('the cake');
    await ann.eventually(() => page.locator('#room-sub').textContent(), '3 members · Private');
  });

  test('one writes to one other person', async () => {
    const { page } = cy;
    await page.getByRole('link', { name: 'Back to chats' }).click();
    await page.getByRole('button', { name: 'New chat' }).click();
    await page.getByRole('radio', { name: 'One person' }).check();
    await page.getByRole('option', { name: 'Ann' }).click();
    await page.getByRole('heading', { name: 'Ann', exact: true }).waitFor();
    await cy.say('Chocolate, I hope?');
    await ann.eventually(() => ann.row('Cy').locator('.badge .sr-only').textContent(), '1 unread message');
    await ann.openChat('Cy');
    await ann.bubble('Chocolate').hover();
    await ann.page.getByRole('button', { name: 'React', exact: true }).click();
    await ann.page.getByRole('menuitem', { name: 'More emoji' }).click();
    await ann.page.keyboard.type('chocolate bar');
    await ann.eventually(() => ann.page.locator('.emoji-name').textContent(), 'chocolate bar');
    await ann.page.keyboard.press('Enter');
    const chip = cy.page.locator('.reaction:not(.more)');
    await cy.eventually(() => chip.getAttribute('aria-pressed'), 'false');
    await chip.click();
    await ann.page.locator('.reaction', { hasText: '2' }).waitFor();
    await cy.assertAccessible('a reaction, on a phone');
    await chip.click();
    await ann.page.locator('.reaction', { hasText: '1' }).waitFor();
  });

  test('a search finds a message, and opens it where it was said', async () => {
    const path = '/api/chats/1';
    for (let number = 1; number <= 120; number += 1) assert.equal((await bo.request('POST', path, { content: `Filler ${number}` })).status(), 201);
    const { page } = ann;
    await page.getByLabel('Find a chat or a message').fill('CAKE');
    const hit = page.locator('.hit', { hasText: 'the cake' });
    await hit.waitFor();
    assert.equal(await hit.locator('mark').textContent(), 'cake');
    await ann.assertAccessible('a search');
    await hit.click();
    const found = page.locator('.message.found', { hasText: 'the cake' });
    await found.waitFor();
    // Drawn anew, for a reaction here, it still stands out and has the focus.
    const id = await found.getAttribute('data-message');
    assert.equal((await cy.request('PUT', `${path}/messages/${id}/reactions/🎂`)).status(), 200);
    await found.locator('.reaction', { hasText: '🎂' }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('data-message')), id);
    await page.getByRole('heading', { name: 'Surprise' }).waitFor();
    await page.getByRole('button', { name: 'Newest' }).click();
    await ann.hears('Filler 120');
    await page.getByRole('button', { name: 'Search in this chat' }).click();
    await page.getByText('In “Surprise”').waitFor();
    await page.getByLabel('Find a chat or a message').fill('chocolate');
    await page.getByText('No message has these words.').waitFor();
    await page.getByRole('button', { name: 'Search everywhere' }).click();
    await page.locator('.hit', { hasText: 'Chocolate' }).waitFor();
    await page.getByLabel('Find a chat or a message').fill('');
  });

  test('a search of a long history says how far it has looked, and goes on', async () => {
    const { page } = ann;
    const box = page.getByLabel('Find a chat or a message');
    const year = new Date().getFullYear() - 1;
    const asked = [];
    let empty = 0;
    // What a server says of a history of a million messages: nothing yet, so often.
    await page.route('**/api/search?*', async (route) => {
      const before = new URL(route.request().url()).searchParams.get('before');
      asked.push(before);
      empty -= 1;
      if (empty < 0) return route.continue();
      const body = { hits: [], people: [], has_more: true, before: 1_000_000 + empty, looked_back_to: `${year}-03-03T12:00:00.000Z` };
      return route.fulfill({ json: body });
    });
    // What the search before this one has found is gone: it must not be taken for what this one finds.
    await page.locator('.hit').first().waitFor({ state: 'detached' });
    // A few times it goes on by itself.
    empty = 3;
    await box.fill('chocolate');
    await page.locator('.hit', { hasText: 'Chocolate' }).waitFor();
    assert.deepEqual(asked, [null, '1000002', '1000001', '1000000']);
    assert.equal(await page.locator('#hits-note').isVisible(), false);
    // Then it says how far it has come, and goes on when asked to.
    asked.length = 0;
    empty = 8;
    await box.fill('chocolate z');
    await page.getByText(`Looked back to 3 March ${year}.`).waitFor();
    assert.equal(asked.length, 8);
    assert.equal(await page.locator('.hit').count(), 0);
    await ann.assertAccessible('a search that goes on');
    await page.getByRole('button', { name: 'Look further' }).click();
    await page.getByText('No message has these words.').waitFor();
    assert.equal(asked.at(-1), '1000000');
    assert.equal(await page.locator('#more-hits').isVisible(), false);
    await page.unroute('**/api/search?*');
    await box.fill('');
  });

  test('a new name is seen everywhere at once', async () => {
    const { page } = bo;
    await page.getByRole('button', { name: 'Account and settings' }).click();
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await page.getByRole('form', { name: 'Profile' }).getByLabel('Name').fill('Bo the Baker');
    await bo.assertAccessible('one’s profile');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    await ann.page.locator('.message .from', { hasText: 'Bo the Baker' }).first().waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
  });

  test('nobody saw an error or a broken rule of the page', () => {
    for (const person of [ann, bo, cy]) person.watch.assertQuiet();
  });
});
