// A search from beginning to end: in one chat and out of it again, what it found marked where it was said, and the way back.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PHONE, closeStage, openStage } from './stage.js';

describe('finding what was said', () => {
  let server;
  let browser;
  let ann;
  let bo;
  let cy;

  before(async () => {
    ({ server, browser, ann, bo, cy } = await openStage({ ann: ['Ann', { viewport: { width: 1280, height: 800 } }], bo: 'Bo', cy: ['Cy', PHONE] }));
    for (const person of [ann, bo, cy]) await person.signUp();
    await ann.startChat('Elsewhere');
    await ann.startChat('Lighthouse');
    for (const person of [bo, cy]) await person.join('Lighthouse');
    for (const text of ['First of all', 'The lantern is *lit* at dusk', 'Lanterns need oil']) {
      await bo.say(text);
      await bo.hasSent(text.replaceAll('*', ''));
    }
    for (let number = 1; number <= 30; number += 1) {
      assert.equal((await ann.request('POST', '/api/chats/2', { content: `Filler ${number}` })).status(), 201);
    }
    for (const person of [ann, cy]) await person.hears('Filler 30');
  });

  after(() => closeStage({ server, browser }));

  const box = (person) => person.page.getByLabel('Find a chat or a message');
  const scope = (person) => person.page.locator('#scope');
  const selected = (person) => person.page.evaluate(() => getSelection().toString());
  /** What is marked in the messages, in order. */
  const marks = (person) => person.page.evaluate(() => [...(CSS.highlights.get('found') ?? [])].map(String));

  test('a search in one chat ends with another chat, and with the query', async () => {
    const { page } = ann;
    await ann.openChat('Lighthouse');
    await box(ann).fill('lantern');
    await page.getByRole('button', { name: 'Search in this chat' }).click();
    await page.getByText('In “Lighthouse”').waitFor();
    await ann.eventually(() => selected(ann), 'lantern');
    await page.keyboard.type('umbrella');
    await page.getByText('No message has these words.').waitFor();
    assert.equal(await page.getByText('No chat is called').count(), 0);
    await page.keyboard.press('Alt+ArrowDown');
    await page.goto(`${server.url}/#/chats/1`);
    await page.getByRole('heading', { name: 'Elsewhere' }).waitFor();
    await scope(ann).waitFor({ state: 'hidden' });
    await box(ann).fill('');
    await ann.openChat('Lighthouse');
    await page.getByRole('button', { name: 'Search in this chat' }).click();
    await page.getByText('In “Lighthouse”').waitFor();
    await page.keyboard.type('lantern');
    await page.getByRole('button', { name: 'Clear the search' }).click();
    await scope(ann).waitFor({ state: 'hidden' });
    assert.equal(await box(ann).inputValue(), '');
    await page.getByRole('button', { name: 'Clear the search' }).waitFor({ state: 'hidden' });
  });

  test('a chat that is called something else meanwhile is searched by its new name', async () => {
    await ann.openChat('Lighthouse');
    await ann.page.getByRole('button', { name: 'Search in this chat' }).click();
    await ann.page.getByText('In “Lighthouse”').waitFor();
    assert.equal((await ann.request('PATCH', '/api/chats/2', { title: 'Beacon' })).status(), 200);
    await ann.page.getByText('In “Beacon”').waitFor();
    assert.equal((await ann.request('PATCH', '/api/chats/2', { title: 'Lighthouse' })).status(), 200);
    await ann.page.getByText('In “Lighthouse”').waitFor();
    await ann.page.getByRole('button', { name: 'Search everywhere' }).click();
  });

  test('what was found is marked in its message, with who said it and when, until one goes on', async () => {
    const { page } = ann;
    await ann.openChat('Lighthouse');
    await box(ann).fill('lant');
    await page.locator('.hit', { hasText: 'Lanterns need' }).click();
    const found = page.locator('.message.found', { hasText: 'Lanterns need oil' });
    await found.waitFor();
    await ann.eventually(async () => (await marks(ann)).length, 1);
    assert.match((await marks(ann))[0], /^Lant/u);
    assert.match(await found.locator('.from').innerText(), /^Bo · .*\d{4}.*\d\d:\d\d/u);
    await ann.assertAccessible('what was found');
    const tint = () => found.evaluate((row) => getComputedStyle(row).backgroundColor);
    assert.notEqual(await tint(), 'rgba(0, 0, 0, 0)');
    // Another hit takes its place at once.
    await page.locator('.hit', { hasText: 'at dusk' }).click();
    await page.locator('.message.found', { hasText: 'at dusk' }).waitFor();
    assert.equal(await page.locator('.message.found').count(), 1);
    assert.equal((await marks(ann)).length, 1);
  });

  test('what stands out does so for six seconds, and then until one does something', async () => {
    const { page } = ann;
    await page.clock.install();
    await page.goto(`${server.url}/#/chats/2`);
    await page.reload();
    await ann.hears('Filler 30');
    const { messages } = await (await ann.request('GET', '/api/chats/2?limit=60')).json();
    const { id } = messages.find(({ content }) => content === 'First of all');
    await page.evaluate((hash) => (location.hash = hash), `#/chats/2/${id}`);
    const found = page.locator('.message.found', { hasText: 'First of all' });
    await found.waitFor();
    await page.keyboard.press('Shift');
    await page.clock.runFor(5_000);
    assert.equal(await found.count(), 1);
    await page.clock.runFor(2_000);
    await found.waitFor({ state: 'detached' });
    await page.evaluate((hash) => (location.hash = hash), `#/chats/2/${id}`);
    await found.waitFor();
    await page.clock.runFor(60_000);
    assert.equal(await found.count(), 1, 'nobody has gone on yet');
    await page.keyboard.press('Shift');
    await page.clock.runFor(100);
    await found.waitFor({ state: 'detached' });
    assert.equal(await page.locator('.message .from', { hasText: '·' }).count(), 0);
    await page.clock.resume();
  });

  test('on a phone one comes back to the hit, and the search can be cleared', async () => {
    const { page } = cy;
    await page.getByRole('link', { name: /^Back to chats/u }).click();
    await box(cy).fill('lantern');
    const hit = page.locator('.hit', { hasText: 'at dusk' });
    await hit.click();
    await page.locator('.message.found', { hasText: 'at dusk' }).waitFor();
    await page.goBack();
    await cy.eventually(() => page.evaluate(() => document.activeElement.textContent.includes('at dusk')), true);
    assert.equal(await box(cy).inputValue(), 'lantern');
    await cy.assertAccessible('a search, on a phone, dark');
    const clear = page.getByRole('button', { name: 'Clear the search' });
    await clear.click();
    await hit.waitFor({ state: 'detached' });
    await cy.row('Lighthouse').waitFor();
  });

  test('a list of unread chats alone says so, also when one comes back to it', async () => {
    const { page } = cy;
    await page.getByRole('button', { name: 'Only unread chats' }).click();
    await page.locator('#unread-note').waitFor();
    await ann.openChat('Lighthouse');
    await ann.say('Something new');
    await cy.row('Lighthouse').click();
    await cy.hears('Something new');
    await page.goBack();
    await page.getByText('Nothing is unread.').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement !== document.body), true);
    await page.getByRole('button', { name: 'Show all' }).click();
    await cy.row('Lighthouse').waitFor();
    await page.locator('#unread-note').waitFor({ state: 'hidden' });
  });

  test('nobody saw an error or a broken rule of the page', () => {
    for (const person of [ann, bo, cy]) person.watch.assertQuiet();
  });
});
