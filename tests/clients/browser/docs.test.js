// The documentation, as a reader sees it: light and dark, on a desk and on a phone.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person, openBrowser } from './person.js';
import { Server } from './server.js';

const PAGES = ['docs/', 'docs/errors', 'docs/guides/', 'docs/guides/phone-app', 'docs/service', 'docs/messenger', 'types/'];
const WIDE = ['docs/messenger', 'docs/service', 'docs/support', 'docs/webhooks', 'docs/metrics'];
const SHAPES = [
  { name: 'desk-light', viewport: { width: 1200, height: 800 }, colorScheme: 'light' },
  { name: 'phone-dark', viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
];

describe('documentation', () => {
  let server;
  let browser;

  before(async () => {
    server = await Server.start();
    browser = await openBrowser();
  });

  after(async () => {
    await browser?.close();
    await server?.end();
  });

  test('names the address that the reader has, and copies what is typed', async () => {
    const reader = await Person.arrive(browser, server, 'Reader', SHAPES[0]);
    await reader.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const { page } = reader;
    await page.goto(`${server.url}/docs/guides/python-bot`);
    const text = await page.locator('main').innerText();
    assert.equal(text.includes('127.0.0.1:8000'), false, 'the address of the documents is nowhere');
    assert.ok(text.includes(server.url));
    const copied = async (words) => {
      const block = page.locator('.copyable', { hasText: words }).first();
      await block.hover();
      await block.getByRole('button', { name: 'Copy' }).click();
      await block.getByRole('button', { name: 'Copied' }).waitFor();
      return page.evaluate(() => navigator.clipboard.readText());
    };
    assert.equal(await copied('$ parlance'), 'parlance\n', 'without the prompt');
    assert.match(await copied('-c helper'), new RegExp(`${server.url}/api/reg`, 'u'));
    await reader.leave();
  });

  for (const { name, ...shape } of SHAPES) {
    test(`is readable: ${name}`, async () => {
      const reader = await Person.arrive(browser, server, 'Reader', shape);
      for (const path of PAGES) {
        await reader.page.goto(`${server.url}/${path}`);
        await reader.assertAccessible(`${path} ${name}`);
        const wide = await reader.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
        assert.equal(wide, false, `${path} is no wider than the window`);
      }
      await reader.leave();
    });
  }

  test('has tables that are whole on a desk, and say on a phone that there is more', async () => {
    const reader = await Person.arrive(browser, server, 'Reader', { viewport: { width: 1280, height: 800 } });
    const cut = () => reader.page.evaluate(() => [...document.querySelectorAll('.table')].filter((it) => it.scrollWidth > it.clientWidth).length);
    for (const path of WIDE) {
      await reader.page.goto(`${server.url}/${path}`);
      assert.equal(await cut(), 0, `${path} is whole`);
    }
    await reader.page.setViewportSize({ width: 375, height: 800 });
    await reader.page.goto(`${server.url}/docs/messenger`);
    assert.ok((await cut()) > 0, 'its columns stay readable');
    const shadow = await reader.page.evaluate(() => getComputedStyle(document.querySelector('.table')).backgroundImage);
    assert.match(shadow, /gradient/u);
    await reader.leave();
  });

  test('shows how to be known from the dialog’s beginning, with the cookies last', async () => {
    const reader = await Person.arrive(browser, server, 'Reader', { viewport: { width: 1280, height: 600 } });
    await reader.page.goto(`${server.url}/swagger/`);
    await reader.page.getByRole('button', { name: 'Authorize' }).first().click();
    await reader.page.locator('.modal-ux').waitFor();
    const dialog = await reader.page.evaluate(() => {
      const content = document.querySelector('.modal-ux-content');
      const names = [...content.querySelectorAll('h4')].map((it) => it.textContent.split(/\s/u)[0]);
      return { top: content.scrollTop, names, inField: document.activeElement.tagName === 'INPUT' };
    });
    assert.equal(dialog.top, 0);
    assert.equal(dialog.inField, false);
    assert.deepEqual(dialog.names.slice(-2), ['user_cookie', 'user_token_cookie'], dialog.names.join());
    await reader.leave();
  });
});
