// Three people in one chat: they answer, change, delete, govern, and find each other.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { chapters } from './chapters.js';
import { Person, tabTo, typeUntil } from './person.js';
import { PHONE, closeStage, openStage } from './stage.js';

describe('three people', () => {
  const test = chapters();
  let server;
  let browser;
  let ann;
  let bo;
  let cy;

  before(async () => {
    ({ server, browser, ann, bo, cy } = await openStage({ ann: 'Ann', bo: 'Bo Lindqvist', cy: ['Cy', PHONE] }));
    for (const person of [ann, bo, cy]) await person.signUp();
    await ann.startChat('Garden party');
    await ann.say('Who brings *what*?');
    for (const person of [bo, cy]) await person.join('Garden party');
  });

  after(() => closeStage({ server, browser }));

  const menu = async (person, text) => {
    await person.bubble(text).first().click({ button: 'right' });
    await person.page.getByRole('menu', { name: 'Message' }).waitFor();
  };
  const choose = (person, name) => person.page.getByRole('menuitem', { name }).click();
  const details = async (person) => {
    await person.page.getByRole('button', { name: 'Details and members' }).click();
    await person.page.getByRole('heading', { name: 'Members' }).waitFor();
  };
  const close = (person) => person.page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();

  test('one answers another with a press beside the message, and the quotation leads back', async () => {
    await bo.bubble('Who brings').hover();
    await bo.page.getByRole('button', { name: 'Reply' }).click();
    await bo.page.getByText('Reply to Ann').waitFor();
    await bo.say('I bring the grill');
    for (const person of [ann, bo, cy]) {
      const quote = person.page.locator('.message', { hasText: 'I bring the grill' }).locator('.quote');
      await person.eventually(() => quote.locator('.quote-words').textContent(), 'Who brings what?');
    }
    await cy.page.getByRole('button', { name: 'Show what this answers' }).click();
    await cy.page.locator('.message.found', { hasText: 'Who brings' }).waitFor();
  });

  test('a message is changed where everybody sees it, by the arrow and Enter', async () => {
    const box = ann.page.getByLabel('Message', { exact: true });
    await box.focus();
    await ann.page.keyboard.press('ArrowUp');
    await ann.page.getByText('Change your message').waitFor();
    assert.equal(await box.inputValue(), 'Who brings *what*?');
    await box.fill('Who brings what, and when?');
    await ann.page.keyboard.press('Enter');
    for (const person of [ann, bo, cy]) await person.hears('and when?');
    await cy.eventually(() => cy.page.locator('.quote-words').textContent(), 'Who brings what, and when?');
    await ann.page.keyboard.press('ArrowUp');
    await ann.page.keyboard.press('Escape');
    assert.equal(await box.inputValue(), '', 'nothing of it stays');
  });

  test('the menu of a message opens by a finger, by the mouse and by keys', async () => {
    await cy.bubble('I bring').dispatchEvent('pointerdown', { pointerType: 'touch', clientX: 120, clientY: 300, bubbles: true });
    await cy.page.getByRole('menu', { name: 'Message' }).waitFor();
    await cy.assertAccessible('the menu of a message, on a phone, dark');
    assert.equal(await cy.page.getByRole('menuitem', { name: 'Edit' }).count(), 0, 'it is not theirs');
    assert.equal(await cy.page.getByRole('menuitem', { name: 'Delete' }).count(), 0);
    await cy.page.keyboard.press('Escape');

    await menu(ann, 'I bring');
    assert.equal(await ann.page.getByRole('menuitem', { name: 'Delete' }).count(), 1, 'an admin may');
    await ann.page.keyboard.press('Escape');

    await bo.page.locator('#scroll').focus();
    await bo.page.keyboard.press('ArrowUp');
    await bo.page.locator('.message:focus', { hasText: 'I bring' }).waitFor();
    await bo.page.keyboard.press('Enter');
    await bo.page.getByRole('menuitem', { name: 'Reply' }).waitFor();
    await tabTo(bo.page, 'Delete', 'ArrowDown');
    await bo.page.keyboard.press('Escape');
    await bo.page.keyboard.press('r');
    await bo.page.getByText('Reply to Bo').waitFor();
    await bo.page.keyboard.press('Escape');
  });

  test('who reacted is told by the mouse, by keys and by a finger', async () => {
    await menu(ann, 'I bring');
    await ann.page
      .getByRole('button', { name: /^React with/u })
      .first()
      .click();
    const chip = (person) => person.page.locator('.message', { hasText: 'I bring the grill' }).locator('.reaction[data-emoji]');
    await chip(bo).hover();
    await bo.eventually(() => chip(bo).getAttribute('title'), 'Ann');
    await chip(ann).focus();
    await ann.eventually(() => chip(ann).getAttribute('title'), 'you');
    await menu(bo, 'I bring');
    await choose(bo, 'Who reacted');
    const panel = (person) => person.page.getByRole('dialog', { name: 'Who reacted' });
    await panel(bo).getByRole('listitem').filter({ hasText: 'Ann' }).waitFor();
    await bo.assertAccessible('who reacted');
    await bo.page.keyboard.press('Escape');
    await chip(cy).waitFor();
    await chip(cy).dispatchEvent('pointerdown', { pointerType: 'touch', clientX: 60, clientY: 300, bubbles: true });
    await panel(cy).getByRole('listitem').filter({ hasText: 'Ann' }).waitFor();
    await cy.assertAccessible('who reacted, on a phone, dark');
    await cy.page.keyboard.press('Escape');
    await panel(cy).waitFor({ state: 'detached' });
  });

  test('a question mark shows the keys, but not where one writes', async () => {
    const box = ann.page.getByLabel('Message', { exact: true });
    await box.focus();
    await ann.page.keyboard.type('?');
    assert.equal(await box.inputValue(), '?');
    await box.fill('');
    await ann.page.locator('#scroll').focus();
    await ann.page.keyboard.press('?');
    await ann.page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await ann.assertAccessible('the keys');
    await ann.page.keyboard.press('Escape');
    await ann.page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'detached' });
  });

  test('a name is completed while it is written', async () => {
    const box = ann.page.getByLabel('Message', { exact: true });
    await box.pressSequentially('Thanks, @lind');
    await ann.page.getByRole('option', { name: 'Bo Lindqvist' }).waitFor();
    await ann.assertAccessible('completing a name');
    await ann.page.keyboard.press('Enter');
    assert.equal(await box.inputValue(), 'Thanks, @Bo Lindqvist ');
    await box.pressSequentially(':tada');
    await ann.page.getByRole('option').first().waitFor();
    await ann.page.keyboard.press('Tab');
    assert.match(await box.inputValue(), /^Thanks, @Bo Lindqvist 🎉 $/u);
    await ann.page.keyboard.press('Enter');
    await bo.hears('Thanks, @Bo Lindqvist');
  });

  test('who types is told, and how far the others have read', async () => {
    await typeUntil(bo.page.getByLabel('Message', { exact: true }), 'Well', ann.page.getByText('Bo Lindqvist is typing…'));
    await bo.say('Well, then');
    await ann.eventually(() => ann.page.locator('#room-sub').textContent(), '3 members · Open to everyone');
    await ann.say('See you on Saturday');
    await bo.hears('See you on Saturday');
    const readers = ann.page.locator('.message', { hasText: 'See you on Saturday' }).locator('.readers');
    const names = async () => (await readers.locator('.sr-only').textContent()).replace('Read by ', '').split(', ').sort();
    await ann.eventually(names, ['Bo Lindqvist', 'Cy']);
    await ann.page.reload();
    await ann.eventually(names, ['Bo Lindqvist', 'Cy']);
  });

  test('a message is deleted, and leaves its place', async () => {
    await menu(ann, 'Thanks');
    await choose(ann, 'Delete');
    await ann.page.getByRole('heading', { name: 'Delete your message?' }).waitFor();
    await ann.assertAccessible('deleting a message');
    await ann.page.locator('#confirm-yes').click();
    for (const person of [ann, bo, cy]) await person.hears('This message was deleted');
  });

  test('what is set for a chat is of oneself alone', async () => {
    await details(bo);
    await bo.assertAccessible('the details of a chat');
    await bo.page.getByRole('radio', { name: 'Nothing' }).check();
    await bo.page.getByRole('switch', { name: 'Pin to the top' }).check();
    await close(bo);
    await bo.page.getByRole('heading', { name: 'Pinned' }).waitFor();
    await bo.startChat('Elsewhere');
    await ann.say('Not worth a sound');
    await bo.eventually(() => bo.row('Garden party').locator('.badge .sr-only').textContent(), '1 unread message');
    assert.equal(await bo.page.title(), 'Elsewhere · Parlance', 'nothing calls');
    await bo.page.reload();
    await bo.page.getByRole('heading', { name: 'Pinned' }).waitFor();
    assert.equal(await ann.page.getByRole('heading', { name: 'Pinned' }).isVisible(), false);
    await bo.openChat('Garden party');
  });

  test('an admin describes and closes the chat, promotes, and removes', async () => {
    await details(ann);
    await ann.page.getByText('Title, description and who may read it').click();
    const about = ann.page.getByLabel('What it is about').last();
    await about.fill('Saturday, rain or shine');
    // What is begun is not lost when something else is changed, by another tab say.
    const { id } = (await (await ann.request('GET', '/api/chats')).json()).chats.find(({ title }) => title === 'Garden party');
    await ann.request('PATCH', `/api/chats/${id}/settings`, { pinned: 'true' });
    await ann.eventually(() => ann.page.getByRole('switch', { name: 'Pin to the top' }).isChecked(), true);
    assert.equal(await about.inputValue(), 'Saturday, rain or shine');
    assert.equal(await about.evaluate((field) => field === document.activeElement), true, 'nor the place where one writes');
    await ann.page.getByRole('switch', { name: 'Open to everyone here' }).uncheck();
    await ann.page.getByRole('button', { name: 'Save' }).click();
    await ann.eventually(() => ann.page.locator('#room-sub').textContent(), '3 members · Private · Saturday, rain or shine');
    await bo.eventually(() => bo.page.locator('#room-sub').textContent(), '3 members · Private · Saturday, rain or shine');
    await ann.page.getByRole('button', { name: 'What to do with Bo Lindqvist' }).click();
    await choose(ann, 'Make an admin');
    await ann.eventually(() => ann.page.locator('.member .tag').count(), 2);
    await cy.watch.expecting(/status of 404/, async () => {
      await ann.page.getByRole('button', { name: 'What to do with Cy' }).click();
      await choose(ann, 'Remove from this chat');
      await ann.page.locator('#confirm-yes').click();
      await ann.eventually(() => ann.page.locator('.member').count(), 2);
      await cy.page.getByText('You are not in this chat any more.').waitFor();
    });
    await ann.assertAccessible('the details of a chat, as its admin');
    await close(ann);
    await ann.eventually(() => ann.page.locator('#room-sub').textContent(), '2 members · Private · Saturday, rain or shine');
  });

  test('a face leads to a conversation of two', async () => {
    await bo.page.getByRole('button', { name: 'About Ann' }).first().click();
    await bo.page.getByRole('menuitem', { name: 'Write to Ann' }).click();
    await bo.page.getByRole('heading', { name: 'Ann', exact: true }).waitFor();
    await bo.say('Shall we tell the others?');
    await ann.eventually(() => ann.row('Bo Lindqvist').locator('.badge .sr-only').textContent(), '1 unread message');
    await ann.openChat('Bo Lindqvist');
    await ann.hears('Shall we tell the others?');
  });

  test('who comes is seen to be there, while one looks', async () => {
    const dee = await Person.arrive(browser, server, 'Dee');
    const account = { name: dee.name, email: 'dee@example.org', password: dee.password };
    assert.equal((await dee.request('POST', '/api/reg', account)).status(), 201);
    const { id } = await (await ann.request('GET', '/api/me')).json();
    assert.equal((await dee.request('POST', '/api/chats', { members: String(id) })).status(), 201);
    await ann.openChat('Dee');
    const dots = () => ann.row('Dee').locator('.face.online').count();
    await ann.eventually(
      () =>
        ann.page
          .locator('#room-sub')
          .textContent()
          .then((text) => /^(Here|Not here)/u.test(text)),
      true,
    );
    await ann.eventually(dots, 0, 'she has not been here yet');
    await dee.page.goto(server.url);
    await dee.atDesk();
    await ann.eventually(dots, 1);
    await ann.eventually(() => ann.page.locator('#room-sub').textContent(), 'Here now');
    await dee.leave();
  });

  test('nobody saw an error or a broken rule of the page', () => {
    for (const person of [ann, bo, cy]) person.watch.assertQuiet();
  });
});
