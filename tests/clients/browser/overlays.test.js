// What opens over the page: it goes when one goes elsewhere, gives the focus back to where one goes on, and long names fit into it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person } from './person.js';
import { PHONE, closeStage, openStage } from './stage.js';

const LONG = `Wolfeschlegelsteinhausen${'bergerdorff'.repeat(3)}`;

describe('what opens over the page', () => {
  let server;
  let browser;
  let ann;
  let bo;
  let cy;
  let long;

  before(async () => {
    ({ server, browser, ann, bo, cy, long } = await openStage({
      ann: ['Ann', { viewport: { width: 1280, height: 800 } }],
      bo: 'Bo',
      cy: ['Cy', PHONE],
      long: LONG,
    }));
    for (const person of [ann, bo, cy, long]) await person.signUp();
    await ann.startChat('Harbour');
    for (const person of [bo, cy, long]) await person.join('Harbour');
    await bo.say('Ahoy');
    await ann.hears('Ahoy');
  });

  after(() => closeStage({ server, browser }));

  const details = (person) => person.page.getByRole('dialog', { name: 'Harbour' });
  const openDetails = async (person) => {
    await person.page.getByRole('button', { name: 'Details and members' }).click();
    await details(person).locator('.member-name', { hasText: 'Bo' }).waitFor();
  };
  /** Into a chat, from wherever one is. */
  const into = async (person, title) => {
    await person.page.goto(`${server.url}/#/`);
    await person.page.reload();
    await person.openChat(title);
  };
  const focused = (person) => person.page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
  /** No part of the page that one can see is wider than its place. */
  const fits = async (person, where) => assert.deepEqual(await person.page.evaluate(sideways), [], `nothing scrolls sideways: ${where}`);

  for (const who of ['ann', 'cy']) {
    test(`writing to a member leaves nothing over the new chat, for ${who}`, async () => {
      const person = { ann, cy }[who];
      await into(person, 'Harbour');
      await openDetails(person);
      await details(person).locator('.member-name', { hasText: 'Bo' }).click();
      await person.page.getByRole('menuitem', { name: 'Write to Bo' }).click();
      await person.page.getByRole('heading', { name: 'Bo', exact: true }).waitFor();
      await person.eventually(() => person.page.locator('dialog[open]').count(), 0);
      await person.eventually(() => focused(person), 'content');
      // From the details of the very chat that is written in, too.
      await person.page.getByRole('button', { name: 'Details and members' }).click();
      await person.page.locator('.sheet .member-name', { hasText: 'Bo' }).click();
      await person.page.getByRole('menuitem', { name: 'Write to Bo' }).click();
      await person.eventually(() => person.page.locator('dialog[open]').count(), 0);
      await person.eventually(() => focused(person), 'content');
    });
  }

  test('finding what a member wrote leaves nothing over the list', async () => {
    await into(ann, 'Harbour');
    await openDetails(ann);
    await details(ann).locator('.member-name', { hasText: 'Bo' }).click();
    await ann.page.getByRole('menuitem', { name: 'Find what Bo wrote' }).click();
    await ann.eventually(() => ann.page.locator('dialog[open]').count(), 0);
    await ann.eventually(() => focused(ann), 'filter');
    await ann.page.getByText('Written by “Bo”').waitFor();
  });

  test('a step back closes the details first, and leaves the chat open', async () => {
    const { page } = cy;
    await into(cy, 'Harbour');
    await openDetails(cy);
    await page.goBack();
    await cy.eventually(() => page.locator('dialog[open]').count(), 0);
    await page.getByRole('heading', { name: 'Harbour' }).waitFor();
    assert.match(page.url(), /#\/chats\/\d+$/u);
    await page.goBack();
    await cy.row('Harbour').waitFor();
    assert.equal(await page.locator('dialog[open]').count(), 0);
  });

  test('one long name hides nothing of others', async () => {
    await long.say('My name is long');
    for (const person of [ann, cy]) {
      const { page } = person;
      await into(person, 'Harbour');
      await person.hears('My name is long');
      await fits(person, 'a chat');
      await openDetails(person);
      await details(person).locator('.member-name', { hasText: LONG }).waitFor();
      await fits(person, 'the details');
      const edge = await details(person).evaluate((dialog) => dialog.getBoundingClientRect().right);
      const tag = await details(person).locator('.member .tag').boundingBox();
      assert.ok(tag.x + tag.width <= edge, 'the role is in sight');
      await details(person).locator('.member-name', { hasText: LONG }).click();
      await page.getByRole('menu', { name: LONG }).waitFor();
      await fits(person, 'a person');
      await page.getByRole('menuitem', { name: /^Write to/u }).click();
      await page.getByRole('heading', { name: LONG }).waitFor();
      await fits(person, 'a chat of two');
      await person.say(`Good day from ${person.name}`);
      await person.hasSent('Good day');
      await long.row(person.name).click();
      await long.bubble(`Good day from ${person.name}`).hover();
      await long.page.getByRole('button', { name: 'Reply' }).click();
      await long.say('And to you');
      await person.hears('And to you');
      await long.request('PUT', `/api/chats/${/\d+$/u.exec(long.page.url())[0]}/messages/${await lastOf(long)}/reactions/👍`);
      await person.page.locator('.reaction', { hasText: '👍' }).first().waitFor();
      await fits(person, 'an answer');
      await person.bubble('And to you').dispatchEvent('contextmenu', { bubbles: true, cancelable: true, clientX: 90, clientY: 300 });
      await page.getByRole('menuitem', { name: 'Who reacted' }).click();
      await page.locator('.sheet .member').first().waitFor();
      await fits(person, 'who reacted');
      await page.keyboard.press('Escape');
      await person.bubble('And to you').dispatchEvent('contextmenu', { bubbles: true, cancelable: true, clientX: 90, clientY: 300 });
      await page.getByRole('menuitem', { name: 'Forward' }).click();
      await page.locator('.sheet .person-row').first().waitFor();
      await fits(person, 'chats to forward to');
      await page.keyboard.press('Escape');
      await page.goto(`${server.url}/#/`);
      await page.getByRole('button', { name: 'New chat' }).click();
      await page.getByRole('radio', { name: 'Some people' }).check();
      await page.getByLabel('Find people by name').fill('wolfe');
      await page.getByLabel('Find people by name').press('Enter');
      await page.getByRole('button', { name: `Not ${LONG}` }).waitFor();
      await page.getByLabel('Find people by name').fill('');
      await fits(person, 'a new chat');
      await page.getByRole('button', { name: 'Cancel' }).click();
      await fits(person, 'the list of chats');
    }
    await long.page.getByRole('button', { name: 'Account and settings' }).click();
    await fits(long, 'settings');
    await long.page.getByRole('button', { name: 'Close' }).click();
  });

  test('nor in administration, nor at the desk', async () => {
    const root = await Person.arrive(browser, server, 'Root', { viewport: PHONE.viewport });
    await server.run(['admin', root.name], root.password);
    await root.signIn();
    await root.page.goto(`${server.url}/admin/`);
    await root.page.getByText(LONG).first().waitFor();
    await fits(root, 'people, in administration');
    await root.page.getByRole('button', { name: `Open ${LONG}` }).click();
    await root.page.locator('#details').waitFor();
    await fits(root, 'a person, in administration');
    await root.page.keyboard.press('Escape');
    for (const section of ['Chats', 'Sign-ins', 'Log']) {
      const button = root.page.locator('nav').getByRole('link', { name: section });
      if ((await button.count()) === 0) continue;
      await button.first().click();
      await root.page.waitForLoadState('networkidle');
      await fits(root, `${section}, in administration`);
    }
    await root.page.goto(`${server.url}/console/#/register/127.0.0.1`);
    const form = root.page.getByRole('form', { name: 'Register a site' });
    await form.getByLabel('E-mail').fill('owner@example.org');
    await form.getByLabel('Password').fill(root.password);
    await form.getByRole('button', { name: 'Register site' }).click();
    await root.page.locator('#app').waitFor();
    const guest = await Person.arrive(browser, server, LONG);
    await guest.page.goto(`${server.url}/shop/`);
    await guest.page.getByRole('button', { name: 'Ask us about tea' }).click();
    await guest.page.getByLabel('Your name').fill(LONG);
    await guest.page.getByLabel('Your e-mail').fill(`${LONG.toLowerCase()}@example.org`);
    await guest.page.getByLabel('Your message').first().fill('Is there green tea?');
    await guest.page.getByRole('button', { name: 'Start chat' }).click();
    await root.page.locator('a.chat-row').first().waitFor();
    await fits(root, 'the queues of the desk');
    await root.page.locator('a.chat-row').first().click();
    await root.hears('Is there green tea?');
    await fits(root, 'a chat of the desk');
    await guest.context.close();
    await root.leave();
  });

  test('what is to be deleted stands on a line of its own', async () => {
    await into(ann, 'Harbour');
    await ann.say('Doomed words');
    await ann.hasSent('Doomed words');
    await ann.bubble('Doomed words').click({ button: 'right' });
    await ann.page.getByRole('menuitem', { name: 'Delete' }).click();
    const text = ann.page.locator('#confirm-text');
    await ann.eventually(
      () => text.evaluate((element) => element.innerText.split('\n').filter(Boolean)),
      ['“Doomed words”', 'Everybody in the chat loses it. This cannot be undone.'],
    );
    await ann.assertAccessible('what is to be deleted');
    await ann.page.keyboard.press('Escape');
  });

  test('people are chosen by the keyboard, and nobody is left out by Enter', async () => {
    const { page } = ann;
    await page.getByRole('button', { name: 'New chat' }).click();
    await page.getByRole('radio', { name: 'Some people' }).check();
    await page.getByLabel('What is it about?').fill('Surprise');
    const box = page.getByLabel('Find people by name');
    await box.focus();
    // Before anything was found.
    await page.keyboard.type('cy');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Not Cy' }).waitFor();
    await page.getByRole('option').nth(1).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.getByRole('option', { selected: true }).waitFor();
    assert.equal(await box.getAttribute('aria-activedescendant'), await page.getByRole('option').first().getAttribute('id'));
    await ann.assertAccessible('choosing people');
    const first = await page.getByRole('option').first().textContent();
    await page.keyboard.press('Enter');
    await page.locator('.chip').nth(1).waitFor();
    assert.ok(first.endsWith((await page.locator('.chip').nth(1).textContent()).replace('×', '')));
    // Whom one has looked for and not chosen is not forgotten.
    await page.keyboard.type('wolfe');
    await page.getByRole('option', { name: LONG }).waitFor();
    await page.getByRole('button', { name: 'Start chat' }).click();
    await page.getByText('Choose “wolfe” from the list, or empty the box.').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: `Not ${LONG}` }).waitFor();
    await page.getByRole('button', { name: 'Start chat' }).click();
    await page.getByRole('heading', { name: 'Surprise' }).waitFor();
    await ann.eventually(() => page.locator('#room-sub').textContent(), '4 members · Private');
  });

  test('“Add people” takes them by the keyboard too', async () => {
    const { page } = ann;
    await ann.startChat('Later');
    await page.getByRole('button', { name: 'Details and members' }).click();
    await page.getByRole('button', { name: 'Add people' }).click();
    await page.keyboard.type('bo');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Not Bo' }).waitFor();
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.locator('.sheet .member-name', { hasText: 'Bo' }).waitFor();
    await page.keyboard.press('Escape');
  });

  test('after a removal and after saving the focus is where one goes on', async () => {
    const { page } = ann;
    await into(ann, 'Harbour');
    await openDetails(ann);
    const sheet = details(ann);
    await sheet.getByRole('button', { name: 'What to do with Bo' }).click();
    await page.getByRole('menuitem', { name: 'Remove from this chat' }).click();
    await page.locator('#confirm').getByRole('button', { name: 'Remove' }).click();
    await sheet.locator('.member-name', { hasText: 'Bo' }).waitFor({ state: 'detached' });
    await ann.eventually(() => page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'What to do with Cy');
    await sheet.getByText('Title, description and who may read it').click();
    await sheet.getByLabel('What it is about').fill('Boats');
    await sheet.getByRole('button', { name: 'Save' }).click();
    await ann.eventually(() => focused(ann), 'Title, description and who may read it');
    await sheet.getByRole('button', { name: 'Make a link' }).click();
    await sheet.getByRole('button', { name: 'End it' }).click();
    await ann.eventually(() => focused(ann), 'Invite by a link');
    await page.keyboard.press('Escape');
  });

  test('who has signed in goes on from the list, or from the button that begins a chat', async () => {
    const { page } = ann;
    await page.getByRole('button', { name: 'Account and settings' }).click();
    await page.getByRole('button', { name: 'Sign out', exact: true }).last().click();
    await page.getByText('You are signed out.', { exact: true }).waitFor();
    await ann.signIn();
    await ann.eventually(() => page.evaluate(() => document.activeElement.className.includes('chat-row')), true);
  });

  test('an invitation begins at the first field', async () => {
    const { body } = await invite(ann);
    const guest = await Person.arrive(browser, server, 'Guest');
    await guest.page.goto(`${server.url}${new URL(body.url, server.url).pathname}`);
    await guest.page.getByRole('form', { name: 'Create an account' }).waitFor();
    await guest.eventually(() => focused(guest), 'up-name');
    await guest.leave();
    await ann.page.goto(`${server.url}${new URL(body.url, server.url).pathname}`);
    await ann.page.getByRole('button', { name: 'Join the chat' }).waitFor();
    await ann.eventually(() => focused(ann), 'Join the chat');
    await ann.page.goto(`${server.url}/`);
    await ann.atDesk();
  });

  test('where a password is asked for again it says why, for what, and one can leave it', async () => {
    const { page } = ann;
    await ann.request('POST', '/api/login', { name: ann.name, password: ann.password });
    const other = await Person.arrive(browser, server, 'Ann', { userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' });
    await other.signIn();
    await page.route('**/api/logins/*', async (route) => {
      if (route.request().method() !== 'DELETE' || new URLSearchParams(route.request().postData() ?? '').has('password')) return route.continue();
      return route.fulfill({ status: 403, json: { error: 'the password is needed', code: 'password_required' } });
    });
    await page.getByRole('button', { name: 'Account and settings' }).click();
    const row = page.locator('.login', { hasText: 'Firefox on Linux' });
    const asking = page.getByRole('dialog', { name: 'Sign out Firefox on Linux' });
    await ann.watch.expecting(/status of 403/, async () => {
      await row.getByRole('button', { name: 'Sign out' }).click();
      await asking.getByText('more than ten minutes ago').waitFor();
      await ann.assertAccessible('the password again');
      await asking.getByRole('button', { name: 'Cancel' }).click();
      await asking.waitFor({ state: 'detached' });
      await row.getByRole('button', { name: 'Sign out' }).click();
      await asking.getByLabel('Your password').fill(ann.password);
      await asking.getByRole('button', { name: 'Sign out there' }).click();
      await row.getByText('Signed out there.').waitFor();
    });
    assert.equal(await row.getByRole('button').count(), 0);
    assert.notEqual(await focused(ann), '');
    await page.locator('#account').getByRole('button', { name: 'Close' }).click();
    await other.context.close();
  });

  test('nobody saw an error or a broken rule of the page', () => {
    for (const person of [ann, bo, cy, long]) person.watch.assertQuiet();
  });

  async function invite(person) {
    const chats = (await (await person.request('GET', '/api/chats')).json()).chats;
    const { id } = chats.find(({ title }) => title === 'Harbour');
    const answer = await person.request('POST', `/api/chats/${id}/invites`, { expires: '86400' });
    return { body: await answer.json() };
  }
});

/** The newest message in sight. */
function lastOf(person) {
  return person.page.locator('#messages .message').last().getAttribute('data-message');
}

/** What can be seen and is wider than its place; runs in the page. */
function sideways() {
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth) found.push('the page');
  for (const element of document.querySelectorAll('body *')) {
    if (!element.checkVisibility() || element.matches('pre, input, textarea, .segments')) continue;
    const { overflowX } = getComputedStyle(element);
    const scrolls = ['auto', 'scroll'].includes(overflowX) && element.scrollWidth > element.clientWidth + 1;
    const beside = element.matches('button, .tag, .badge, time') && element.getBoundingClientRect().right > innerWidth + 1;
    if (scrolls || beside) found.push(`${element.localName}#${element.id}.${element.className}`);
  }
  return found;
}
