// What helps while one writes: drafts, quotations of a part, marks by keys and by a menu, names of people and of chats.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { chapters } from './chapters.js';
import { PHONE, closeStage, openStage } from './stage.js';

describe('composing', () => {
  const test = chapters();
  let server;
  let browser;
  let ann;
  let bo;
  let cy;

  before(async () => {
    // On the smallest of phones, in the dark, by touch.
    ({ server, browser, ann, bo, cy } = await openStage({ ann: 'Ann', bo: 'Bo', cy: ['Cy', { ...PHONE, viewport: { width: 320, height: 568 } }] }));
    for (const person of [ann, bo, cy]) await person.signUp();
    await ann.startChat('Lighthouse');
    await bo.join('Lighthouse');
    await cy.join('Lighthouse');
    await ann.startChat('Garden [party]');
  });

  after(() => closeStage({ server, browser }));

  const box = (person) => person.page.getByLabel('Message', { exact: true });
  const value = (person) => box(person).inputValue();
  /** Selects a part of what is in the box. */
  const select = async (person, words) => {
    await box(person).evaluate((element, part) => {
      const start = element.value.indexOf(part);
      element.focus();
      element.setSelectionRange(start, start + part.length);
    }, words);
  };
  /** Selects words of a message, as somebody does with the mouse. */
  const selectIn = (person, text, words) =>
    person
      .bubble(text)
      .first()
      .evaluate((bubble, part) => {
        const walker = document.createTreeWalker(bubble, NodeFilter.SHOW_TEXT);
        let node = walker.nextNode();
        while (node && !node.data.includes(part)) node = walker.nextNode();
        const start = node.data.indexOf(part);
        getSelection().setBaseAndExtent(node, start, node, start + part.length);
      }, words);

  test('what was begun is told in the list, and found again', async () => {
    const { page } = ann;
    const panel = page.getByRole('dialog', { name: 'Drafts' });
    const drafts = page.locator('#drafts-open');
    await box(ann).fill('For the *party*');
    await drafts.waitFor({ state: 'hidden' });
    await ann.openChat('Lighthouse');
    await ann.eventually(() => ann.row('Garden').locator('.chat-bottom').textContent(), 'Draft: For the party');
    await ann.eventually(() => drafts.textContent(), '1 draft');
    await box(ann).fill('For the light');
    await ann.startChat('Third');
    await ann.eventually(() => drafts.textContent(), '2 drafts');
    await page.reload();
    await ann.eventually(() => drafts.textContent(), '2 drafts');
    await drafts.click();
    await panel.waitFor();
    await ann.assertAccessible('drafts');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    const rows = panel.locator('.draft .chat-title');
    const [first, second] = await rows.allTextContents();
    assert.deepEqual([first, second].sort(), ['Garden [party]', 'Lighthouse']);
    await panel.locator('.draft', { hasText: 'Lighthouse' }).locator('a').focus();
    await page.keyboard.press('Delete');
    await ann.eventually(() => rows.allTextContents(), ['Garden [party]']);
    await page.locator('.draft a:focus', { hasText: 'Garden' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Garden [party]' }).waitFor();
    await panel.waitFor({ state: 'detached' });
    await ann.eventually(() => value(ann), 'For the *party*');
    await drafts.waitFor({ state: 'hidden' });
    await box(ann).fill('');
    await ann.openChat('Lighthouse');
    assert.equal(await value(ann), '', 'it was thrown away');
  });

  test('a part of a message is quoted: what is selected in it', async () => {
    await ann.say('The lamp is *old*, the stairs are steep, the view is wide');
    for (const person of [bo, cy]) await person.hears('the view is wide');
    await bo.bubble('The lamp').hover();
    await selectIn(bo, 'The lamp', 'the stairs are steep');
    await bo.page.getByRole('button', { name: 'Reply' }).click();
    await bo.page.getByText('Reply to Ann').waitFor();
    assert.equal(await value(bo), '> the stairs are steep\n\n');
    await bo.page.keyboard.type('A hundred steps');
    await bo.page.keyboard.press('Enter');
    const answer = ann.page.locator('.message', { hasText: 'A hundred steps' });
    await ann.eventually(() => answer.locator('blockquote').textContent(), 'the stairs are steep');
    await answer.locator('.quote', { hasText: 'The lamp' }).waitFor();
    await bo.hasSent('A hundred steps');
    // By the keyboard; and where nothing is selected the whole is answered.
    await bo.page.locator('#scroll').focus();
    await bo.page.keyboard.press('ArrowUp');
    await bo.page.locator('.message:focus', { hasText: 'A hundred steps' }).waitFor();
    await selectIn(bo, 'A hundred steps', 'hundred');
    await bo.page.keyboard.press('r');
    await bo.page.getByText('Reply to Bo').waitFor();
    assert.equal(await value(bo), '> hundred\n\n');
    await box(bo).fill('');
    await bo.page.keyboard.press('Escape');
    await bo.page.evaluate(() => getSelection().removeAllRanges());
    await bo.page.locator('#scroll').focus();
    await bo.page.keyboard.press('ArrowUp');
    await bo.page.keyboard.press('r');
    await bo.page.getByText('Reply to Bo').waitFor();
    assert.equal(await value(bo), '');
    await bo.page.keyboard.press('Escape');
  });

  test('what is selected, pointed at or focused stays so while others read and react', async () => {
    const { page } = bo;
    const { messages } = await (await ann.request('GET', '/api/chats/1?limit=20')).json();
    const { id } = messages.find(({ content }) => content.startsWith('The lamp'));
    const reacts = async (person, emoji) => assert.equal((await person.request('PUT', `/api/chats/1/messages/${id}/reactions/${emoji}`)).status(), 200);
    const chip = page.locator(`[data-message="${id}"] .reaction[data-emoji]`);
    await bo.bubble('The lamp').first().hover();
    await selectIn(bo, 'The lamp', 'the view is wide');
    await page.evaluate((message) => {
      globalThis.pointedAt = document.querySelector(`[data-message="${message}"] .tools`);
    }, id);
    await reacts(ann, '👍');
    await chip.waitFor();
    assert.equal(await page.evaluate(() => getSelection().toString()), 'the view is wide');
    assert.equal(await page.evaluate(() => globalThis.pointedAt.isConnected), true, 'its tools are still beside it');
    await page.evaluate(() => getSelection().removeAllRanges());
    await chip.focus();
    await reacts(cy, '👍');
    await bo.eventually(() => chip.textContent(), '👍2');
    assert.equal(await page.evaluate(() => document.activeElement.dataset.emoji), '👍');
  });

  test('a message is taken to another chat, before what was begun there', async () => {
    const { page } = ann;
    await ann.openChat('Third');
    await box(ann).fill('So it is');
    await ann.openChat('Lighthouse');
    await ann.bubble('A hundred steps').first().click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Forward' }).click();
    const sheet = page.getByRole('dialog', { name: 'Forward to' });
    await sheet.getByLabel('Find a chat').fill('third');
    await ann.eventually(() => sheet.getByRole('listitem').allTextContents(), ['TThird']);
    await ann.assertAccessible('forwarding');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Third' }).waitFor();
    await ann.eventually(
      async () => /^> > the stairs are steep\n> \n> A hundred steps\n\n\[Bo in Lighthouse\]\(\S+\)\n\nSo it is$/u.test(await value(ann)),
      true,
    );
    await page.locator('#content:focus').waitFor();
    await page.keyboard.press('Enter');
    await ann.hasSent('So it is');
    await ann.page.locator('#messages').getByRole('link', { name: 'Bo in Lighthouse' }).click();
    await page.locator('.message.found', { hasText: 'A hundred steps' }).waitFor();
  });

  test('marks are set and taken by keys, by a menu and by what is pasted, and each can be undone', async () => {
    const { page } = ann;
    await box(ann).fill('Mind the steps, really');
    await select(ann, 'steps');
    await page.keyboard.press('Control+b');
    assert.equal(await value(ann), 'Mind the **steps**, really');
    await page.keyboard.press('Control+b');
    assert.equal(await value(ann), 'Mind the steps, really');
    await page.keyboard.press('Control+i');
    assert.equal(await value(ann), 'Mind the *steps*, really');
    await page.keyboard.press('Control+z');
    assert.equal(await value(ann), 'Mind the steps, really');
    await select(ann, 'really');
    await page.getByRole('button', { name: 'Format' }).click();
    await page.getByRole('menu', { name: 'Format' }).waitFor();
    await ann.assertAccessible('the menu of marks');
    await page.getByRole('menuitem', { name: 'Bold' }).click();
    assert.equal(await value(ann), 'Mind the steps, **really**');
    await select(ann, 'steps');
    await box(ann).evaluate((element) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', 'https://example.org/steps');
      element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    });
    assert.equal(await value(ann), 'Mind the [steps](https://example.org/steps), **really**');
    await page.keyboard.press('Enter');
    await bo.hears('Mind the steps, really');
    const said = bo.bubble('Mind the steps');
    assert.equal(await said.locator('a').getAttribute('href'), 'https://example.org/steps');
    assert.equal(await said.locator('strong').textContent(), 'really');
    await page.locator('#scroll').focus();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys and formatting' }).getByText('**bold**').waitFor();
    await page.keyboard.press('Escape');
  });

  test('what is written is seen as it will be, until it is sent', async () => {
    const { page } = ann;
    const seen = page.getByRole('region', { name: 'Preview' });
    await box(ann).fill('So **steep**');
    await page.keyboard.press('Alt+p');
    await ann.eventually(() => seen.locator('strong').textContent(), 'steep');
    await box(ann).pressSequentially(' and `wet`');
    await ann.eventually(() => seen.locator('code').textContent(), 'wet');
    await ann.assertAccessible('a preview');
    await page.keyboard.press('Enter');
    await seen.waitFor({ state: 'hidden' });
    await bo.hears('So steep and wet');
  });

  test('on the smallest of phones the box keeps its room', async () => {
    assert.equal(await cy.page.getByRole('button', { name: 'Format' }).count(), 0);
    const { width } = await box(cy).boundingBox();
    assert.ok(width >= 150, `${width} pixels`);
  });

  test('a chat is named after a number sign, and a press on its name opens it', async () => {
    const { page } = ann;
    await box(ann).pressSequentially('More in #garden');
    await page.getByRole('option', { name: 'Garden [party]' }).waitFor();
    await ann.assertAccessible('completing a chat');
    await page.keyboard.press('Enter');
    assert.match(await value(ann), /^More in \[#Garden \\\[party\\\]\]\(http:\/\/[^)]+#\/chats\/\d+\) $/u);
    await page.keyboard.press('Enter');
    await bo.hears('More in');
    const link = bo.bubble('More in').getByRole('link', { name: '#Garden [party]' });
    await link.click();
    await bo.page.getByRole('heading', { name: 'Garden [party]' }).waitFor();
    assert.equal(bo.context.pages().length, 1);
    // What another chat says last may name this one.
    await bo.page.locator('#mine-list a.chat-row').click();
    await bo.page.getByRole('heading', { name: 'Lighthouse' }).waitFor();
  });

  test('everybody can be named by an admin, and by nobody else', async () => {
    await box(ann).pressSequentially('@al');
    await ann.page.getByRole('option', { name: 'all' }).waitFor();
    await ann.page.keyboard.press('Enter');
    assert.equal(await value(ann), '@all ');
    await box(ann).fill('');
    await box(bo).pressSequentially('@an');
    await bo.page.getByRole('option', { name: 'Ann' }).waitFor();
    await box(bo).fill('');
    await box(bo).pressSequentially('@');
    await bo.page.getByRole('option', { name: 'Ann' }).waitFor();
    assert.deepEqual(await bo.page.getByRole('option').locator('.candidate > span:last-child').allTextContents(), ['Ann', 'Cy']);
    await box(bo).fill('');
  });

  test('every message that was changed says so, and when', async () => {
    await ann.say('First of three');
    await ann.say('Second of three');
    await ann.hasSent('Second of three');
    const first = ann.page.locator('.message', { hasText: 'First of three' });
    await first.click({ button: 'right' });
    await ann.page.getByRole('menuitem', { name: 'Edit' }).click();
    await box(ann).fill('First of three, mended');
    await ann.page.keyboard.press('Enter');
    for (const person of [ann, bo, cy]) {
      const changed = person.page.locator('.message', { hasText: 'First of three, mended' });
      await changed.locator('.meta', { hasText: 'Edited' }).waitFor();
    }
    // Hers tells when she sent it, until it tells when the server took it, as all the others do.
    const title = await bo.page.locator('.message', { hasText: 'First of three, mended' }).locator('.bubble').getAttribute('title');
    await ann.eventually(() => first.locator('.bubble').getAttribute('title'), title);
    assert.match(title, /^.+ \d\d:\d\d:\d\d \S+\nEdited .+ \d\d:\d\d:\d\d \S+$/u);
    await first.click({ button: 'right' });
    assert.equal(await ann.page.locator('.menu-when').textContent(), title, 'a finger has no pointer to rest');
    await ann.assertAccessible('the menu of a message that was changed');
    await ann.page.keyboard.press('Escape');
    // The list says it as well, of a chat whose last message came with the list.
    await bo.page.reload();
    await bo.eventually(() => bo.page.locator('#mine-list .chat-preview').textContent(), 'Ann: Second of three');
    await bo.line('live');
    await box(ann).focus();
    await ann.page.keyboard.press('ArrowUp');
    await box(ann).fill('Second of three, mended');
    await ann.page.keyboard.press('Enter');
    await bo.eventually(() => bo.page.locator('#mine-list .chat-preview').textContent(), 'Ann: Second of three, mended');
  });

  test('what one person wrote is a press on their face away', async () => {
    const { page } = ann;
    await page.getByRole('button', { name: 'About Bo' }).first().click();
    await page.getByRole('menuitem', { name: 'Find what Bo wrote' }).click();
    await page.getByText('Written by “Bo”').waitFor();
    await page.locator('#filter:focus').waitFor();
    // In one go: a pause between two keys would be a search for what there is so far.
    await page.keyboard.insertText('steps');
    await page.locator('.hit', { hasText: 'A hundred steps' }).waitFor();
    assert.equal(await page.locator('.hit').count(), 1, 'others wrote of steps as well');
    await page.getByRole('button', { name: 'Search everywhere' }).click();
    await ann.eventually(() => page.locator('.hit').count(), 3);
    await page.locator('#filter').fill('');
    await cy.page.getByRole('button', { name: 'About Bo' }).first().click();
    await cy.page.getByRole('menuitem', { name: 'Find what Bo wrote' }).click();
    await cy.page.locator('#filter:focus').waitFor();
    await cy.assertAccessible('looking for what somebody wrote, on a phone, dark');
  });

  test('nobody saw an error or a broken rule of the page', () => {
    for (const person of [ann, bo, cy]) person.watch.assertQuiet();
  });
});
