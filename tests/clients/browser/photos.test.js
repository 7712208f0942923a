// Photos are elsewhere: they are seen where that is allowed, and initials stay where they cannot be.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { chapters } from './chapters.js';
import { Person, openBrowser } from './person.js';
import { Server } from './server.js';

const HOST = 'https://photos.example';
const square = (side) => `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}"><rect width="100%" height="100%" fill="teal"/></svg>`;

describe('photos', () => {
  const test = chapters();
  let server;
  let browser;
  let ann;
  let bo;
  /** What the host of the photos was asked for. */
  const asked = [];

  /** Stands in for the host of the photos. */
  const host = async (route) => {
    const request = route.request();
    asked.push({ path: new URL(request.url()).pathname, headers: await request.allHeaders() });
    if (request.url().endsWith('/gone.png')) return route.fulfill({ status: 404, body: '' });
    return route.fulfill({ contentType: 'image/svg+xml', body: square(request.url().endsWith('/huge.png') ? 5_000 : 64) });
  };

  before(async () => {
    server = await Server.start();
    browser = await openBrowser();
    ann = await Person.arrive(browser, server, 'Ann');
    bo = await Person.arrive(browser, server, 'Bo');
    for (const person of [ann, bo]) {
      await person.context.route(`${HOST}/**`, host);
      await person.signUp();
    }
    await ann.startChat('Garden party');
    await ann.say('hello');
    await bo.join('Garden party');
    await bo.hears('hello');
  });

  after(async () => {
    await browser?.close();
    await server?.end();
  });

  /** Somebody gives the address of their photo, and is told this; `meanwhile` is done before the panels are closed. */
  const gives = async (person, photo, { told = 'Saved.', meanwhile = async () => {} } = {}) => {
    const { page } = person;
    await page.getByRole('button', { name: 'Account' }).click();
    await page.locator('#account').getByRole('button', { name: 'Edit' }).click();
    const sheet = page.getByRole('dialog', { name: 'Your profile' });
    await sheet.getByLabel('Photo').fill(photo);
    await sheet.getByRole('button', { name: 'Save' }).click();
    await sheet.getByText(told, { exact: true }).waitFor();
    await sheet.getByRole('button', { name: 'Close' }).click();
    await meanwhile();
    await page.locator('#account').getByRole('button', { name: 'Close' }).click();
  };
  const face = (person) => person.page.locator('.message.first .face').first();
  const seen = (person) => face(person).locator('img.loaded');

  test('a photo is seen wherever its person is, also by who comes later', async () => {
    await gives(ann, `${HOST}/ann.png`, { meanwhile: () => ann.page.locator('#who-face img.loaded').waitFor() });
    await seen(bo).waitFor();
    await bo.page.reload();
    await seen(bo).waitFor();
    await bo.eventually(() => seen(bo).evaluate((image) => image.naturalWidth), 64);
    await face(bo).click();
    await bo.page.locator('.person-card .face img.loaded').waitFor();
    await bo.page.getByRole('menuitem', { name: 'Write to Ann' }).click();
    const row = bo.page.locator('a.chat-row', { has: bo.page.locator('.chat-title', { hasText: /^Ann$/u }) });
    await row.locator('.face img.loaded').waitFor();
    await bo.openChat('Garden party');
    await bo.page.getByRole('button', { name: 'Details and members' }).click();
    await bo.page.locator('.member .face img.loaded').waitFor();
    await bo.assertAccessible('members with a photo');
    await bo.page.keyboard.press('Escape');
    assert.ok(asked.length > 0);
    for (const { headers } of asked) assert.deepEqual([headers.referer, headers.cookie], [undefined, undefined], 'its host learns no more than it must');
  });

  test('what cannot be loaded, or is too large, leaves the initials', async () => {
    for (const person of [ann, bo]) person.watch.allowed.push(/status of 404/u);
    for (const path of ['/gone.png', '/huge.png']) {
      await gives(ann, `${HOST}${path}`);
      await bo.eventually(() => asked.some((each) => each.path === path), true);
      await bo.eventually(() => face(bo).locator('img').count(), 0);
      assert.equal(await face(bo).textContent(), 'A');
    }
    await gives(ann, 'http://photos.example/ann.png', { told: 'Saved. Only a photo with an https address is seen here.' });
    await bo.eventually(() => face(bo).locator('img').count(), 0);
  });

  test('an operator keeps pictures from elsewhere away', async () => {
    const strict = await Server.start({ ROCKET_EXTERNAL_PHOTOS: 'false' });
    const cy = await Person.arrive(browser, strict, 'Cy');
    const before = asked.length;
    await cy.context.route(`${HOST}/**`, host);
    await cy.signUp();
    await gives(cy, `${HOST}/cy.png`);
    assert.equal(await cy.page.locator('#who-face').textContent(), 'C');
    await cy.watch.expecting(/policy violated|violates the following Content Security Policy/iu, async () => {
      const blocked = cy.page.evaluate(
        (src) =>
          new Promise((resolve) => {
            document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective), { once: true });
            const image = new Image();
            image.src = src;
            document.body.append(image);
          }),
        `${HOST}/forced.png`,
      );
      assert.equal(await blocked, 'img-src');
    });
    assert.equal(asked.length, before);
    await cy.leave();
    await strict.end();
  });

  test('nobody saw an error or a broken rule of the page', () => {
    for (const person of [ann, bo]) person.watch.assertQuiet();
  });
});
