// The demo page: two people, two browsers, one server that is also killed.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { AWAY, Person, Watch, tabTo } from './person.js';
import { chapters } from './chapters.js';
import { closeStage, openStage } from './stage.js';

describe('the demo page', () => {
  const test = chapters();
  let server;
  let browser;
  let ann;
  let bo;

  before(async () => {
    ({ server, browser, ann, bo } = await openStage({ ann: 'Ann', bo: 'Bo' }));
  });

  after(() => closeStage({ server, browser }));

  test('the forms say what is wrong, then let a newcomer in', async () => {
    const { page } = ann;
    await page.goto(server.url);
    const signIn = page.getByRole('form', { name: 'Sign in' });
    await signIn.getByRole('button', { name: 'Sign in' }).click();
    assert.equal(await signIn.getByRole('alert').textContent(), 'Name is missing.');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'in-name', 'the cursor is where it can be mended');
    await signIn.getByLabel('Name').fill('Nobody');
    await signIn.getByLabel('Password').fill('whatever it was');
    await ann.watch.expecting(/status of 400/, async () => {
      await signIn.getByRole('button', { name: 'Sign in' }).click();
      await ann.eventually(async () => /password/i.test(await signIn.getByRole('alert').textContent()), true);
    });
    await ann.assertAccessible('signing in, with an error');

    await page.getByRole('link', { name: 'Create an account' }).click();
    const signUp = page.getByRole('form', { name: 'Create an account' });
    await signUp.getByLabel('Name').fill('Ann');
    await signUp.getByLabel('E-mail').fill('ann@example.org');
    await signUp.getByLabel('Password').fill('short');
    await signUp.getByRole('button', { name: 'Create account' }).click();
    assert.equal(await signUp.getByRole('alert').textContent(), 'Password needs at least 8 characters.');
    const sent = page.waitForRequest('**/api/reg');
    await signUp.getByLabel('Password').fill(ann.password);
    await signUp.getByRole('button', { name: 'Create account' }).click();
    assert.match((await sent).headers()['content-type'], /^application\/x-www-form-urlencoded/);
    await ann.atDesk();
    await page.getByRole('heading', { name: 'Welcome, Ann' }).waitFor();
    await bo.signUp();
    ann.watch.assertQuiet();
  });

  test('two people meet in an open chat and talk live', async () => {
    await ann.startChat('Garden party');
    await ann.say('Who brings what?');
    await ann.hasSent('Who brings what?');
    await ann.eventually(() => ann.page.locator('#room-sub').textContent(), '1 member · Open to everyone');

    await bo.openChat('Garden party');
    await bo.hears('Who brings what?');
    await ann.say('Bo, you can look in first');
    await bo.hears('Bo, you can look in first');
    await bo.page.getByRole('button', { name: 'Join this chat' }).click();
    await bo.page.locator('#composer').waitFor();
    await bo.say('I bring the grill');
    await ann.hears('I bring the grill');
    await ann.say('And I the salad');
    await bo.hears('And I the salad');
    await ann.eventually(() => ann.page.locator('#room-sub').textContent(), '2 members · Open to everyone');
    const said = ['Who brings what?', 'Bo, you can look in first', 'I bring the grill', 'And I the salad'];
    for (const person of [ann, bo]) await person.says(said);
  });

  test('markup is text, addresses are links', async () => {
    const nasty = '<img src=x onerror=alert(1)> see https://example.org/a?b=1.';
    await ann.say(nasty);
    await bo.hears('see https://example.org');
    await bo.eventually(async () => (await bo.texts()).at(-1), nasty);
    const link = bo.page.locator('#messages a').last();
    assert.equal(await link.getAttribute('href'), 'https://example.org/a?b=1');
    assert.equal(await link.getAttribute('rel'), 'noopener noreferrer nofollow');
  });

  test('unread messages are counted, and forgotten once read', async () => {
    await bo.startChat('Book club');
    await ann.say('One for later');
    await ann.say('And another');
    const badge = bo.row('Garden party').locator('.badge');
    await bo.eventually(() => badge.locator('.sr-only').textContent(), '2 unread messages');
    await bo.eventually(() => bo.page.title(), '(2) Book club · Parlance');

    await bo.page.reload();
    await bo.eventually(() => badge.locator('.sr-only').textContent(), '2 unread messages');
    const told = bo.page.waitForResponse((response) => response.url().endsWith('/read'));
    await bo.openChat('Garden party');
    await bo.page.locator('#messages .divider').waitFor();
    assert.equal((await told).status(), 200);
    await bo.eventually(() => badge.count(), 0);
    await bo.eventually(() => bo.page.title(), 'Garden party · Parlance');
    await bo.page.reload();
    await bo.hears('And another');
    assert.equal(await badge.count(), 0, 'the server knows it too');
  });

  test('a title that is taken leads to the chat that has it', async () => {
    const { page } = ann;
    await page.getByRole('button', { name: 'New chat' }).click();
    await page.getByLabel('What is it about?').fill('  book   CLUB ');
    await ann.watch.expecting(/status of 409/, async () => {
      await page.getByRole('button', { name: 'Start chat' }).click();
      await page.getByRole('heading', { name: 'That chat exists already' }).waitFor();
    });
    await page.getByRole('button', { name: 'Open it' }).click();
    await page.getByRole('heading', { name: 'Book club' }).waitFor();
    await ann.openChat('Garden party');
  });

  test('by a switch messages arrive as a stream', async () => {
    const stream = bo.page.waitForRequest((request) => request.resourceType() === 'eventsource');
    await bo.page.getByRole('button', { name: 'Account and settings' }).click();
    await bo.page.getByRole('switch', { name: 'Keep one connection open' }).check();
    await bo.page.keyboard.press('Escape');
    assert.match((await stream).url(), /\/api\/events\?after=/);
    await ann.say('Down the stream');
    await bo.hears('Down the stream');
    await bo.line('live');
  });

  test('a message whose answer was lost is sent again, and is there once', async () => {
    let lost = 0;
    await ann.page.route('**/api/chats/*', async (route) => {
      if (route.request().method() !== 'POST' || lost > 0) return route.fallback();
      lost += 1;
      await route.fetch();
      return route.abort('connectionreset');
    });
    await ann.watch.expecting(AWAY, async () => {
      await ann.say('Only once, please');
      await ann.hasSent('Only once, please');
      await bo.hears('Only once, please');
      await ann.say('After it');
      await bo.hears('After it');
    });
    await ann.page.unroute('**/api/chats/*');
    assert.equal(lost, 1);
    for (const person of [ann, bo]) {
      await person.page.reload();
      await person.hears('After it');
      await person.eventually(async () => (await person.texts()).slice(-3), ['Down the stream', 'Only once, please', 'After it']);
    }
  });

  test('what the server refuses stays, says why and can be dropped', async () => {
    await ann.page.route('**/api/chats/*', (route) =>
      route.request().method() === 'POST' ? route.fulfill({ status: 400, json: { error: 'that cannot be said here', code: 'bad_request' } }) : route.fallback(),
    );
    await ann.watch.expecting(/status of 400/, async () => {
      await ann.say('Refused words');
      await ann.page.getByText('Not sent: that cannot be said here').waitFor();
    });
    await ann.page.unroute('**/api/chats/*');
    await ann.page.getByRole('button', { name: 'Try again' }).click();
    await bo.hears('Refused words');
    await ann.hasSent('Refused words');
  });

  for (const signal of ['SIGKILL', 'SIGTERM']) {
    test(`after ${signal} everybody goes on where they were`, async () => {
      const away = (work) => ann.watch.expecting(AWAY, () => bo.watch.expecting(AWAY, work));
      await away(async () => {
        await server.kill(signal);
        await ann.say(`Typed in the dark 1 (${signal})`);
        await ann.say(`Typed in the dark 2 (${signal})`);
        await bo.say(`Bo in the dark (${signal})`);
        await ann.line('waiting');
        await ann.page.getByText('What you write is kept here').waitFor();
        await ann.page.getByText('Waiting to be sent', { exact: true }).waitFor();
        await ann.assertAccessible('without a server');
        await server.start();
        await ann.page
          .getByRole('button', { name: 'Try now' })
          .click({ timeout: 1000 })
          .catch(() => {});
        for (const person of [ann, bo]) {
          await person.hasSent(`Typed in the dark 1 (${signal})`);
          await person.hasSent(`Typed in the dark 2 (${signal})`);
          await person.hasSent(`Bo in the dark (${signal})`);
          await person.line('live');
        }
      });
      await ann.say(`Light again (${signal})`);
      await bo.hears(`Light again (${signal})`);
      for (const person of [ann, bo]) {
        const dark = (await person.texts()).filter((text) => text.includes(`dark`) && text.includes(signal));
        assert.equal(dark.length, 3, 'each exactly once');
        const first = dark.indexOf(`Typed in the dark 1 (${signal})`);
        assert.ok(first >= 0 && first < dark.indexOf(`Typed in the dark 2 (${signal})`), 'in the order they were typed');
        await person.page.reload();
        await person.hears(`Light again (${signal})`);
        assert.equal((await person.texts()).filter((text) => text.includes('dark') && text.includes(signal)).length, 3);
      }
      await ann.says(await bo.texts());
    });
  }

  test('what was typed in the dark outlives the page', async () => {
    await ann.watch.expecting(AWAY, async () => {
      await ann.context.setOffline(true);
      await ann.say('Written, then the page was closed');
      await ann.page.getByText('Waiting to be sent', { exact: true }).waitFor();
      await ann.page.close();
    });
    await ann.context.setOffline(false);
    ann.watch.assertQuiet();
    const page = await ann.context.newPage();
    ann.page = page;
    ann.watch = new Watch(page);
    await page.goto(`${server.url}/`);
    await ann.openChat('Garden party');
    await ann.hasSent('Written, then the page was closed');
    await bo.hears('Written, then the page was closed');
    await bo.eventually(async () => (await bo.texts()).filter((text) => text === 'Written, then the page was closed').length, 1);
  });

  test('who was away sees what was sent meanwhile', async () => {
    await bo.watch.expecting(AWAY, async () => {
      await bo.context.setOffline(true);
      for (let count = 1; count <= 5; count += 1) await ann.say(`Meanwhile ${count}`);
      await ann.hasSent('Meanwhile 5');
      await bo.context.setOffline(false);
      await bo.hears('Meanwhile 5');
      await bo.line('live');
    });
    await bo.eventually(
      async () => (await bo.texts()).slice(-5),
      [1, 2, 3, 4, 5].map((count) => `Meanwhile ${count}`),
    );
  });

  test('a cursor that is gone reloads the snapshot and goes on', async () => {
    const cursor = async () => (await (await ann.request('GET', '/api/events?after=now&timeout=0')).json()).cursor;
    const gone = async (route) => {
      const before = await cursor();
      await bo.request('POST', '/api/chats/1', { content: 'Said before the fresh cursor' });
      const fresh = await cursor();
      assert.notEqual(fresh, before);
      await route.fulfill({ status: 410, json: { error: 'that cursor is gone', code: 'gone', cursor: fresh } });
    };
    await ann.page.route('**/api/events?*', gone, { times: 1 });
    await ann.watch.expecting(/status of 410/, async () => {
      await bo.say('Ends the wait that is under way');
      await ann.hears('Said before the fresh cursor');
    });
    await bo.say('After the fresh cursor');
    await ann.hears('After the fresh cursor');
    await bo.hasSent('After the fresh cursor');
    // What one says with one program comes to one's page by an event of its own.
    await bo.hears('Said before the fresh cursor');
    const last = (await bo.texts()).slice(-3);
    // Something else may have ended the wait before: which of the first two came first is not the matter.
    assert.deepEqual(last.slice(0, 2).sort(), ['Ends the wait that is under way', 'Said before the fresh cursor']);
    assert.equal(last[2], 'After the fresh cursor');
    await ann.eventually(async () => (await ann.texts()).slice(-3), last);
  });

  test('a wait whose place another one has taken is no outage', async () => {
    await ann.page.evaluate(() => {
      const line = document.getElementById('connection');
      globalThis.lineStates = [];
      const note = () => globalThis.lineStates.push(line.dataset.state);
      new MutationObserver(note).observe(line, { attributes: true });
    });
    const superseded = async (route) => {
      const cursor = new URL(route.request().url()).searchParams.get('after');
      const body = { events: [], people: [], cursor, more: false, retry_ms: 8000, superseded: true };
      await route.fulfill({ json: body });
    };
    await ann.page.route('**/api/events?*', superseded, { times: 1 });
    const isTaken = async (answer) => answer.url().includes('/api/events?') && (await answer.text().catch(() => '')).includes('superseded');
    const taken = ann.page.waitForResponse(isTaken);
    await bo.say('Ends one more wait');
    await taken;
    await bo.say('Said while nobody waited');
    await ann.hears('Said while nobody waited');
    assert.ok(!(await ann.page.evaluate(() => globalThis.lineStates)).includes('waiting'));
  });

  test('history pages upward and keeps its place', async () => {
    await ann.startChat('Long story');
    const { pathname } = new URL(ann.page.url().replace('#/', ''));
    const route = `/api${pathname}`;
    for (let count = 1; count <= 150; count += 1) {
      assert.equal((await ann.request('POST', route, { content: `Line ${count}` })).status(), 201);
    }
    await ann.page.reload();
    await ann.hears('Line 150');
    const lines = () => ann.texts();
    await ann.eventually(async () => (await lines()).length, 60, 'a chat is not read whole');
    const box = ann.page.locator('#scroll');
    const at = () => ann.bubble('Line 92').evaluate((bubble) => Math.round(bubble.getBoundingClientRect().top));
    await box.evaluate((element) => {
      element.scrollTop = 40;
    });
    const place = await at();
    await ann.eventually(async () => (await lines()).includes('Line 60'), true);
    await ann.eventually(async () => Math.abs((await at()) - place) < 3, true, 'what one reads stays where it is');
    await ann.eventually(async () => {
      await box.evaluate((element) => {
        element.scrollTop = 0;
      });
      return (await lines())[0];
    }, 'Line 1');
    const shown = await lines();
    assert.deepEqual(
      shown,
      shown.map((_, index) => `Line ${index + 1}`),
    );
    await ann.page.getByRole('button', { name: 'Newest' }).click();
    await ann.page.getByRole('button', { name: 'Newest' }).waitFor({ state: 'hidden' });
  });

  test('everything can be done from the keyboard', async () => {
    const cleo = await Person.arrive(browser, server, 'Cleo');
    const { page } = cleo;
    const { keyboard } = page;
    await page.goto(`${server.url}/`);
    await page.locator('#sign-in').waitFor();
    await tabTo(page, 'Create an account');
    await keyboard.press('Enter');
    await page.locator('#sign-up').waitFor();
    await keyboard.type('Cleo');
    await keyboard.press('Tab');
    await keyboard.type('cleo@example.org');
    await keyboard.press('Tab');
    await keyboard.type(cleo.password);
    await keyboard.press('Enter');
    await cleo.atDesk();
    await tabTo(page, 'New chat');
    await keyboard.press('Enter');
    await keyboard.type('Knitting');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Knitting' }).waitFor();
    await page.locator('#content:focus').waitFor();
    await keyboard.type('First row');
    await keyboard.press('Shift+Enter');
    await keyboard.type('second row');
    await keyboard.press('Enter');
    await cleo.hasSent('second row');
    assert.deepEqual(await cleo.texts(), ['First row\nsecond row']);

    await keyboard.press('Alt+ArrowDown');
    await page.getByRole('button', { name: 'Join this chat' }).waitFor();
    await tabTo(page, 'Join this chat');
    await keyboard.press('Enter');
    await page.locator('#content:focus').waitFor();
    await tabTo(page, 'Details and members', 'Shift+Tab');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Members' }).waitFor();
    await tabTo(page, 'Leave this chat');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: /^Leave/ }).waitFor();
    await tabTo(page, 'Leave');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Pick a chat' }).waitFor();

    await tabTo(page, 'Account and settings', 'Shift+Tab');
    await keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    assert.equal(await page.evaluate(() => document.activeElement.id), 'account-open', 'the focus goes back');
    await cleo.leave();
  });

  test('on a phone list and chat take turns, and nothing sticks out', async () => {
    const dora = await Person.arrive(browser, server, 'Dora', {
      viewport: { width: 320, height: 568 },
      hasTouch: true,
      isMobile: true,
      colorScheme: 'dark',
    });
    const { page } = dora;
    const fits = async (where) => assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320, `fits: ${where}`);
    await dora.signUp();
    await fits('the list');
    await dora.assertAccessible('the list, on a phone, dark');
    await dora.join('Garden party');
    await page.locator('#side').waitFor({ state: 'hidden' });
    await dora.say(`A very long word: ${'x'.repeat(200)}`);
    await dora.hasSent('A very long word');
    await fits('a chat');
    await dora.assertAccessible('a chat, on a phone, dark');
    const composer = await page.locator('#composer').boundingBox();
    assert.ok(composer.y + composer.height <= 568, 'the composer is on the screen');
    await page.getByRole('link', { name: 'Back to chats' }).click();
    await dora.row('Garden party').waitFor();
    await page.locator('#open-chat').waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Account and settings' }).click();
    await page.getByText('This browser').waitFor();
    await fits('the account');
    const small = await page
      .locator('button:visible')
      .evaluateAll((buttons) => buttons.filter((button) => button.getBoundingClientRect().height < 24).map((button) => button.textContent));
    assert.deepEqual(small, [], 'nothing is too small to touch');
    await dora.leave();
  });

  test('light and dark, by the system or by choice, pass as accessible', async () => {
    const { page } = ann;
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await ann.openChat('Garden party');
    await ann.hears('After the fresh cursor');
    const light = await ground();
    await ann.assertAccessible('a chat, light');
    await page.getByRole('button', { name: 'Account and settings' }).click();
    await page.getByText('This browser').waitFor();
    await ann.assertAccessible('the account, light');
    await page.getByRole('radio', { name: 'Dark' }).check();
    await ann.eventually(async () => (await ground()) !== light, true);
    await ann.assertAccessible('the account, dark');
    await page.keyboard.press('Escape');
    await page.reload();
    await ann.hears('After the fresh cursor');
    assert.notEqual(await ground(), light, 'the choice is kept');
    await ann.assertAccessible('a chat, dark');
  });

  test('a long list of chats is read page by page', async () => {
    const many = 210;
    for (let count = 1; count <= many; count += 1) {
      assert.equal((await bo.request('POST', '/api/chats', { title: `Chat number ${count}` })).status(), 201);
    }
    const eve = await Person.arrive(browser, server, 'Eve');
    await eve.signUp();
    const rows = () => eve.page.locator('a.chat-row').count();
    const known = async () => Number(await eve.page.locator('#others-list li').first().getAttribute('aria-setsize'));
    await eve.eventually(known, 200);
    assert.ok((await rows()) < 40, 'what is far from what one sees is not in the document');
    // Without scrolling to it, which has the rest read before it is pressed.
    await eve.page.getByRole('button', { name: 'Show older chats' }).dispatchEvent('click');
    await eve.eventually(known, many + 4);
    await eve.page.getByRole('button', { name: 'Show older chats' }).waitFor({ state: 'hidden' });
    await eve.page.getByLabel('Find a chat').fill('number 21');
    await eve.eventually(rows, 2);
    await eve.page.getByLabel('Find a chat').fill('nothing of the kind');
    await eve.page.getByText('No chat is called').waitFor();
    await eve.page.goto(`${server.url}/#/chats/1`);
    await eve.page.reload();
    await eve.page.getByRole('heading', { name: 'Garden party' }).waitFor();
    await eve.page.getByRole('button', { name: 'Join this chat' }).waitFor();
    await eve.leave();
  });

  test('a password is changed, and ends the other logins', async () => {
    const { page } = ann;
    const other = await Person.arrive(browser, server, 'Ann');
    await other.signIn();
    await page.getByRole('button', { name: 'Account and settings' }).click();
    await ann.eventually(() => page.locator('#logins .login').count(), 2);
    await page.getByText('Change password').first().click();
    await page.getByLabel('Current password').fill('not this one');
    await page.getByLabel('New password').fill('a louder secret');
    await ann.watch.expecting(/status of 40[0-9]/, async () => {
      await page.getByRole('button', { name: 'Change password' }).click();
      await page.locator('#password-form .form-error').waitFor();
    });
    await ann.assertAccessible('a wrong password');
    await page.getByLabel('Current password').fill(ann.password);
    await other.watch.expecting(/status of 401/, async () => {
      await page.getByRole('button', { name: 'Change password' }).click();
      await page.getByText('Your password is changed.').waitFor();
      await other.page.getByText('You were signed out.').waitFor();
    });
    await ann.eventually(() => page.locator('#logins .login').count(), 1);
    await page.keyboard.press('Escape');
    ann.password = 'a louder secret';
    await other.leave();
  });

  test('logins are listed, ended one by one and all at once', async () => {
    const elsewhere = await Person.arrive(browser, server, 'Ann');
    const third = await Person.arrive(browser, server, 'Ann');
    for (const person of [elsewhere, third]) {
      person.password = ann.password;
      await person.signIn();
    }
    await ann.page.getByRole('button', { name: 'Account and settings' }).click();
    await ann.eventually(() => ann.page.locator('#logins .login').count(), 3);
    const over = /status of 401/;
    await elsewhere.watch.expecting(over, () =>
      third.watch.expecting(over, async () => {
        await ann.page.locator('#logins').getByRole('button', { name: 'Sign out' }).first().click();
        await ann.page.locator('#logins .login', { hasText: 'Signed out there.' }).waitFor();
        assert.equal(await ann.page.locator('#logins').getByRole('button').count(), 1);
        await ann.page.getByRole('button', { name: 'Sign out everywhere' }).click();
        await ann.page.locator('#confirm-yes').click();
        await ann.page.getByText('You are signed out everywhere.').waitFor();
        for (const person of [elsewhere, third]) {
          await person.page.getByText('You were signed out.').waitFor();
        }
      }),
    );
    assert.equal((await ann.request('GET', '/api/me')).status(), 401);
    await elsewhere.leave();
    await third.leave();
  });

  test('signing out leaves nothing of one person to the next', async () => {
    await bo.page.getByRole('button', { name: 'Account and settings' }).click();
    await bo.page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await bo.page.getByText('You are signed out.', { exact: true }).waitFor();
    await bo.page.getByText('Sign in to pick up where you left off.').waitFor();
    assert.equal(await bo.page.locator('#messages li').count(), 0);
    assert.equal(await bo.page.evaluate(() => document.cookie), '');
  });

  test('nobody saw an error or a broken rule of the page', () => {
    ann.watch.assertQuiet();
    bo.watch.assertQuiet();
  });
});
