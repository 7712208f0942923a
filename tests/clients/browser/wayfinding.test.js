// The ways through chats: back to where one was, to what is new, to a day, by links, by the keyboard, and by a row's menu.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { chapters } from './chapters.js';
import { PHONE, closeStage, openStage } from './stage.js';

const DAY = 86_400_000;

describe('finding one’s way', () => {
  const test = chapters();
  let server;
  let browser;
  let ann;
  let bo;
  let cy;
  let chat;

  before(async () => {
    ({ server, browser, ann, bo, cy } = await openStage({ ann: 'Ann', bo: 'Bo', cy: ['Cy', PHONE] }));
    for (const person of [ann, bo, cy]) await person.signUp();
    await ann.startChat('Elsewhere');
    await ann.startChat('Lighthouse');
    chat = Number(/\d+$/u.exec(ann.page.url())[0]);
    await bo.join('Lighthouse');
    await cy.join('Lighthouse');
  });

  after(() => closeStage({ server, browser }));

  const box = (person) => person.page.getByLabel('Message', { exact: true });
  const badge = (person, title) => person.row(title).locator('.badge .sr-only');
  /** What stands right below the line "New". */
  const newest = async (person) =>
    (await person.page.locator('#messages .divider + .message .bubble').allTextContents()).map((text) => text.replace(/^.*?: /u, ''));
  /** How many messages the server takes for unread by somebody, by the title of the chat. */
  const unread = async (person, title) => (await (await person.request('GET', '/api/chats')).json()).chats.find((each) => each.title === title).unread;
  /** The first message that is in sight as a whole, and where it is. */
  const place = (person) =>
    person.page.evaluate(() => {
      const { top } = document.getElementById('scroll').getBoundingClientRect();
      const row = [...document.querySelectorAll('#messages .message')].find((each) => each.getBoundingClientRect().bottom > top + 1);
      return { message: row?.dataset.message, top: row && Math.round(row.getBoundingClientRect().top) };
    });
  /** Whether somebody is where they were: what is drawn anew stands within a pixel of that. */
  const isAt = (person, left) => async () => {
    const now = await place(person);
    return now.message === left.message && Math.abs(now.top - left.top) <= 1;
  };
  const menuOf = (person, title) => person.page.getByRole('menu', { name: title });

  test('who looks away finds the line “New” where they stopped', async () => {
    await bo.say('Seen at once');
    await ann.hears('Seen at once');
    await ann.eventually(() => unread(ann, 'Lighthouse'), 0);
    assert.deepEqual(await newest(ann), []);
    await ann.page.evaluate(() => {
      document.hasFocus = () => false;
    });
    await bo.say('Said while nobody looked');
    await bo.say('And once more');
    await ann.hears('And once more');
    await ann.eventually(() => newest(ann), ['Said while nobody looked']);
    await ann.eventually(() => badge(ann, 'Lighthouse').textContent(), '2 unread messages');
    await ann.page.evaluate(() => {
      delete document.hasFocus;
      dispatchEvent(new Event('focus'));
    });
    await ann.eventually(() => badge(ann, 'Lighthouse').count(), 0);
    assert.deepEqual(await newest(ann), ['Said while nobody looked'], 'the line stays while one reads');
    await ann.say('I am back');
    await ann.eventually(() => newest(ann), []);
  });

  test('a chat opens where one was reading, unless something is unread', async () => {
    for (let number = 1; number <= 45; number += 1) {
      assert.equal((await ann.request('POST', `/api/chats/${chat}`, { content: `Line ${number}` })).status(), 201);
    }
    await ann.hears('Line 45');
    await ann.page.locator('#scroll').evaluate((element) => {
      element.scrollTop = 700;
    });
    await ann.page.getByRole('button', { name: 'Newest' }).waitFor();
    const left = await place(ann);
    await ann.openChat('Elsewhere');
    await ann.openChat('Lighthouse');
    await ann.eventually(isAt(ann, left), true);
    await ann.openChat('Elsewhere');
    await bo.say('Something new');
    await ann.eventually(() => badge(ann, 'Lighthouse').textContent(), '1 unread message');
    await ann.openChat('Lighthouse');
    await ann.eventually(() => newest(ann), ['Something new']);
    await ann.eventually(() => badge(ann, 'Lighthouse').count(), 0);
  });

  test('on a phone too, where the list takes the place of the chat', async () => {
    await cy.hears('Something new');
    await cy.page.locator('#scroll').evaluate((element) => {
      element.scrollTop = 700;
    });
    await cy.page.getByRole('button', { name: 'Newest' }).waitFor();
    const left = await place(cy);
    await cy.page.getByRole('link', { name: /^Back to chats/u }).click();
    await cy.openChat('Lighthouse');
    await cy.eventually(isAt(cy, left), true);
  });

  test('a list that was hidden comes back as things are now, with the focus where one was', async () => {
    const { page } = cy;
    const back = page.getByRole('link', { name: /^Back to chats/u });
    await back.click();
    await page.locator('#others-list').getByText('Elsewhere').waitFor();
    await cy.join('Elsewhere');
    // It is among mine now; nobody may find it where it was.
    await cy.eventually(() => page.locator('#lists a.chat-row').count(), 0);
    const seen = await page.evaluate(listAfterBack);
    assert.deepEqual(seen, { mine: ['Lighthouse', 'Elsewhere'], others: [], focused: 'Elsewhere' });
    await cy.openChat('Lighthouse');
  });

  test('a scroll is not taken back by what comes in the same moment', async () => {
    await ann.openChat('Lighthouse');
    await ann.eventually(() => ann.page.evaluate(isAtEnd), true);
    assert.deepEqual(await ann.page.evaluate(scrollAndDraw, 500), { drawn: true, top: 500 });
    await ann.page.getByRole('button', { name: 'Newest' }).click();
  });

  test('a press on a chat opens it, also when its row changes under the finger', async () => {
    await ann.openChat('Elsewhere');
    const row = ann.row('Lighthouse');
    await row.hover();
    await ann.page.mouse.down();
    await bo.say('While you press');
    await ann.eventually(() => row.locator('.chat-preview').textContent(), 'Bo: While you press');
    await ann.page.mouse.up();
    await ann.page.getByRole('heading', { name: 'Lighthouse' }).waitFor();
    await ann.eventually(() => badge(ann, 'Lighthouse').count(), 0);
  });

  test('an address of a message says where it leads, and opens here', async () => {
    const first = await ann.page.locator('#messages .message', { hasText: 'Seen at once' }).getAttribute('data-message');
    const address = `${server.url}/#/chats/${chat}/${first}`;
    await bo.say(`As said in ${address} and on https://example.org/a`);
    for (const person of [ann, cy]) {
      await person.hears('As said in');
      const link = person.bubble('As said in').getByRole('link').first();
      await person.eventually(() => link.textContent(), 'A message in Lighthouse');
      assert.equal(await link.getAttribute('target'), null);
      assert.equal(await person.bubble('As said in').getByRole('link').last().getAttribute('target'), '_blank', 'what is elsewhere opens beside');
      await link.click();
      await person.page.locator('.message.found', { hasText: 'Seen at once' }).waitFor();
      assert.equal(person.context.pages().length, 1);
    }
  });

  test('a chat is found and opened by keys alone', async () => {
    const { page } = ann;
    await page.locator('#scroll').focus();
    await page.keyboard.press('/');
    await page.locator('#filter:focus').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('#content:focus').waitFor();
    await page.keyboard.press('Control+k');
    await page.locator('#filter:focus').waitFor();
    await page.keyboard.type('else');
    await ann.eventually(() => page.locator('a.chat-row').count(), 1);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Elsewhere' }).waitFor();
    await page.locator('#content:focus').waitFor();
    assert.equal(await page.locator('#filter').inputValue(), '');
    await ann.eventually(() => page.locator('a.chat-row').count(), 2);
    await page.keyboard.press('Control+k');
    await page.locator('#filter:focus').waitFor();
    await page.keyboard.press('ArrowDown');
    await page.locator('a.chat-row:focus', { hasText: 'Lighthouse' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.locator('a.chat-row:focus', { hasText: 'Elsewhere' }).waitFor();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    await page.locator('#filter:focus').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('#content:focus').waitFor();
    await page.keyboard.type('a/b');
    assert.equal(await box(ann).inputValue(), 'a/b', 'where one writes it is a letter');
    await box(ann).fill('');
  });

  test('Alt, Shift and an arrow go to the next chat with something unread', async () => {
    await ann.startChat('Third');
    await ann.startChat('Fourth');
    await bo.say('Come and see');
    await ann.eventually(() => badge(ann, 'Lighthouse').textContent(), '1 unread message');
    await ann.page.keyboard.press('Alt+Shift+ArrowDown');
    await ann.page.getByRole('heading', { name: 'Lighthouse' }).waitFor();
    await ann.eventually(() => badge(ann, 'Lighthouse').count(), 0);
    await ann.page.keyboard.press('Alt+Shift+ArrowUp');
    await ann.eventually(() => ann.page.locator('#spoken').textContent(), 'Nothing else is unread.');
    await ann.page.getByRole('heading', { name: 'Lighthouse' }).waitFor();
  });

  test('what is unread can be seen alone', async () => {
    const { page } = ann;
    const only = page.getByRole('button', { name: 'Only unread chats' });
    const titles = () => page.locator('a.chat-row .chat-title').allTextContents();
    await ann.openChat('Third');
    await bo.say('Unread and alone');
    await ann.eventually(() => badge(ann, 'Lighthouse').textContent(), '1 unread message');
    await only.click();
    await ann.eventually(async () => (await titles()).sort(), ['Lighthouse', 'Third']);
    await ann.assertAccessible('unread chats alone');
    await ann.openChat('Lighthouse');
    await ann.eventually(titles, ['Lighthouse']);
    await only.press('Enter');
    await ann.eventually(async () => (await titles()).sort(), ['Elsewhere', 'Fourth', 'Lighthouse', 'Third']);
  });

  test('the menu of a chat marks it as read, pins and mutes it', async () => {
    const { page } = ann;
    await ann.openChat('Third');
    await bo.say('Not worth a look');
    await ann.eventually(() => badge(ann, 'Lighthouse').textContent(), '1 unread message');
    await ann.row('Lighthouse').click({ button: 'right' });
    await menuOf(ann, 'Lighthouse').waitFor();
    await ann.assertAccessible('the menu of a chat');
    await page.getByRole('menuitem', { name: 'Mark as read' }).click();
    await ann.eventually(() => badge(ann, 'Lighthouse').count(), 0);
    await ann.eventually(() => unread(ann, 'Lighthouse'), 0);
    await page.getByRole('heading', { name: 'Third' }).waitFor();
    await ann.row('Elsewhere').focus();
    await page.keyboard.press('Shift+F10');
    await menuOf(ann, 'Elsewhere').waitFor();
    assert.equal(await page.getByRole('menuitem', { name: 'Mark as read' }).count(), 0, 'nothing of it is unread');
    await page.getByRole('menuitem', { name: 'Pin to the top' }).click();
    await page.locator('#pinned-list a.chat-row', { hasText: 'Elsewhere' }).waitFor();
    await cy.page.getByRole('link', { name: /^Back to chats/u }).click();
    await cy.row('Lighthouse').dispatchEvent('pointerdown', { pointerType: 'touch', clientX: 120, clientY: 300, bubbles: true });
    await menuOf(cy, 'Lighthouse').waitFor();
    await cy.assertAccessible('the menu of a chat, on a phone, dark');
    await cy.page.getByRole('menuitem', { name: 'Mute until tomorrow' }).click();
    await cy.page.locator('a.chat-row.muted', { hasText: 'Lighthouse' }).waitFor();
  });

  test('a day of a chat is a press and a date away', async () => {
    for (const person of [ann, bo, cy]) await person.page.goto('about:blank');
    const upTo = "(select id from messages where content = 'Line 10')";
    await server.stopped(() => server.write([`update messages set created_at = created_at - ${9 * DAY} where id <= ${upTo}`]));
    await ann.page.goto(`${server.url}/#/chats/${chat}`);
    await ann.hears('Not worth a look');
    const { page } = ann;
    const dialog = page.getByRole('dialog', { name: 'Go to a day' });
    const { messages } = await (await ann.request('GET', `/api/chats/${chat}?limit=100`)).json();
    const days = ['Line 11', 'Seen at once'].map((text) => [text, messages.find(({ content }) => content === text).time]);
    await page.locator('#messages .day button').last().click();
    for (const [text, time] of days) {
      await dialog.waitFor();
      await ann.assertAccessible('asking for a day');
      await dialog.getByLabel('Day').fill(await page.evaluate(localDay, time));
      await page.keyboard.press('Enter');
      await page.locator('.message.found:focus', { hasText: text }).waitFor();
      await page.keyboard.press('d');
    }
    await dialog.waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    // The day that one reads stays in sight, and no other above it.
    await page.getByRole('button', { name: 'Newest' }).click();
    await ann.hears('Not worth a look');
    await ann.eventually(() => page.evaluate(daysAbove), 1);
  });

  test('nobody saw an error or a broken rule of the page', () => {
    for (const person of [ann, bo, cy]) person.watch.assertQuiet();
  });
});

/** Goes back to the list: what it shows at once, and where the focus stays; runs in the page. */
function listAfterBack() {
  const titles = (name) => [...document.querySelectorAll(`#${name}-list .chat-title`)].map((title) => title.textContent);
  return new Promise((resolve) => {
    addEventListener(
      'hashchange',
      () => {
        const [mine, others] = [titles('mine'), titles('others')];
        requestAnimationFrame(() => {
          requestAnimationFrame(() => resolve({ mine, others, focused: document.activeElement.querySelector('.chat-title')?.textContent ?? null }));
        });
      },
      { once: true },
    );
    document.getElementById('back').click();
  });
}

/** Whether the newest message is in sight; runs in the page. */
function isAtEnd() {
  const { scrollTop, scrollHeight, clientHeight } = document.getElementById('scroll');
  return scrollTop > 1_000 && scrollHeight - scrollTop - clientHeight < 2;
}

/** Scrolls, and has the chat drawn before the browser tells of it; where that leaves one; runs in the page. */
function scrollAndDraw(top) {
  const scroll = document.getElementById('scroll');
  const person = /user_id=(\d+)/u.exec(document.cookie)[1];
  return new Promise((resolve) => {
    scroll.scrollTop = top;
    let told = false;
    scroll.addEventListener('scroll', () => (told = true), { once: true });
    // A pause of notifications that begins in another tab.
    dispatchEvent(new StorageEvent('storage', { key: `parlance.paused.${person}` }));
    queueMicrotask(() => {
      const drawn = !told;
      requestAnimationFrame(() => requestAnimationFrame(() => resolve({ drawn, top: scroll.scrollTop })));
    });
  });
}

/** How many days are told at the upper edge; runs in the page. */
function daysAbove() {
  const { top } = document.getElementById('scroll').getBoundingClientRect();
  const days = [...document.querySelectorAll('#messages .day')].filter((day) => day.getBoundingClientRect().top <= top);
  return days.filter((day) => getComputedStyle(day).visibility === 'visible').length;
}

/** The day of a time, as an input of dates has it; runs in the page. */
function localDay(time) {
  const date = new Date(time);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0')).join('-');
}
