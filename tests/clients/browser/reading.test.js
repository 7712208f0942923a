// What one reads: Markdown as elements, long histories and lists as windows, what is unread, and emoji.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AWAY, Person, stopClock } from './person.js';
import { closeStage, openStage } from './stage.js';

const MOST_ELEMENTS = 2_000;

describe('reading', () => {
  let server;
  let browser;
  let ann;

  before(async () => {
    ({ server, browser, ann } = await openStage({ ann: 'Ann' }));
    await ann.signUp();
  });

  after(() => closeStage({ server, browser }));

  const elements = (person) => person.page.evaluate(() => document.querySelectorAll('*').length);
  const chatPath = (person) => `/api${new URL(person.page.url().replace('#/', '')).pathname}`;
  const bubble = (person) => person.page.locator('#messages .bubble').last();

  async function fill(person, path, count, text) {
    const send = (number) => person.request('POST', path, { content: text(number) });
    for (let number = 1; number <= count; number += 40) {
      await Promise.all(Array.from({ length: Math.min(40, count - number + 1) }, (_, at) => send(number + at)));
    }
  }

  test('Markdown is drawn as elements, and HTML is text', async () => {
    await ann.startChat('Typography');
    await ann.say('**bold** *italic* ~~struck~~ `code` [link](https://example.org/a)\n\n- one\n- two\n\n> quoted\n\n```js\nlet a = 1 < 2;\n```');
    await ann.hasSent('quoted');
    const drawn = await bubble(ann).evaluate((element) =>
      [...element.querySelectorAll('*')].map(({ localName }) => localName).filter((name) => name !== 'span'),
    );
    assert.deepEqual(drawn, ['p', 'strong', 'em', 's', 'code', 'a', 'ul', 'li', 'li', 'blockquote', 'p', 'pre', 'code']);
    assert.equal(await bubble(ann).locator('pre code').textContent(), 'let a = 1 < 2;');
    assert.equal(await bubble(ann).locator('a').getAttribute('rel'), 'noopener noreferrer nofollow');
    const hostile = '<img src=x onerror=alert(1)> <b>b</b> [x](javascript:alert(1)) <javascript:alert(1)> <!-- c --> &lt;i&gt;';
    await ann.say(hostile);
    await ann.hears('onerror');
    assert.equal(await bubble(ann).locator('img, b, a, i').count(), 0);
    assert.equal((await ann.texts()).at(-1), hostile);
    await ann.assertAccessible('Markdown');
  });

  test('one message cannot fill the document', async () => {
    for (const part of ['*a* ', '- a\n', '> - 1. a\n', '[a](https://b.example) ', 'https://b.example ', '`a` ', '```\n```\n']) {
      const path = chatPath(ann);
      const text = part.repeat(Math.floor(16_000 / part.length));
      assert.equal((await ann.request('POST', path, { content: text })).status(), 201);
      await ann.page.locator('#messages .message').last().getByRole('button', { name: 'Show all of it' }).click();
      await ann.eventually(async () => (await bubble(ann).getByRole('button').count()) === 0, true);
      assert.ok((await bubble(ann).locator('*').count()) < 200, part);
    }
    assert.ok((await elements(ann)) < MOST_ELEMENTS);
  });

  test('a long chat is a window, wherever one reads, and comes back to its end', async () => {
    await ann.startChat('Long story');
    const count = 1_300;
    await fill(ann, chatPath(ann), count, (number) => `Line ${number} *with* **some** \`marks\``);
    await ann.page.reload();
    await ann.hears(`Line`);
    const box = ann.page.locator('#scroll');
    let most = 0;
    const seen = new Set();
    const look = async () => {
      most = Math.max(most, await elements(ann));
      for (const text of await ann.texts()) seen.add(Number(/Line (\d+)/.exec(text)[1]));
    };
    await look();
    /** What a step brings is drawn before the next one. */
    const step = (by) =>
      box.evaluate(
        (element, down) =>
          new Promise((resolve) => {
            element.scrollBy(0, down);
            requestAnimationFrame(() => requestAnimationFrame(resolve));
          }),
        by,
      );
    await ann.eventually(async () => {
      await step(-1_500);
      await look();
      return ann.page.getByText('This is where the chat begins.').isVisible();
    }, true);
    // The first of them may have come between the look and the question.
    await look();
    const passed = () => Array.from({ length: count }, (_, at) => at + 1).filter((number) => !seen.has(number));
    assert.deepEqual(passed(), [], 'nothing was passed over on the way up');
    seen.clear();
    await ann.eventually(async () => {
      await step(1_500);
      await look();
      return ann.page.getByRole('button', { name: 'Newest' }).isHidden();
    }, true);
    await look();
    assert.deepEqual(passed(), [], 'nor on the way down');
    assert.ok(most < MOST_ELEMENTS, `${most} elements`);
    await box.evaluate((element) => element.scrollBy(0, -20_000));
    await ann.page.getByRole('button', { name: 'Newest' }).click();
    await ann.page.getByRole('button', { name: 'Newest' }).waitFor({ state: 'hidden' });
  });

  test('the first unread message is a press away, and so is the newest', async () => {
    const bo = await Person.arrive(browser, server, 'Bo');
    await bo.signUp();
    await bo.join('Typography');
    await bo.startChat('Elsewhere');
    await ann.openChat('Typography');
    await fill(ann, chatPath(ann), 150, (number) => `Missed ${number}`);
    await bo.eventually(() => bo.row('Typography').locator('.badge .sr-only').textContent(), '150 unread messages');
    await bo.openChat('Typography');
    await bo.page.locator('#messages .divider').waitFor();
    const inSight = () =>
      bo.page.locator('.divider').evaluate((mark) => mark.getBoundingClientRect().top > 0 && mark.getBoundingClientRect().top < innerHeight);
    await bo.eventually(inSight, true);
    const up = bo.page.getByRole('button', { name: 'First unread' });
    await up.waitFor({ state: 'hidden' });
    await bo.page.getByRole('button', { name: 'Newest' }).click();
    await bo.eventually(async () => (await bo.texts()).at(-1), (await ann.texts()).at(-1));
    await up.click();
    await bo.eventually(inSight, true);
    await bo.leave();
  });

  test('an emoji is found by a word and put in with the keyboard alone', async () => {
    const { page } = ann;
    await page.getByLabel('Message', { exact: true }).fill('All the best ');
    await page.getByRole('button', { name: 'Emoji', exact: true }).press('Enter');
    await page.keyboard.type('party pop');
    await ann.eventually(() => page.locator('.emoji-name').textContent(), 'party popper');
    await ann.assertAccessible('the emoji picker');
    await page.keyboard.press('Enter');
    await ann.eventually(() => page.locator('#content').inputValue(), 'All the best 🎉');
    await page.getByRole('button', { name: 'Emoji', exact: true }).click();
    await page.getByRole('gridcell', { name: 'party popper' }).first().waitFor();
    assert.ok((await elements(ann)) < MOST_ELEMENTS, 'the list of emoji is a window as well');
    await page.keyboard.press('Escape');
    await page.locator('#content').fill('');
  });

  test('a list of many chats costs no more than a short one', async () => {
    const eve = await Person.arrive(browser, server, 'Eve');
    await eve.signUp();
    const before = await elements(eve);
    const count = 400;
    for (let number = 1; number <= count; number += 40) {
      await Promise.all(Array.from({ length: 40 }, (_, at) => ann.request('POST', '/api/chats', { title: `Chat ${number + at}` })));
    }
    await eve.page.reload();
    await eve.atDesk();
    await eve.page.getByLabel('Find a chat').fill('Chat');
    await eve.eventually(async () => Number(await eve.page.locator('#others-list li').first().getAttribute('aria-setsize')), count);
    assert.ok((await elements(eve)) < before + 400);
    await eve.page.locator('#lists').evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await eve.eventually(() => eve.page.locator('#others-list li').last().getAttribute('aria-posinset'), String(count));
    await eve.leave();
  });

  test('without a network the page opens, and shows what waits to be sent', async () => {
    const cy = await Person.arrive(browser, server, 'Cy', { serviceWorkers: 'allow' });
    await cy.signUp();
    await cy.startChat('Far away');
    await cy.page.evaluate(async () => {
      await navigator.serviceWorker.ready;
      // The worker keeps all of the page before it becomes active.
      return (await navigator.serviceWorker.getRegistration()).active.state;
    });
    await cy.page.clock.install();
    await cy.page.reload();
    await cy.page.locator('#composer').waitFor();
    const away = (work) => ann.watch.expecting(AWAY, () => cy.watch.expecting(AWAY, work));
    await away(async () => {
      await server.kill('SIGKILL');
      await cy.say('Written far from any network');
      await cy.page.getByText('Waiting to be sent', { exact: true }).waitFor();
      await cy.page.reload();
      await cy.page.getByText('1 message waits').waitFor();
      await cy.page.getByText('Written far from any network').waitFor();
      await cy.assertAccessible('without a network');
      // From here on the page does not try again by itself.
      await stopClock(cy.page);
      await server.start();
      await cy.page.getByRole('button', { name: 'Try now' }).click();
      await cy.page.clock.resume();
      await cy.atDesk();
      await cy.hasSent('Written far from any network');
      await ann.line('live');
    });
    assert.deepEqual(await cy.page.evaluate(keptAnswers), [], 'no answer of the API is kept');
    await cy.leave();
  });

  test('nobody saw an error or a broken rule of the page', () => ann.watch.assertQuiet());
});

/** What of the API is in any cache of the browser; runs in the page. */
async function keptAnswers() {
  const found = [];
  for (const name of await caches.keys()) {
    for (const request of await (await caches.open(name)).keys()) if (new URL(request.url).pathname.startsWith('/api')) found.push(request.url);
  }
  return found;
}
