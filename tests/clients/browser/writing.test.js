// Writing and reading in the messenger, where it used to mislead: long, refused, composed, unread, in two tabs.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Watch } from './person.js';
import { closeStage, openStage } from './stage.js';

describe('writing in the messenger', () => {
  let server;
  let browser;
  let ann;
  let bo;

  before(async () => {
    ({ server, browser, ann, bo } = await openStage({ ann: 'Ann', bo: 'Bo' }));
    for (const person of [ann, bo]) await person.signUp();
    await ann.startChat('Lighthouse');
    await bo.join('Lighthouse');
    await bo.say('Welcome');
    await ann.hears('Welcome');
  });

  after(() => closeStage({ server, browser }));

  const box = (person) => person.page.getByLabel('Message', { exact: true });
  const note = () => ann.page.locator('#composer-note').textContent();
  /** How many messages of each chat the server takes for unread by Ann. */
  const unread = async () => (await (await ann.request('GET', '/api/chats')).json()).chats.map((chat) => chat.unread);

  test('the Enter that ends a composition does not send', async () => {
    await box(ann).fill('かんじ');
    // As Safari tells it, and as all others do.
    for (const init of [{ keyCode: 229 }, { isComposing: true, keyCode: 229 }, { isComposing: true, keyCode: 13 }]) {
      await box(ann).evaluate((element, given) => {
        element.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...given }));
      }, init);
    }
    assert.equal(await box(ann).inputValue(), 'かんじ');
    await box(ann).press('Enter');
    await ann.hasSent('かんじ');
    assert.equal(await ann.bubble('かんじ').count(), 1);
  });

  test('the room that is left is told before it is used up, in characters', async () => {
    await box(ann).fill('ж'.repeat(8_000));
    assert.equal(await note(), 'Room for 192 more characters.');
    await box(ann).fill('ж'.repeat(8_193));
    assert.match(await note(), /^Too long by 1 character\./);
    await ann.page.getByRole('button', { name: 'Send' }).click();
    assert.equal((await box(ann).inputValue()).length, 8_193, 'nothing is lost');
    await box(ann).fill('ж'.repeat(8_192));
    assert.equal(await note(), 'Room for 0 more characters.');
    await ann.page.getByRole('button', { name: 'Send' }).click();
    await bo.hears('ж'.repeat(100));
    await box(ann).fill('');
    assert.equal(await note(), '');
  });

  test('a message that was refused as too long can be edited and sent', async () => {
    const long = `Begins here ${'x'.repeat(16_384)}`;
    await ann.watch.expecting(/status of 400/, async () => {
      await ann.page.evaluate((content) => {
        const [key, chat] = [`parlance.outbox.${document.cookie.match(/user_id=(\d+)/)[1]}`, Number(location.hash.match(/\d+/)[0])];
        const entry = { client_id: 'kept-from-before', chat, content, written: new Date().toISOString() };
        localStorage.setItem(key, JSON.stringify([entry]));
      }, long);
      await ann.page.reload();
      await ann.page.getByText('Not sent: The message is too long.').waitFor();
    });
    const failed = ann.page.locator('.message.failed');
    assert.equal(await failed.getByRole('button', { name: 'Try again' }).count(), 0, 'it would be refused again');
    await failed.getByRole('button', { name: 'Edit' }).click();
    await ann.eventually(() => failed.count(), 0);
    assert.equal(await box(ann).inputValue(), long);
    assert.match(await note(), /^Too long by 12 characters\./);
    await box(ann).fill('Begins here, and is short');
    await box(ann).press('Enter');
    await bo.hears('Begins here, and is short');
  });

  test('what a refusal says to programs is not shown to people', async () => {
    const says = [
      [403, 'csrf_rejected', 'its Origin is https://a, its Host is 127.0.0.1:8000', 'The server takes this page for one of another site.'],
      [422, 'idempotency_mismatch', 'client_id was used with another body', 'Something went wrong on the server.'],
      [404, 'not_found', 'no such chat', 'That is not here any more.'],
    ];
    for (const [status, code, error, words] of says) {
      await ann.page.route('**/api/chats/*', (route) =>
        route.request().method() === 'POST' ? route.fulfill({ status, json: { error, code } }) : route.fallback(),
      );
      await ann.watch.expecting(new RegExp(`status of ${status}`), async () => {
        await ann.say(`Refused by ${code}`);
        await ann.page.getByText(`Not sent: ${words}`).waitFor();
      });
      await ann.page.unroute('**/api/chats/*');
      await ann.page.locator('.message.failed').getByRole('button', { name: 'Delete' }).click();
    }
  });

  test('long words and addresses stay within the page', async () => {
    const address = `https://example.org/${'path/'.repeat(80)}?q=${'a'.repeat(300)}`;
    await bo.say(`${'W'.repeat(900)} ${address}`);
    await ann.hears('WWWW');
    assert.equal(await ann.page.locator('#messages a').last().getAttribute('href'), address);
    for (const width of [1200, 380]) {
      await ann.page.setViewportSize({ width, height: 800 });
      const wide = () =>
        ann.page.evaluate(() => [document.documentElement, document.getElementById('scroll')].map((element) => element.scrollWidth - element.clientWidth));
      await ann.eventually(wide, [0, 0], `at ${width}`);
    }
    await ann.page.setViewportSize({ width: 1200, height: 800 });
  });

  test('the line “New” stands before the first unread message, however many there are', async () => {
    await bo.say('The last that Ann has read');
    await ann.hears('The last that Ann has read');
    await ann.startChat('Elsewhere');
    const chat = new URL(bo.page.url()).hash.match(/\d+/)[0];
    for (let count = 1; count <= 310; count += 1) {
      assert.equal((await bo.request('POST', `/api/chats/${chat}`, { content: `Unread ${count}` })).status(), 201);
    }
    await ann.page.reload();
    await ann.openChat('Lighthouse');
    const after = () => ann.page.locator('#messages .divider + .day + .message .bubble, #messages .divider + .message .bubble').allTextContents();
    await ann.eventually(async () => (await after()).map((text) => text.replace(/^.*: /, '')), ['Unread 1']);
    const shown = () =>
      ann.page.locator('#messages .divider').evaluate((line) => {
        const place = line.getBoundingClientRect();
        const room = document.getElementById('scroll').getBoundingClientRect();
        return place.top >= room.top && place.bottom <= room.bottom;
      });
    await ann.eventually(shown, true, 'and is what one sees first');
    assert.equal(await ann.row('Lighthouse').locator('.badge .sr-only').textContent(), '310 unread messages', 'what is below is not read yet');
    await ann.page.getByRole('button', { name: 'Newest' }).click();
    await ann.eventually(() => ann.row('Lighthouse').locator('.badge').count(), 0);
    // Another chat, or another page, a moment later takes nothing back.
    await ann.startChat('A moment later');
    await ann.eventually(unread, [0, 0, 0]);
  });

  test('the order of chats is the same live and read anew', async () => {
    const titles = () => ann.page.locator('#mine-list .chat-title').allTextContents();
    await ann.startChat('Empty and new');
    await ann.eventually(async () => (await titles())[0], 'Empty and new');
    await ann.page.reload();
    await ann.eventually(titles, ['Empty and new', 'A moment later', 'Lighthouse', 'Elsewhere']);
    await bo.say('Up it goes');
    await ann.eventually(titles, ['Lighthouse', 'Empty and new', 'A moment later', 'Elsewhere']);
    await bo.join('Empty and new');
    await ann.eventually(() => ann.page.locator('#room-sub').textContent(), '2 members · Open to everyone');
    assert.deepEqual(await titles(), ['Lighthouse', 'Empty and new', 'A moment later', 'Elsewhere'], 'joining is no activity');
    await ann.page.reload();
    await ann.eventually(titles, ['Lighthouse', 'Empty and new', 'A moment later', 'Elsewhere']);
    await bo.openChat('Lighthouse');
    await ann.openChat('Lighthouse');
    await ann.eventually(unread, [0, 0, 0, 0]);
  });

  test('two tabs that send the same kept message show it once', async () => {
    const second = await ann.context.newPage();
    const watch = new Watch(second);
    // Pages that are not served over TLS have no locks: nothing keeps the tabs from each other then.
    for (const page of [ann.page, second]) await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'locks', { value: undefined }));
    await ann.page.evaluate(() => {
      const [key, chat] = [`parlance.outbox.${document.cookie.match(/user_id=(\d+)/)[1]}`, Number(location.hash.match(/\d+/)[0])];
      const entries = [1, 2].map((count) => ({ client_id: `both-${count}`, chat, content: `From both tabs ${count}`, written: new Date().toISOString() }));
      localStorage.setItem(key, JSON.stringify(entries));
    });
    let sent = 0;
    ann.context.on('request', (request) => {
      if (request.method() === 'POST' && /\/api\/chats\/\d+$/.test(request.url())) sent += 1;
    });
    await Promise.all([ann.page.reload(), second.goto(ann.page.url())]);
    await bo.hears('From both tabs 2');
    for (const page of [ann.page, second]) {
      await page.locator('#messages .message:not(.pending) .bubble', { hasText: 'From both tabs 2' }).waitFor();
      await ann.eventually(() => page.locator('#messages .bubble', { hasText: 'From both tabs' }).count(), 2);
    }
    assert.ok(sent >= 2, `${sent} requests`);
    await bo.eventually(() => bo.bubble('From both tabs').count(), 2);
    watch.assertQuiet();
    await second.close();
  });

  test('signing out in one tab ends the other, and signing in takes it along', async () => {
    const second = await ann.context.newPage();
    await second.goto(`${server.url}/`);
    await second.locator('#app').waitFor();
    await ann.watch.expecting(/status of 401/, async () => {
      await second.getByRole('button', { name: 'Account and settings' }).click();
      await second.getByRole('button', { name: 'Sign out', exact: true }).click();
      await second.getByText('You are signed out.', { exact: true }).waitFor();
      await ann.page.getByText('You were signed out.').waitFor();
    });
    assert.equal(await ann.page.locator('#messages li').count(), 0);
    assert.equal(await box(ann).inputValue(), '');
    await ann.signIn();
    await second.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await second.locator('#app').waitFor();
    await second.close();
  });

  test('nobody saw an error', () => {
    ann.watch.assertQuiet();
    bo.watch.assertQuiet();
  });
});
