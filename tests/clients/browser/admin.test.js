// Administration: an administrator at a desk and on a phone, and those whom they act on.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { chapters } from './chapters.js';
import { Person, openBrowser, tabTo } from './person.js';
import { Server } from './server.js';

const NEW = 'another quiet secret';

describe('the page of administrators', () => {
  const test = chapters();
  let server;
  let browser;
  let root;
  let page;
  let bo;

  before(async () => {
    server = await Server.start();
    browser = await openBrowser();
    root = await Person.arrive(browser, server, 'Root');
    bo = await Person.arrive(browser, server, 'Bo');
    ({ page } = root);
    await server.run(['admin', root.name], root.password);
    const form = { name: 'Bo', password: bo.password, email: 'bo@example.org' };
    await bo.request('POST', '/api/reg', form);
  });

  after(async () => {
    await browser?.close();
    await server?.end();
  });

  const go = async (name) => {
    await page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name }).click();
    await page.getByRole('heading', { name, level: 2 }).waitFor();
  };
  const row = (text) => page.locator('#section-body li.row', { hasText: text });
  const notice = (text) => page.locator('#section-notice', { hasText: text }).waitFor();
  const confirm = (answer) => page.locator('#confirm').getByRole('button', { name: answer, exact: true }).click();
  const details = () => page.locator('#details');
  const close = () => details().getByRole('button', { name: 'Close' }).click();
  const rows = (person = root) => person.page.locator('#section-body li.row .row-title').allTextContents();
  const link = async () => {
    const dialog = page.locator('#link');
    await dialog.waitFor();
    const url = await dialog.getByLabel('Link').inputValue();
    await dialog.getByRole('button', { name: 'Close' }).click();
    return url;
  };

  test('a stranger signs in, and who does not administer goes no further', async () => {
    await root.watch.expecting(/status of 40/, async () => {
      await page.goto(`${server.url}/admin/`);
      const form = page.getByRole('form', { name: 'Sign in' });
      await form.getByRole('button', { name: 'Sign in' }).click();
      assert.equal(await form.getByRole('alert').textContent(), 'Name is missing.');
      await form.getByLabel('Name').fill('Root');
      await form.getByLabel('Password').fill('not that one');
      await form.getByRole('button', { name: 'Sign in' }).click();
      await root.eventually(async () => /password is wrong/i.test(await form.getByRole('alert').textContent()), true);
      await root.assertAccessible('signing in to administration');
      await form.getByLabel('Name').fill('Bo');
      await form.getByLabel('Password').fill(bo.password);
      await form.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('You are signed in as Bo').waitFor();
      await root.assertAccessible('who does not administer');
      await page.getByRole('button', { name: 'Sign in as somebody else' }).click();
      await form.getByLabel('Name').fill('Root');
      await form.getByLabel('Password').fill(root.password);
      await form.getByRole('button', { name: 'Sign in' }).click();
      await row('Root').waitFor();
    });
    await root.assertAccessible('people');
  });

  test('people are found, made, promoted and deactivated', async () => {
    assert.deepEqual(await rows(), ['Bo', 'RootAdministrator']);
    await page.getByLabel('Find people by name').fill('nobody');
    await page.locator('#section-empty', { hasText: 'Nothing found.' }).waitFor();
    await page.getByLabel('Find people by name').fill('bo');
    await root.eventually(rows, ['Bo']);
    await page.getByLabel('Find people by name').fill('');
    await page.getByRole('radio', { name: 'Administrators' }).check();
    await root.eventually(rows, ['RootAdministrator']);
    await page.getByRole('radio', { name: 'All' }).check();
    await page.getByRole('button', { name: 'New account' }).click();
    await root.assertAccessible('a new account');
    const make = page.getByRole('form', { name: 'New account' });
    await root.watch.expecting(/status of 400/, async () => {
      await make.getByLabel('Name').fill('bo');
      await make.getByRole('button', { name: 'Make account' }).click();
      await make.getByText('That name is taken.').waitFor();
    });
    await make.getByLabel('Name').fill('Cy');
    await make.getByRole('button', { name: 'Make account' }).click();
    const url = await link();
    await row('Cy').waitFor();
    const cy = await Person.arrive(browser, server, 'Cy');
    await cy.page.goto(url);
    await cy.page.getByText('For Cy.').waitFor();
    assert.equal(await cy.page.evaluate(() => location.hash), '', 'the secret is not left in the address');
    await cy.assertAccessible('a new password');
    await cy.page.getByLabel('New password', { exact: true }).fill('short');
    await cy.page.getByRole('button', { name: 'Set password' }).click();
    await cy.page.getByText('needs at least 8 characters').waitFor();
    await cy.page.getByLabel('New password', { exact: true }).fill(NEW);
    await cy.page.getByRole('button', { name: 'Set password' }).click();
    await cy.page.getByRole('heading', { name: 'Your password is set' }).waitFor();
    assert.equal((await cy.request('POST', '/api/login', { name: 'Cy', password: NEW })).status(), 200);
    await cy.watch.expecting(/status of 404/, async () => {
      await cy.page.goto(`${server.url}/`);
      await cy.page.goto(url);
      await cy.page.getByRole('heading', { name: 'This link is of no use' }).waitFor();
      await cy.assertAccessible('a link that was used');
    });
    await page.getByRole('button', { name: 'Open Cy' }).click();
    await root.assertAccessible('a person');
    await details().getByRole('button', { name: 'Make administrator' }).click();
    await root.assertAccessible('a question');
    await confirm('Cancel');
    await details().getByRole('button', { name: 'Make administrator' }).click();
    await confirm('Make administrator');
    await details().getByText('Cy is an administrator now.').waitFor();
    await details().getByRole('button', { name: 'Administrator no more' }).click();
    await confirm('Take it');
    await details().getByText('Cy is no administrator any more.').waitFor();
    await details().getByRole('button', { name: 'Deactivate' }).click();
    await confirm('Deactivate');
    await details().getByText('Cy is deactivated.').waitFor();
    assert.equal((await cy.request('GET', '/api/me')).status(), 401);
    await details().getByRole('button', { name: 'Let in again' }).click();
    await details().getByText('Cy may sign in again.').waitFor();
    await details().getByRole('textbox', { name: 'Another name' }).fill('Cyril');
    await details().getByRole('button', { name: 'Rename' }).click();
    await details().getByText('Cy is called Cyril now.').waitFor();
    await details().getByRole('button', { name: 'Delete' }).click();
    await confirm('Delete account');
    await root.eventually(rows, ['Bo', 'RootAdministrator']);
    await root.watch.expecting(/status of 409/, async () => {
      await page.getByRole('button', { name: 'Open Root' }).click();
      await details().getByRole('button', { name: 'Deactivate' }).click();
      await confirm('Deactivate');
      await details().getByText('This is the only administrator').waitFor();
      await close();
    });
    await cy.leave();
  });

  test('a message is taken down, and a chat deleted', async () => {
    const made = await bo.request('POST', '/api/chats', { title: 'Tea' });
    const chat = made.headers().location.split('/').at(-1);
    await bo.request('POST', `/api/chats/${chat}`, { content: 'something bad' });
    await bo.request('POST', `/api/chats/${chat}`, { content: 'something good' });
    await go('Chats');
    await row('Tea').waitFor();
    await root.assertAccessible('chats');
    await page.getByRole('button', { name: 'Open Tea' }).click();
    const bad = details().locator('li.row', { hasText: 'something bad' });
    await root.assertAccessible('a chat');
    await bad.getByRole('button', { name: 'Take down' }).click();
    await confirm('Take down');
    await details().getByText('The message is taken down.').waitFor();
    await bad.waitFor({ state: 'detached' });
    await details().locator('li.row', { hasText: 'something good' }).waitFor();
    await details().getByRole('button', { name: 'Delete chat' }).click();
    await confirm('Delete chat');
    await notice('Tea is deleted.');
    await page.getByText('There are no chats yet.').waitFor();
    assert.equal((await bo.request('GET', `/api/chats/${chat}`)).status(), 404);
  });

  test('a site is suspended and goes on', async () => {
    const owner = { email: 'owner@example.org', password: bo.password, domain: 'shop.example' };
    await bo.request('POST', '/owner/register', owner);
    const signIn = async () => (await bo.request('POST', '/owner/login', owner)).status();
    assert.equal(await signIn(), 200);
    await go('Sites and apps');
    await row('owner@example.org').waitFor();
    await root.assertAccessible('sites and apps');
    await page.getByRole('button', { name: 'Suspend shop.example' }).click();
    await confirm('Suspend');
    await notice('shop.example is suspended.');
    assert.notEqual(await signIn(), 200);
    await page.getByRole('button', { name: 'Resume shop.example' }).click();
    await notice('shop.example goes on.');
    assert.equal(await signIn(), 200);
  });

  test('logins are seen and ended', async () => {
    await bo.request('POST', '/api/login', { name: 'Bo', password: bo.password });
    await go('Signed in');
    await row('Bo').first().waitFor();
    await root.assertAccessible('who is signed in');
    await page.getByRole('button', { name: 'Sign out Bo there' }).first().click();
    await confirm('Sign out');
    await notice('Bo is signed out there.');
    assert.equal((await bo.request('GET', '/api/me')).status(), 401);
  });

  test('registration is closed, and an invitation opens it for one', async () => {
    await go('Registration');
    await page.getByText('No invitation is out.').waitFor();
    await page.getByRole('radio', { name: 'Closed' }).check();
    await notice('Registration: closed.');
    const form = { name: 'Dee', password: NEW, email: 'dee@example.org' };
    const dee = await Person.arrive(browser, server, 'Dee');
    const offer = dee.page.getByRole('link', { name: 'Create an account' });
    await dee.watch.expecting(/status of 401/, async () => {
      const told = dee.page.waitForResponse('**/api/registration');
      await dee.page.goto(server.url);
      await told;
      await dee.page.getByRole('form', { name: 'Sign in' }).waitFor();
      await offer.waitFor({ state: 'hidden' });
      await page.getByRole('radio', { name: 'By invitation' }).check();
      await notice('Registration: by invitation.');
      await dee.page.reload();
      await dee.page.getByText('New people come by an invitation').waitFor();
      await offer.waitFor({ state: 'hidden' });
      await page.getByRole('radio', { name: 'Closed' }).check();
      await notice('Registration: closed.');
    });
    assert.equal((await dee.request('POST', '/api/reg', form)).status(), 403);
    await go('People');
    await page.getByRole('button', { name: 'Invite' }).click();
    const url = await link();
    await dee.page.goto(url);
    const signUp = dee.page.getByRole('form', { name: 'Create an account' });
    await dee.assertAccessible('an invitation');
    await signUp.getByLabel('Name').fill('Dee');
    await signUp.getByLabel('E-mail').fill('dee@example.org');
    await signUp.getByLabel('Password').fill(NEW);
    await signUp.getByRole('button', { name: 'Create account' }).click();
    await dee.atDesk();
    await page.getByRole('button', { name: 'Invite' }).click();
    await link();
    await go('Registration');
    await root.assertAccessible('registration');
    await page.getByRole('button', { name: 'Take back invitation' }).click();
    await confirm('Take back');
    await notice('The invitation is taken back.');
    await page.getByRole('radio', { name: 'As the settings say' }).check();
    await notice('Registration: as the settings say.');
    await dee.leave();
  });

  test('what was done stands in the audit, and figures are shown', async () => {
    await go('Audit');
    await row('Root suspended site shop.example').waitFor();
    await row('On the machine, somebody made an administrator of Root').waitFor();
    await root.assertAccessible('the audit');
    await go('Figures');
    await page.locator('.figure', { hasText: 'Administrators' }).waitFor();
    await root.assertAccessible('figures');
  });

  test('a failure is told, and tried again', async () => {
    await root.watch.expecting(/Failed to load resource/, async () => {
      await page.route('**/api/admin/audit**', (route) => route.abort());
      await page.getByRole('link', { name: 'Audit' }).click();
      await page.getByText('The server is not answering.').waitFor();
      await root.assertAccessible('a failure');
    });
    await page.unroute('**/api/admin/audit**');
    await page.getByRole('button', { name: 'Try again' }).click();
    await row('Root suspended').waitFor();
    assert.equal(await page.locator('#section-error').isVisible(), false);
  });

  test('on a phone, in the dark, by keyboard alone', async () => {
    const phone = await Person.arrive(browser, server, 'Root', { viewport: { width: 360, height: 640 }, colorScheme: 'dark', hasTouch: true, isMobile: true });
    await phone.watch.expecting(/status of 401/, async () => {
      await phone.page.goto(`${server.url}/admin/`);
      await phone.page.getByRole('form', { name: 'Sign in' }).waitFor();
    });
    await phone.page.keyboard.type('Root');
    await phone.page.keyboard.press('Tab');
    await phone.page.keyboard.type(phone.password);
    await phone.page.keyboard.press('Enter');
    await phone.page.locator('#section-body li.row').first().waitFor();
    for (const section of ['Chats', 'Sites and apps', 'Signed in', 'Registration', 'Audit', 'Figures', 'People']) {
      await phone.page.evaluate(() => document.querySelector('.brand')?.scrollIntoView());
      await phone.page.locator('#settings-open').focus();
      await tabTo(phone.page, section);
      await phone.page.keyboard.press('Enter');
      await phone.page.getByRole('heading', { name: section, level: 2 }).waitFor();
      assert.equal(await phone.page.evaluate(() => document.activeElement.id), 'section-title', `${section} has the focus`);
      const wide = await phone.page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
      assert.equal(wide, false, `${section} fits a phone`);
      await phone.assertAccessible(`${section} on a phone, in the dark`);
    }
    await phone.page.getByRole('button', { name: 'Open Bo' }).waitFor();
    await tabTo(phone.page, 'Open Bo');
    await phone.page.keyboard.press('Enter');
    await phone.page.locator('#details[open]').waitFor();
    await phone.assertAccessible('a person on a phone');
    await phone.page.keyboard.press('Escape');
    await phone.page.locator('#details:not([open])').waitFor({ state: 'attached' });
    assert.equal(await phone.page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Open Bo', 'the focus is where it was');
    await phone.leave();
    root.watch.assertQuiet();
  });
});
