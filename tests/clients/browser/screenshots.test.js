// The main states of the messenger as pictures, at a desk and on a phone, light and dark: they go into the folder
// PARLANCE_SCREENSHOTS (docs/screenshots is made so), or nowhere. All of them have to pass as accessible.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Person, openBrowser } from './person.js';
import { Server } from './server.js';

const FOLDER = process.env.PARLANCE_SCREENSHOTS;
const DESK = { width: 1180, height: 740 };
const PHONE = { width: 390, height: 760 };

describe('pictures of the messenger', () => {
  let server;
  let browser;
  let ann;
  let bo;
  let cy;

  /** @param themes of which there is to be a picture; each of both is checked */
  async function picture(person, name, themes = ['light']) {
    const { page } = person;
    await person.assertAccessible(name);
    for (const theme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: theme });
      if (theme === 'dark') await person.assertAccessible(`${name}, dark`);
      // A cursor that blinks makes every picture another one.
      if (FOLDER && themes.includes(theme)) await page.screenshot({ path: join(FOLDER, `${name}-${theme}.png`), caret: 'hide', animations: 'disabled' });
    }
    await page.emulateMedia({ colorScheme: 'light' });
  }

  before(async () => {
    if (FOLDER) await mkdir(FOLDER, { recursive: true });
    server = await Server.start();
    browser = await openBrowser();
    ann = await Person.arrive(browser, server, 'Ann Sorley', { viewport: DESK });
    bo = await Person.arrive(browser, server, 'Bo Lindqvist', { viewport: DESK });
    cy = await Person.arrive(browser, server, 'Cy Adeyemi', { viewport: PHONE, hasTouch: true, isMobile: true });
  });

  after(async () => {
    await browser?.close();
    await server?.end();
  });

  test('before signing in', async () => {
    await ann.page.goto(server.url);
    await ann.page.locator('#sign-in').waitFor();
    await picture(ann, 'desk-sign-in');
    await cy.page.goto(`${server.url}/#/sign-up`);
    await cy.page.locator('#sign-up').waitFor();
    await picture(cy, 'phone-sign-up');
  });

  test('nothing yet, and a conversation of three', async () => {
    await ann.signUp();
    await ann.page.getByRole('button', { name: 'Not now' }).click();
    await picture(ann, 'desk-empty');
    for (const person of [bo, cy]) {
      await person.signUp();
      await person.page.getByRole('button', { name: 'Not now' }).click();
    }
    await bo.startChat('Reading circle');
    await bo.say('Next up: *The Dispossessed*');
    await ann.startChat('Garden party');
    await ann.say('Saturday it is. **Who brings what?**\n\n- something to drink\n- a salad or two\n- [chairs](https://example.org/chairs)');
    for (const person of [bo, cy]) await person.join('Garden party');
    await bo.bubble('Saturday').hover();
    await bo.page.getByRole('button', { name: 'Reply' }).click();
    await bo.say('I bring the grill, and @Cy Adeyemi the playlist 🎶');
    await cy.say('On it. The last one, for the record:\n\n```js\nplay(shuffle(summer), { until: midnight });\n```');
    await cy.say('🎉');
    await ann.hears('until: midnight');
    await ann.bubble('I bring the grill').click({ button: 'right' });
    await ann.page.getByRole('button', { name: 'React with 👍' }).click();
    await cy.hears('I bring the grill');
    await bo.page.locator('.reaction', { hasText: '👍' }).first().click();
    await ann.page.locator('.reaction[aria-pressed=true]', { hasText: '2' }).waitFor();
    await ann.page.mouse.move(0, 0);
    await picture(ann, 'desk-chat', ['light', 'dark']);
    await picture(cy, 'phone-chat', ['light', 'dark']);
    assert.equal(
      await cy.page.evaluate(() => Math.max(...[...document.querySelectorAll('.bubble')].map((each) => each.getBoundingClientRect().right)) <= innerWidth),
      true,
      'nothing sticks out',
    );
  });

  test('a menu, the emoji, and the details', async () => {
    await cy.bubble('Saturday').first().dispatchEvent('pointerdown', { pointerType: 'touch', clientX: 120, clientY: 300, bubbles: true });
    await cy.page.getByRole('menu', { name: 'Message' }).waitFor();
    await picture(cy, 'phone-menu', ['dark']);
    await cy.page.keyboard.press('Escape');
    await cy.page.getByRole('link', { name: 'Back to chats' }).click();
    await cy.row('Reading circle').waitFor();
    await picture(cy, 'phone-list');
    await ann.page.getByRole('button', { name: 'Emoji', exact: true }).click();
    await ann.page.getByLabel('Find an emoji').fill('summer');
    await ann.page.getByRole('gridcell').first().waitFor();
    await picture(ann, 'desk-emoji');
    await ann.page.keyboard.press('Escape');
    await ann.page.getByRole('button', { name: 'Details and members' }).click();
    await ann.page.getByText('Cy Adeyemi', { exact: true }).last().waitFor();
    await picture(ann, 'desk-details');
    await ann.page.keyboard.press('Escape');
  });
});
