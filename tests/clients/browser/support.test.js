// The widget on a foreign site and the owner's desk, in two browsers, with a server that is also killed.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { chapters } from './chapters.js';
import { Guest } from './guest.js';
import { AWAY, Person, chatRow, openBrowser, tabTo, typeUntil } from './person.js';
import { Server } from './server.js';
import { Site } from './site.js';

const PASSWORD = 'a quiet secret';
/** What a careful site allows: the widget's scripts and its connections, as docs/support.md says, and its own icon. */
const STRICT = (server) => `default-src 'none'; img-src 'self'; script-src ${server.url}; connect-src ${server.url} ${server.url.replace('http', 'ws')}`;

describe('live support', () => {
  const test = chapters();
  let server;
  let site;
  let browser;
  let owner;
  let guest;

  const row = (name) => chatRow(owner.page, name);
  const queue = (name) => owner.page.locator(`#${name}-list a.chat-row .chat-title`).allTextContents();
  const answer = async (text) => {
    await owner.page.locator('#content').fill(text);
    await owner.page.keyboard.press('Enter');
  };

  before(async () => {
    server = await Server.start();
    site = await Site.open(server, { policy: STRICT });
    browser = await openBrowser();
    owner = await Person.arrive(browser, server, 'Owner');
    guest = await Guest.arrive(browser, server, site, 'Gus');
  });

  after(async () => {
    await browser?.close();
    await site?.close();
    await server?.end();
  });

  test('an owner registers the site and opens the desk', async () => {
    const { page } = owner;
    await page.goto(`${server.url}/console`);
    await page.getByRole('link', { name: 'Register it' }).click();
    const form = page.getByRole('form', { name: 'Register a site' });
    assert.equal(await form.getByLabel('Domain').inputValue(), '');
    // The sample shop leads here with its own domain.
    const said = page.waitForEvent('console', (message) => message.text().includes('127.0.0.1 is not registered'));
    await owner.watch.expecting(/status of 404|is not registered/, async () => {
      await page.goto(`${server.url}/shop/`);
      await said;
    });
    await page.getByRole('link', { name: 'Register and open the desk' }).click();
    await owner.eventually(() => form.getByLabel('Domain').inputValue(), '127.0.0.1');
    await form.getByLabel('Domain').fill('localhost');
    await form.getByLabel('E-mail').fill('owner@example.org');
    await form.getByLabel('Password').fill(PASSWORD);
    await owner.assertAccessible('registering');
    await form.getByRole('button', { name: 'Register site' }).click();
    await page.getByRole('heading', { name: 'All quiet' }).waitFor();
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    const signIn = page.getByRole('form', { name: 'Sign in' });
    await signIn.getByLabel('E-mail').fill('owner@example.org');
    await signIn.getByLabel('Password').fill('something else');
    await owner.watch.expecting(/status of 404/, async () => {
      await signIn.getByRole('button', { name: 'Sign in' }).click();
      await signIn.getByText('E-mail or password is wrong.').waitFor();
    });
    await signIn.getByLabel('Password').fill(PASSWORD);
    await signIn.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'All quiet' }).waitFor();
    await owner.line('live');
    await owner.assertAccessible('a quiet desk');
  });

  test('a guest of a foreign site writes, and waits in the queue', async () => {
    await guest.visit();
    await guest.begin('Do you sell kettles?');
    await guest.hears('Do you sell kettles?');
    await owner.eventually(() => queue('waiting'), ['Gus']);
    await owner.eventually(() => owner.page.title(), '(1) Desk · Parlance');
    await owner.eventually(() => row('Gus').locator('.badge .sr-only').textContent(), '1 unread message');
    await guest.person.assertAccessible('the widget');
    await owner.assertAccessible('a guest waits');
  });

  test('they see each other type, talk, and the chat becomes active', async () => {
    await row('Gus').click();
    await owner.hears('Do you sell kettles?');
    await owner.eventually(() => row('Gus').locator('.badge').count(), 0);
    await typeUntil(owner.page.locator('#content'), 'We', guest.page.getByText('Somebody is answering'));
    await answer('We do, in three sizes.');
    await guest.hears('We do, in three sizes.');
    await owner.eventually(() => queue('active'), ['Gus']);
    await owner.eventually(() => queue('waiting'), []);
    await typeUntil(guest.text, 'An', owner.page.getByText('Gus is typing'));
    await guest.say('And teapots?');
    await owner.hears('And teapots?');
    await answer('Two of them.');
    await guest.hears('Two of them.');
    await owner.page.locator('#messages .message.mine', { hasText: 'Seen' }).waitFor();
    const said = ['Do you sell kettles?', 'We do, in three sizes.', 'And teapots?', 'Two of them.'];
    await owner.eventually(() => guest.texts(), said);
    await owner.eventually(() => owner.texts(), said);
    await owner.eventually(() => owner.page.title(), 'Desk · Parlance');
    await owner.assertAccessible('a conversation');
  });

  test('the chat goes along from page to page, and a closed one counts answers', async () => {
    await guest.page.getByRole('button', { name: 'Close' }).click();
    await answer('Shall I put one aside?');
    await guest.page.getByRole('button', { name: 'Chat with us, 1 new' }).waitFor();
    await guest.page.getByRole('link', { name: 'Another page' }).click();
    await guest.page.getByRole('heading', { name: 'Another page' }).waitFor();
    await guest.page.getByRole('button', { name: 'Chat with us, 1 new' }).click();
    await guest.hears('Shall I put one aside?');
    await owner.eventually(async () => (await guest.texts()).length, 5);
    await guest.say('Yes please');
    await owner.hears('Yes please');
  });

  for (const signal of ['SIGKILL', 'SIGTERM']) {
    test(`after ${signal} nothing is missing and nothing is there twice`, async () => {
      const late = await Guest.arrive(browser, server, site, `Late${signal}`);
      await late.visit();
      const watches = [owner.watch, guest.watch, late.watch];
      const away = (work) => watches.reduce((inner, watch) => () => watch.expecting(AWAY, inner), work)();
      await away(async () => {
        await server.kill(signal);
        await answer(`Owner, in the dark (${signal})`);
        await guest.say(`Guest, in the dark 1 (${signal})`);
        await guest.say(`Guest, in the dark 2 (${signal})`);
        // The first words of a new guest, while nobody is there to hear them.
        await late.begin(`First words (${signal})`);
        await owner.page.getByText('What you write is kept here').waitFor();
        await guest.page.getByText('What you write is kept').waitFor();
        await server.start();
        await owner.line('live');
        await guest.hears(`Owner, in the dark (${signal})`);
        await owner.hears(`Guest, in the dark 2 (${signal})`);
        await late.hears(`First words (${signal})`);
        await owner.eventually(async () => (await queue('waiting')).includes(`Late${signal}`), true);
      });
      await guest.say(`Light again (${signal})`);
      await owner.hears(`Light again (${signal})`);
      await owner.eventually(
        async () => {
          const [mine, theirs] = [await owner.texts(), await guest.texts()];
          return { alike: JSON.stringify(mine) === JSON.stringify(theirs), dark: mine.filter((text) => text.includes(`(${signal})`)).length };
        },
        { alike: true, dark: 4 },
      );
      const texts = await owner.texts();
      assert.ok(texts.indexOf(`Guest, in the dark 1 (${signal})`) < texts.indexOf(`Guest, in the dark 2 (${signal})`));
      await late.person.leave();
    });
  }

  test('a connection itself comes back after a restart, with what it missed', async () => {
    const back = await guest.page.evaluateHandle(async (url) => {
      const [kept] = Object.entries(localStorage).filter(([key]) => /^parlance\.guest \S+ \S+$/.test(key));
      const { chatId, guestToken: token } = JSON.parse(kept[1]).guest;
      const socket = window.ParlanceSocket.connect(url);
      await socket.ask('getChatMessages', { chatId, token });
      const heard = new Promise((resolve) => {
        socket.on('newMessage', (push) => !push.statusCode && resolve());
      });
      return { url, socket, heard, chatId, token };
    }, server.url);
    await row('Gus').click();
    await answer('Heard on the first connection');
    await back.evaluate(({ heard }) => heard);
    // The line is cut without a goodbye, as by a train in a tunnel.
    await back.evaluate(({ socket }) => {
      socket.closed = true;
      socket.drop('cut');
    });
    await answer('Said while the line was cut');
    await guest.hears('Said while the line was cut');
    await owner.watch.expecting(AWAY, () =>
      guest.watch.expecting(AWAY, async () => {
        await server.kill('SIGKILL');
        await server.start();
        await owner.line('live');
        await guest.say('We are back');
        await owner.hears('We are back');
      }),
    );
    const again = await back.evaluate(
      ({ url, socket, chatId, token }) =>
        new Promise((resolve) => {
          const heard = [];
          let recovered;
          const next = window.ParlanceSocket.connect(url);
          Object.assign(next, { pid: socket.pid, offset: socket.offset });
          next.on('connect', (told) => {
            recovered = told.recovered;
          });
          next.on('newMessage', async (push) => {
            heard.push(push.message.message);
            if (push.message.message !== 'We are back') return;
            // What comes before the answer to a question is all that was missed.
            await next.ask('getChatMessages', { chatId, token });
            next.close();
            resolve({ recovered, heard });
          });
        }),
    );
    assert.deepEqual(again, { recovered: true, heard: ['Said while the line was cut', 'We are back'] });
  });

  test('a message whose answer was lost is not said twice', async () => {
    const clumsy = await Guest.arrive(browser, server, site, 'Clumsy');
    let lost = 0;
    // The frame that carries the message arrives; the connection breaks before the answer does.
    await clumsy.page.routeWebSocket(/socket\.io/, (socket) => {
      const far = socket.connectToServer();
      socket.onMessage((frame) => {
        far.send(frame);
        if (String(frame).includes('"Only once"') && lost === 0) {
          lost += 1;
          socket.close({ code: 1001 });
        }
      });
      far.onMessage((frame) => {
        if (lost !== 1) socket.send(frame);
      });
      socket.onClose(() => {
        if (lost === 1) lost = 2;
        far.close();
      });
    });
    await clumsy.visit();
    await clumsy.begin('Hello');
    await clumsy.hears('Hello');
    await clumsy.say('Only once');
    await clumsy.hears('Only once');
    assert.ok(lost > 0, 'the answer was lost');
    await clumsy.say('Afterwards');
    await clumsy.hears('Afterwards');
    await row('Clumsy').click();
    await owner.hears('Afterwards');
    await owner.eventually(() => owner.texts(), ['Hello', 'Only once', 'Afterwards']);
    await owner.eventually(() => clumsy.texts(), ['Hello', 'Only once', 'Afterwards']);
    await clumsy.person.leave();
  });

  test('without WebSocket both go on by polling', async () => {
    const plain = await Guest.arrive(browser, server, site, 'Polly');
    await plain.page.addInitScript(() => {
      window.WebSocket = class {
        constructor() {
          setTimeout(() => this.onerror?.(new Event('error')));
        }
        close() {}
      };
    });
    await plain.visit();
    await plain.begin('I come through a stubborn proxy');
    await plain.hears('I come through a stubborn proxy');
    await row('Polly').click();
    await owner.hears('I come through a stubborn proxy');
    await answer('And I hear you well.');
    await plain.hears('And I hear you well.');
    await plain.person.leave();
  });

  test('a closed chat comes back when its guest writes again', async () => {
    await row('Gus').click();
    await owner.hears('Light again');
    await owner.page.getByRole('button', { name: 'Close chat' }).click();
    await owner.page.locator('#confirm-yes').click();
    await owner.eventually(async () => [...(await queue('active')), ...(await queue('waiting'))].includes('Gus'), false);
    await guest.say('One more thing');
    await owner.eventually(async () => (await queue('waiting')).includes('Gus'), true);
    await row('Gus').click();
    await owner.hears('One more thing');
  });

  test('a guest needs no mouse', async () => {
    const keys = await Guest.arrive(browser, server, site, 'Kay');
    const { page } = keys;
    await keys.visit();
    await keys.opener.waitFor();
    await tabTo(page, 'Chat with us');
    await page.keyboard.press('Enter');
    await page.keyboard.type('Kay');
    await page.keyboard.press('Tab');
    await page.keyboard.type('kay@example.org');
    await page.keyboard.press('Tab');
    await page.keyboard.type('By keys alone');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await keys.hears('By keys alone');
    await page.keyboard.type('and more');
    await page.keyboard.press('Enter');
    await keys.hears('and more');
    await page.keyboard.press('Escape');
    await keys.opener.waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.shadowRoot.activeElement.className), 'opener', 'the focus goes back to where it came from');
    await keys.person.leave();
  });

  test('phone, dark and the sample shop', async () => {
    const shop = { url: `${server.url.replace('127.0.0.1', 'localhost')}` };
    const phone = await Guest.arrive(browser, server, shop, 'Phil', {
      viewport: { width: 320, height: 568 },
      hasTouch: true,
      isMobile: true,
      colorScheme: 'dark',
    });
    const { page } = phone;
    await phone.visit('/shop');
    await page.getByRole('button', { name: 'Ask us about tea' }).click();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
    await phone.person.assertAccessible('the widget on a phone, dark');
    await page.getByRole('button', { name: 'Close' }).click();
    await phone.person.assertAccessible('the shop, dark');
    await phone.person.leave();

    await owner.page.setViewportSize({ width: 320, height: 568 });
    await owner.page.emulateMedia({ colorScheme: 'dark' });
    assert.equal(await owner.page.evaluate(() => document.documentElement.scrollWidth), 320);
    await owner.assertAccessible('a conversation on a phone, dark');
    await owner.page.getByRole('link', { name: 'Back to the queues' }).click();
    await row('Gus').waitFor();
    await owner.assertAccessible('the queues on a phone, dark');
  });

  test('the desk stays signed in over a reload, until one signs out', async () => {
    await owner.page.reload();
    await owner.line('live');
    await owner.page.getByRole('button', { name: 'Settings' }).click();
    await owner.page.getByText(`${server.url}/widget.js`).waitFor();
    await owner.assertAccessible('the settings');
    await owner.page.getByRole('button', { name: 'Sign out' }).click();
    await owner.page.getByText('You are signed out.', { exact: true }).waitFor();
    assert.equal(await owner.page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }).includes('token')), false);
  });

  test('nobody saw an error or a broken rule of a page', () => {
    owner.watch.assertQuiet();
    guest.watch.assertQuiet();
  });
});
