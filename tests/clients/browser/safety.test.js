// A second factor at sign-in, and the password that is asked for again.
import { createHmac } from 'node:crypto';
import { after, before, describe } from 'node:test';
import { chapters } from './chapters.js';
import { Person, openBrowser } from './person.js';
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

  /** What the page's own request answers. */
  const ask = (path, fields) =>
    ann.page.evaluate(async ([to, body]) => (await fetch(to, { method: 'POST', body: new URLSearchParams(body) })).json(), [path, fields]);

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

  test('who has a second factor is asked for its code', async () => {
    const { page } = ann;
    const { secret } = await ask('/api/me/second-factor', {
      password: ann.password,
    });
    const { recovery_codes: codes } = await ask('/api/me/second-factor/confirm', { code: codeOf(secret) });
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    const form = page.getByRole('form', { name: 'Sign in' });
    await form.getByLabel('Name').fill(ann.name);
    await form.getByLabel('Password').fill(ann.password);
    await form.getByRole('button', { name: 'Sign in' }).click();
    await form.getByLabel('Code').fill('000000');
    await ann.assertAccessible('the code at sign-in');
    await form.getByRole('button', { name: 'Sign in' }).click();
    await form.getByRole('alert').filter({ hasText: 'code is wrong' }).waitFor();
    await form.getByLabel('Code').fill(codes[0]);
    await form.getByRole('button', { name: 'Sign in' }).click();
    await ann.atDesk();
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
    await sheet.getByRole('button', { name: 'Go on' }).click();
    await sheet.getByRole('alert').filter({ hasText: 'password' }).waitFor();
    await sheet.getByLabel('Your password').fill(ann.password);
    await sheet.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('You are signed out everywhere.').waitFor();
  });
});
