// Messages under the finger, the pointer and the keyboard: what opens, what it covers, and what a press does and does not do.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person } from './person.js';
import { PHONE, closeStage, openStage } from './stage.js';

describe('messages in one’s hands', () => {
  let server;
  let browser;
  let ann;
  let bo;
  let cy;

  before(async () => {
    ({ server, browser, ann, bo, cy } = await openStage({ ann: ['Ann', { viewport: { width: 1280, height: 800 } }], bo: 'Bo', cy: ['Cy', PHONE] }));
    for (const person of [ann, bo, cy]) await person.signUp();
    await ann.startChat('Lighthouse');
    for (const person of [bo, cy]) await person.join('Lighthouse');
    for (let number = 1; number <= 25; number += 1) {
      assert.equal((await ann.request('POST', '/api/chats/1', { content: `Step ${number}` })).status(), 201);
    }
    await bo.say('Ok');
    await ann.hears('Ok');
    await ann.say('Yes');
    await bo.hears('Yes');
    const { messages } = await (await bo.request('GET', '/api/chats/1?limit=60')).json();
    const { id } = messages.find(({ content }) => content === 'Step 3');
    assert.equal((await bo.request('POST', '/api/chats/1', { content: 'A steep one', reply_to: String(id) })).status(), 201);
    for (const person of [ann, bo, cy]) await person.hears('A steep one');
  });

  after(() => closeStage({ server, browser }));

  const menu = (person) => person.page.getByRole('menu', { name: 'Message' });

  /** Rests a finger on something until its menu opens, and lifts it there: what the click that follows lands on. */
  async function hold(person, locator) {
    const box = await locator.boundingBox();
    const place = { clientX: box.x + box.width / 2, clientY: box.y + box.height / 2, pointerType: 'touch', bubbles: true };
    await locator.dispatchEvent('pointerdown', place);
    await menu(person).waitFor();
    await person.page.evaluate(({ clientX: x, clientY: y }) => {
      const entry = document.querySelector('.menu [role=menuitem]');
      const under = document.elementFromPoint(x, y) ?? document.body;
      for (const element of [under, entry]) {
        element.dispatchEvent(new PointerEvent('pointerup', { pointerType: 'touch', bubbles: true }));
        element.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
      }
    }, place);
  }

  test('the finger that is lifted from a long press acts on nothing', async () => {
    const { page } = cy;
    await hold(cy, cy.bubble('Yes'));
    await menu(cy).waitFor();
    assert.equal(await page.locator('dialog[open]').count(), 1, 'nothing of it was chosen');
    await page.getByRole('menuitem', { name: 'Reply' }).click();
    await page.getByText('Reply to Ann').waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  });

  test('nor does it follow the quotation that it rested on, whose message has the menu', async () => {
    const { page } = cy;
    await hold(cy, page.locator('.quote', { hasText: 'Step 3' }));
    await menu(cy).waitFor();
    assert.equal(await page.locator('.message.found').count(), 0);
    await page.getByRole('menuitem', { name: 'Go to what it answers' }).click();
    await page.locator('.message.found', { hasText: 'Step 3' }).waitFor();
    await page.getByRole('button', { name: 'Newest' }).click();
  });

  test('from the box the keyboard comes to the messages, not into a quotation of one', async () => {
    const { page } = ann;
    await page.locator('#content').focus();
    await page.keyboard.press('Shift+Tab');
    await ann.eventually(() => page.evaluate(() => document.activeElement.id), 'scroll');
    await page.keyboard.press('ArrowUp');
    await page.locator('.message:focus', { hasText: 'A steep one' }).waitFor();
    await page.keyboard.press('q');
    await page.locator('.message.found:focus', { hasText: 'Step 3' }).waitFor();
    await page.getByRole('button', { name: 'Newest' }).click();
  });

  test('what one can do with a message covers neither its words nor who said it', async () => {
    for (const text of ['Ok', 'Yes']) {
      const row = ann.page.locator('#messages .message', { has: ann.page.locator('.bubble', { hasText: text }) }).last();
      await row.locator('.bubble').hover();
      const tools = row.locator('.tools');
      await tools.waitFor();
      const [bar, bubble] = [await tools.boundingBox(), await row.locator('.bubble').boundingBox()];
      const covered = Math.min(bar.x + bar.width, bubble.x + bubble.width) - Math.max(bar.x, bubble.x);
      assert.ok(covered <= 10, `${text}: ${covered} pixels of it are covered`);
      const from = row.locator('.from');
      if ((await from.count()) > 0) assert.ok(bar.y >= (await from.boundingBox()).y + (await from.boundingBox()).height - 1, 'who said it is in sight');
    }
  });

  test('the smiley offers six reactions, and all the others behind them', async () => {
    const { page } = ann;
    await ann.bubble('Ok').hover();
    await page.getByRole('button', { name: 'React', exact: true }).click();
    await page.getByRole('button', { name: 'React with 👍' }).waitFor();
    await ann.assertAccessible('quick reactions');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.locator('.reaction', { hasText: '❤️' }).waitFor();
    await page.mouse.move(0, 0);
    await ann.bubble('Ok').hover();
    await page.getByRole('button', { name: 'React', exact: true }).click();
    await page.getByRole('menuitem', { name: 'More emoji' }).click();
    await page.keyboard.type('chocolate bar');
    await ann.eventually(() => page.locator('.emoji-name').textContent(), 'chocolate bar');
    await page.keyboard.press('Enter');
    await page.locator('.reaction', { hasText: '🍫' }).waitFor();
    await page.mouse.move(0, 0);
  });

  test('a time is written one way everywhere, and says when exactly', async () => {
    const us = await Person.arrive(browser, server, 'Dee', { locale: 'en-US' });
    await us.signUp();
    await us.openChat('Lighthouse');
    await us.hears('A steep one');
    const time = us.page.locator('#messages .meta time').last();
    const [text, title] = [await time.textContent(), await time.getAttribute('title')];
    assert.match(text, /^[1-9]\d?:\d\d\s[AP]M$/u);
    assert.ok(title.includes(text.replace(/\s[AP]M$/u, ':')), `${title} goes on from ${text}`);
    assert.equal(title, await us.bubble('A steep one').getAttribute('title'));
    await us.page.getByRole('link', { name: 'Lighthouse' }).locator('time').waitFor();
    const listed = us.page.getByRole('link', { name: 'Lighthouse' }).locator('time');
    assert.equal(await listed.textContent(), text);
    assert.ok((await listed.getAttribute('title')).endsWith(text));
    await us.leave();
  });

  test('the day and the way to the newest stand over no words at rest', async () => {
    for (const person of [ann, cy]) {
      const { page } = person;
      await page.goto(`${server.url}/#/chats/1`);
      await person.hears('Step 20');
      for (const top of [150, 333, 480]) {
        await page.locator('#scroll').evaluate((element, place) => (element.scrollTop = place), top);
        await page.getByRole('button', { name: 'Newest' }).waitFor();
        await person.eventually(() => page.evaluate(covered), []);
      }
      await page.getByRole('button', { name: 'Newest' }).click();
    }
  });

  test('the line “New” is not behind the day', async () => {
    const { page } = cy;
    await page.goto(`${server.url}/#/`);
    await cy.row('Lighthouse').waitFor();
    for (let number = 1; number <= 25; number += 1) {
      assert.equal((await ann.request('POST', '/api/chats/1', { content: `Later ${number}` })).status(), 201);
    }
    await cy.eventually(() => cy.row('Lighthouse').locator('.badge .sr-only').textContent(), '25 unread messages');
    await cy.row('Lighthouse').click();
    await page.locator('.divider').waitFor();
    await cy.eventually(() => page.evaluate(newBehindDay), false);
  });

  test('who is removed from a chat finds the way on, and is rid of what they began there', async () => {
    const { page } = bo;
    const { id } = await (await bo.request('GET', '/api/me')).json();
    const made = await ann.request('POST', '/api/chats', { title: 'Lantern room', private: 'true', members: String(id) });
    await bo.openChat('Lantern room');
    await page.getByLabel('Message', { exact: true }).fill('I was about to say');
    // What is gone is asked for once more.
    bo.watch.allowed.push(/status of 40[34]/u);
    assert.equal((await bo.request('POST', '/api/chats/1/leave')).status(), 200);
    assert.equal((await ann.request('DELETE', `${made.headers().location}/members/${id}`)).status(), 200);
    await page.getByText('You are not in this chat any more.').waitFor();
    await bo.assertAccessible('a chat that one is not in any more');
    await page.getByRole('button', { name: 'Delete what you began to write here' }).click();
    await page.getByRole('button', { name: 'Delete what you began to write here' }).waitFor({ state: 'hidden' });
    await page.getByRole('link', { name: 'To your chats' }).click();
    await page.locator('#drafts-open').waitFor({ state: 'hidden' });
    await page.getByRole('heading', { name: /Pick a chat|Join in|Welcome/u }).waitFor();
    assert.equal(await page.getByText('in no chat yet').count(), 0);
    await page.getByText('You are in no chat now.').waitFor();
  });

  test('a shop that nobody has registered says how to try it', async () => {
    const guest = await Person.arrive(browser, server, 'Guest');
    guest.watch.allowed.push(/status of 404/u, /is not registered, so the chat is not shown/u);
    await guest.page.goto(`${server.url}/shop/`);
    await guest.page.getByRole('heading', { name: 'The chat of this shop is not open yet' }).waitFor();
    await guest.assertAccessible('a shop that nobody has registered');
    await guest.page.getByRole('link', { name: 'Register and open the desk' }).click();
    const form = guest.page.getByRole('form', { name: 'Register a site' });
    assert.equal(await form.getByLabel('Domain').inputValue(), '127.0.0.1');
    await form.getByLabel('E-mail').fill('tea@example.org');
    await form.getByLabel('Password').fill(guest.password);
    await form.getByRole('button', { name: 'Register site' }).click();
    await guest.page.locator('#app').waitFor();
    await guest.page.goto(`${server.url}/shop/`);
    await guest.page.getByRole('button', { name: 'Ask us about tea' }).waitFor();
    assert.equal(await guest.page.getByRole('heading', { name: 'not open yet' }).isVisible(), false);
    await guest.leave();
  });

  test('nobody saw an error or a broken rule of the page', () => {
    for (const person of [ann, bo, cy]) person.watch.assertQuiet();
  });
});

/** What is said and stands half behind something else, at the edges of what one sees; runs in the page. */
function covered() {
  const over = [...document.querySelectorAll('#messages .day button, #to-end')].filter((each) => each.checkVisibility({ visibilityProperty: true }));
  const found = [];
  for (const element of over) {
    const box = element.getBoundingClientRect();
    const places = [box.left - 12, box.right + 12].flatMap((x) => [box.top + 2, box.bottom - 2].map((y) => [x, y]));
    for (const bubble of document.querySelectorAll('#messages .bubble')) {
      const { left, right, top, bottom } = bubble.getBoundingClientRect();
      if (right < box.left || left > box.right || bottom < box.top || top > box.bottom) continue;
      // What goes under a band that hides it as a whole is not seen there.
      if (places.some(([x, y]) => bubble.contains(document.elementFromPoint(x, y)))) found.push(`${element.textContent} over ${bubble.textContent}`);
      if (bubble.contains(document.elementFromPoint(left + 6, Math.min(bottom - 2, box.bottom - 2))))
        found.push(`${element.textContent} beside ${bubble.textContent}`);
    }
  }
  return found;
}

/** Whether the line "New" is hidden by the day; runs in the page. */
function newBehindDay() {
  const line = document.querySelector('#messages .divider span').getBoundingClientRect();
  const under = document.elementFromPoint(line.left + line.width / 2, line.top + line.height / 2);
  return !under?.closest('.divider');
}
