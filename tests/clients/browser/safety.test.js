// A second factor, from turning it on to losing it, and the password that is asked for again.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe } from 'node:test';
import { chapters } from './chapters.js';
import { Person, openBrowser, tabTo } from './person.js';
import { Server } from './server.js';

/** The code of this moment (RFC 6238). @param {string} secret in base 32 */
function codeOf(secret) {
  const bits = [...secret].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/gu) ?? []).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const hash = createHmac('sha1', key).update(step).digest();
  return String((hash.readUInt32BE(hash[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

describe('the safety of an account', () => {
  const test = chapters();
  let server;
  let browser;
  let ann;

  before(async () => {
    server = await Server.start();
    browser = await openBrowser();
    ann = await Person.arrive(browser, server, 'Ann');
    await ann.signUp();
  });

  after(async () => {
    await browser?.close();
    await server?.end();
  });

  const dialog = (name) => ann.page.getByRole('dialog', { name, exact: true });
  /** The codes that are shown this once. */
  const shownCodes = () => ann.page.getByRole('list', { name: 'Recovery codes' }).locator('code').allTextContents();
  let codes;

  test('a second factor is turned on with an app, by keyboard alone', async () => {
    const { page } = ann;
    const { keyboard } = page;
    await tabTo(page, 'Account');
    await keyboard.press('Enter');
    await page.getByText('Off: your password alone signs you in.').waitFor();
    await ann.assertAccessible('the account, without a second factor');
    await tabTo(page, 'Turn on');
    await keyboard.press('Enter');
    const sheet = dialog('Turn on the second factor');
    await sheet.getByLabel('Your password').waitFor();
    await ann.assertAccessible('the password before a second factor');
    await ann.watch.expecting(/status of 400/, async () => {
      await keyboard.type('something else');
      await keyboard.press('Enter');
      await sheet.getByRole('alert').filter({ hasText: 'password' }).waitFor();
    });
    await sheet.getByLabel('Your password').selectText();
    await keyboard.type(ann.password);
    await keyboard.press('Enter');
    const picture = sheet.getByRole('img', { name: 'QR code' });
    await picture.waitFor();
    await ann.eventually(() => picture.evaluate((image) => image.complete && image.naturalWidth > 0), true);
    await ann.assertAccessible('the QR code');
    const secret = (await sheet.locator('.secret').textContent()).replaceAll(' ', '');
    await ann.watch.expecting(/status of 400/, async () => {
      await keyboard.type('000000');
      await keyboard.press('Enter');
      await sheet.getByRole('alert').filter({ hasText: 'code is wrong' }).waitFor();
    });
    await sheet.getByLabel('Code').selectText();
    await keyboard.type(codeOf(secret));
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor();
    codes = await shownCodes();
    assert.equal(new Set(codes).size, 10);
    await ann.assertAccessible('the recovery codes');
    await tabTo(page, 'Copy');
    await tabTo(page, 'Download');
    const [download] = await Promise.all([page.waitForEvent('download'), keyboard.press('Enter')]);
    assert.equal(download.suggestedFilename(), 'parlance-recovery-codes.txt');
    assert.equal(readFileSync(await download.path(), 'utf8'), `${codes.join('\n')}\n`);
    await tabTo(page, 'I have kept them');
    await keyboard.press('Enter');
    await ann.eventually(
      () =>
        page
          .locator('#factor-note')
          .textContent()
          .then((text) => /^On since .* 10 recovery codes are left\.$/u.test(text)),
      true,
    );
    await ann.eventually(() => page.evaluate(() => document.activeElement?.textContent), 'New recovery codes');
  });

  test('who has a second factor is asked for its code', async () => {
    const { page } = ann;
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    const form = page.getByRole('form', { name: 'Sign in' });
    await form.getByLabel('Name').fill(ann.name);
    await form.getByLabel('Password').fill(ann.password);
    await ann.watch.expecting(/status of 400/, async () => {
      await form.getByRole('button', { name: 'Sign in' }).click();
      await form.getByLabel('Code').fill('000000');
      await ann.assertAccessible('the code at sign-in');
      await form.getByRole('button', { name: 'Sign in' }).click();
      await form.getByRole('alert').filter({ hasText: 'code is wrong' }).waitFor();
    });
    await form.getByLabel('Code').fill(codes[0]);
    await form.getByRole('button', { name: 'Sign in' }).click();
    await ann.atDesk();
  });

  test('on a phone, new codes take the place of the old ones, and it is turned off', async () => {
    const { page } = ann;
    await page.setViewportSize({ width: 390, height: 780 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByText('9 recovery codes are left').waitFor();
    await page.getByRole('button', { name: 'New recovery codes' }).click();
    await dialog('New recovery codes').getByLabel('Your password').fill(ann.password);
    await page.getByRole('button', { name: 'Make new codes' }).click();
    await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor();
    const fresh = await shownCodes();
    assert.equal(fresh.filter((code) => codes.includes(code)).length, 0);
    const wide = () => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(await wide(), false, 'nothing is beside the screen');
    await ann.assertAccessible('the recovery codes, on a phone, dark');
    await page.getByRole('button', { name: 'I have kept them' }).click();
    await page.getByText('10 recovery codes are left').waitFor();
    await page.getByRole('button', { name: 'Turn off' }).click();
    const sheet = dialog('Turn off the second factor');
    await sheet.getByLabel('Your password').fill(ann.password);
    await sheet.getByRole('button', { name: 'Turn off' }).click();
    await page.getByText('The second factor is off.').waitFor();
    await page.locator('#factor-buttons').getByRole('button', { name: 'Turn on' }).click();
    await dialog('Turn on the second factor').getByLabel('Your password').fill(ann.password);
    await page.getByRole('button', { name: 'Show the code to scan' }).click();
    await page.getByRole('img', { name: 'QR code' }).waitFor();
    assert.equal(await wide(), false, 'nothing is beside the screen');
    await ann.assertAccessible('the QR code, on a phone, dark');
    const secret = (await page.locator('.secret').textContent()).replaceAll(' ', '');
    await dialog('Turn on the second factor').getByLabel('Code').fill(codeOf(secret));
    await page.getByRole('button', { name: 'Turn on' }).last().click();
    await page.getByRole('button', { name: 'I have kept them' }).click();
    await page.locator('#account').getByRole('button', { name: 'Close' }).click();
    await page.setViewportSize({ width: 1200, height: 800 });
    await page.emulateMedia({ colorScheme: 'light' });
  });

  test('an administrator ends the second factor of who has lost it', async () => {
    const root = await Person.arrive(browser, server, 'Root');
    await server.run(['admin', root.name], root.password);
    await root.signIn();
    await root.page.goto(`${server.url}/admin/`);
    await root.page.getByRole('button', { name: 'Open Ann' }).click();
    await root.page.getByRole('button', { name: 'End the second factor' }).click();
    await root.page.locator('#confirm').getByRole('button', { name: 'End it', exact: true }).click();
    await root.page.locator('#details-notice', { hasText: 'Ann has no second factor any more.' }).waitFor();
    await root.assertAccessible('somebody without a second factor, in administration');
    await ann.page.getByRole('button', { name: 'Account' }).click();
    await ann.page.getByText('Off: your password alone signs you in.').waitFor();
    await ann.page.locator('#account').getByRole('button', { name: 'Close' }).click();
    await root.leave();
  });

  test('where the server wants the password again, the page asks for it', async () => {
    const { page } = ann;
    await page.route('**/api/logout-all', async (route) => {
      if (new URLSearchParams(route.request().postData() ?? '').has('password')) return route.continue();
      return route.fulfill({
        status: 403,
        json: { error: 'the password is needed', code: 'password_required' },
      });
    });
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('button', { name: 'Sign out everywhere' }).click();
    await page.getByRole('dialog', { name: 'Sign out everywhere?' }).getByRole('button', { name: 'Sign out everywhere' }).click();
    const sheet = page.getByRole('dialog', {
      name: 'Sign out everywhere',
      exact: true,
    });
    await sheet.getByLabel('Your password').fill('something else');
    await sheet.getByRole('button', { name: 'Sign out everywhere' }).click();
    await sheet.getByRole('alert').filter({ hasText: 'password' }).waitFor();
    await sheet.getByLabel('Your password').fill(ann.password);
    await sheet.getByRole('button', { name: 'Sign out everywhere' }).click();
    await page.getByText('You are signed out everywhere.').waitFor();
  });
});
