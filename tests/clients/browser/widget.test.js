// The widget where sites and guests are not as expected: several tabs, lost answers, strict policies, pages that
// replace themselves, long messages, keyboards that compose.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Guest, Owner } from './guest.js';
import { NetworkPath, SECONDS } from './path.js';
import { AWAY, openBrowser } from './person.js';
import { Server } from './server.js';
import { Site } from './site.js';

const MESSAGE_BYTES = 16_384;
/** The browser itself reports that a host was not found to have an owner. */
const UNANSWERED = /status of 404|is not registered/;

describe('the widget', () => {
  let server;
  let site;
  let browser;
  let owner;

  before(async () => {
    server = await Server.start();
    site = await Site.open(server, { attributes: 'data-bad-name="Ein anderer Name, bitte." data-closed="Geschlossen."' });
    browser = await openBrowser();
    owner = await Owner.register(server);
  });

  after(async () => {
    await browser?.close();
    await site?.close();
    await server?.end();
  });

  /** One more tab of somebody's browser. */
  async function anotherTab(guest, script) {
    const other = new Guest();
    Object.assign(other, { person: guest.person, page: await guest.person.context.newPage(), site: guest.site, name: guest.name });
    if (script) await other.page.addInitScript(script);
    await other.visit();
    return other;
  }

  const arrive = async (name, options, script) => {
    const guest = await Guest.arrive(browser, server, site, name, options);
    if (script) await guest.page.addInitScript(script);
    await guest.visit();
    return guest;
  };
  const chatsOf = async (name) => (await owner.waiting()).filter((chat) => chat.name === name);
  const fill = async (guest, message) => {
    await guest.opener.click();
    await guest.page.getByLabel('Your name').fill(guest.name);
    await guest.page.getByLabel('Your e-mail').fill(`${guest.name.toLowerCase()}@example.org`);
    await guest.page.locator('parlance-widget form.hello textarea').fill(message);
  };
  const kept = (page) =>
    page.evaluate(() => JSON.parse(Object.entries(localStorage).find(([key]) => /^parlance\.guest .* localhost$/.test(key))?.[1] ?? 'null'));

  const WITHOUT_LOCKS = () => Object.defineProperty(Navigator.prototype, 'locks', { value: undefined });
  for (const [what, script] of [
    ['with', undefined],
    ['without', WITHOUT_LOCKS],
  ]) {
    test(`two tabs begin one chat, ${what} the browser's locks`, async () => {
      const one = await arrive(`Tab${what}`, {}, script);
      const two = await anotherTab(one, script);
      await fill(one, 'one');
      await fill(two, 'two');
      await Promise.all(
        [one, two].map(({ page }) => page.evaluate(() => document.querySelector('parlance-widget').shadowRoot.querySelector('form.hello').requestSubmit())),
      );
      for (const tab of [one, two]) for (const word of ['one', 'two']) await tab.hears(word);
      const chats = await chatsOf(one.name);
      assert.equal(chats.length, 1, 'one chat waits');
      await owner.say('newMessage', { chatId: chats[0]._id, message: 'We hear you both.' });
      for (const tab of [one, two]) {
        await tab.hears('We hear you both.');
        await one.person.eventually(async () => (await tab.texts()).toSorted(), ['We hear you both.', 'one', 'two']);
        await one.person.eventually(() => tab.page.locator('parlance-widget li:not(.mine) .bubble').count(), 1);
      }
      await one.person.leave();
    });
  }

  test('what two tabs write at the same moment is kept and sent, all of it', async () => {
    const MANY = 15;
    const one = await arrive('Both');
    await one.begin('Hello');
    await one.hears('Hello');
    const two = await anotherTab(one);
    await two.hears('Hello');
    const write = ({ page }, name) =>
      page.evaluate(
        ([word, many]) => {
          const form = document.querySelector('parlance-widget').shadowRoot.querySelector('form.write');
          for (let number = 1; number <= many; number += 1) {
            form.querySelector('textarea').value = `${word} ${number}`;
            form.requestSubmit();
          }
        },
        [name, MANY],
      );
    await Promise.all([write(one, 'first'), write(two, 'second')]);
    const numbers = Array.from({ length: MANY }, (_, at) => at + 1);
    for (const tab of [one, two]) {
      await one.person.eventually(() => tab.page.locator('parlance-widget li.mine:not(.pending)').count(), 2 * MANY + 1);
      // Each tab's own words stay in their order.
      for (const word of ['first', 'second']) {
        const said = (await tab.texts()).filter((text) => text.startsWith(word));
        assert.deepEqual(
          said,
          numbers.map((number) => `${word} ${number}`),
        );
      }
    }
    await one.person.leave();
  });

  test('what was written just before the page went is sent by the next one', async () => {
    const guest = await arrive('Hasty');
    await fill(guest, 'Written in haste');
    // The page goes in the same turn, before anything can have been answered.
    const again = guest.page.waitForEvent('load');
    await guest.page.evaluate(() => {
      document.querySelector('parlance-widget').shadowRoot.querySelector('form.hello').requestSubmit();
      location.reload();
    });
    await again;
    await guest.page.locator('parlance-widget').waitFor({ state: 'attached' });
    await guest.page.evaluate(() => globalThis.ParlanceWidget.open());
    await guest.hears('Written in haste');
    assert.equal((await chatsOf('Hasty')).length, 1);
    await guest.person.leave();
  });

  test('a tab that nobody used joins the chat that another one has begun', async () => {
    const one = await arrive('Una');
    const two = await anotherTab(one);
    await one.begin('one');
    await one.hears('one');
    await two.opener.click();
    await two.say('two');
    await one.hears('two');
    assert.equal((await chatsOf('Una')).length, 1);
    await one.person.leave();
  });

  test('a beginning whose answer was lost leaves no second chat', async () => {
    const guest = await Guest.arrive(browser, server, site, 'Lossy');
    let lost = 0;
    await guest.page.routeWebSocket(/socket\.io/, (socket) => {
      const far = socket.connectToServer();
      socket.onMessage((frame) => far.send(frame));
      far.onMessage((frame) => {
        if (String(frame).includes('"guestToken"') && lost < 2) {
          lost += 1;
          socket.close({ code: 1001 });
          far.close();
        } else {
          socket.send(frame);
        }
      });
    });
    await guest.visit();
    await guest.begin('Hello');
    await guest.hears('Hello');
    assert.ok(lost > 0, 'the answer was lost');
    assert.equal((await chatsOf('Lossy')).length, 1);
    assert.equal((await kept(guest.page)).guest.key, undefined, 'the key is not kept for longer than it is needed');
    await guest.person.leave();
  });

  test('a host that nobody registered has no chat, and its console says why', async () => {
    const guest = await Guest.arrive(browser, server, { url: site.url.replace('localhost', '127.0.0.1') }, 'Nobody');
    const said = guest.page.waitForEvent('console', (message) => message.text().includes('127.0.0.1 is not registered'));
    await guest.watch.expecting(UNANSWERED, async () => {
      await guest.page.goto(`${guest.site.url}/`);
      await said;
      await guest.page.evaluate(() => globalThis.ParlanceWidget.open());
      assert.equal(await guest.page.locator('parlance-widget').count(), 0);
    });
    await guest.person.leave();
  });

  for (const [what, policy, attributes] of [
    ['by hosts', (url) => `script-src ${url}; connect-src ${url} ${url.replace('http', 'ws')}`, ''],
    ['by a nonce', (url) => `script-src 'nonce-abc123' 'strict-dynamic'; connect-src ${url} ${url.replace('http', 'ws')}`, 'nonce="abc123"'],
  ]) {
    test(`a strict policy of the site's allows the widget ${what}`, async () => {
      const strict = await Site.open(server, {
        policy: ({ url }) => `default-src 'none'; img-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; ${policy(url)}`,
        attributes,
      });
      const guest = await Guest.arrive(browser, server, strict, `Strict${what.length}`);
      await guest.visit();
      await guest.begin('Behind a policy');
      await guest.hears('Behind a policy');
      const styled = await guest.page.locator('parlance-widget .panel').evaluate((panel) => getComputedStyle(panel).borderRadius);
      assert.equal(styled, '18px');
      await guest.person.leave();
      await strict.close();
    });
  }

  test('domains are shown as people write them', async () => {
    const guest = await arrive('Idna');
    const hosts = ['shop.example', 'xn--mnchen-3ya.example', 'www.xn--fiq228c.example', 'xn--bcher-kva.xn--p1ai', 'xn--a.example', 'xn--.example', '127.0.0.1'];
    const shown = await guest.page.evaluate(
      async ([url, names]) => {
        const { readableHost } = await import(url);
        return names.map((host) => readableHost(host));
      },
      [`${server.url}/shared/hostname.js`, hosts],
    );
    assert.deepEqual(shown, ['shop.example', 'münchen.example', 'www.中文.example', 'bücher.рф', 'xn--a.example', 'xn--.example', '127.0.0.1']);
    await guest.person.leave();
  });

  test('addresses can be followed, and nothing else', async () => {
    const guest = await arrive('Link');
    await guest.begin('see https://shop.example/a?b=1&c=2. not javascript:alert(1) <b>bold</b>');
    await guest.hears('see https://shop.example');
    const links = guest.page.locator('parlance-widget .bubble a');
    assert.equal(await links.count(), 1);
    const link = await links.evaluate((a) => [a.href, a.rel, a.target, a.textContent]);
    assert.deepEqual(link, ['https://shop.example/a?b=1&c=2', 'noopener noreferrer nofollow', '_blank', 'https://shop.example/a?b=1&c=2']);
    assert.equal(await guest.page.locator('parlance-widget .bubble b').count(), 0);
    await guest.person.leave();
  });

  test('the box grows with a long line, and Enter sends only what is written to its end', async () => {
    const guest = await arrive('Ime');
    await guest.begin('Hello');
    await guest.hears('Hello');
    const height = () => guest.text.evaluate((text) => text.offsetHeight);
    const low = await height();
    await guest.text.fill('one long line '.repeat(20));
    assert.ok((await height()) > low + 40, 'the box is higher');
    await guest.text.fill('x\n'.repeat(200));
    assert.ok((await height()) <= 142, 'but not without end');
    await guest.text.fill('にほん');
    assert.equal(await height(), low);
    for (const init of [{ keyCode: 229 }, { isComposing: true, keyCode: 13 }]) {
      const composed = await guest.text.evaluate((text, extra) => {
        const event = new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...extra });
        return [text.dispatchEvent(event), event.keyCode, text.value];
      }, init);
      assert.deepEqual(composed, [true, init.keyCode, 'にほん']);
    }
    await guest.page.keyboard.press('Enter');
    await guest.hears('にほん');
    assert.deepEqual(await guest.texts(), ['Hello', 'にほん']);
    await guest.person.leave();
  });

  test('what is half written goes along from page to page, and is gone once it is sent', async () => {
    const guest = await arrive('Draft');
    await guest.opener.click();
    await guest.page.locator('parlance-widget form.hello textarea').fill('Half a');
    await guest.visit('/other');
    await guest.page.evaluate(() => globalThis.ParlanceWidget.open());
    assert.equal(await guest.page.locator('parlance-widget form.hello textarea').inputValue(), 'Half a');
    await fill2(guest, 'Half a thought');
    await guest.hears('Half a thought');
    await guest.text.fill('And an');
    await guest.visit();
    assert.equal(await guest.text.inputValue(), 'And an');
    await guest.say('And another');
    await guest.hears('And another');
    await guest.visit('/other');
    await guest.hears('And another');
    assert.equal(await guest.text.inputValue(), '');
    await guest.text.fill('Secret');
    await guest.page.evaluate(() => globalThis.ParlanceWidget.reset());
    assert.equal(await guest.page.evaluate(() => JSON.stringify(localStorage).includes('Secret')), false);
    await guest.person.leave();
  });

  test('a guest who is turned away finds all they wrote in the form again', async () => {
    const guest = await arrive('Turned');
    await guest.page.evaluate(
      ([url]) => {
        const key = `parlance.guest ${url} localhost`;
        const outbox = ['first', 'second'].map((message) => ({ client_id: message, message }));
        localStorage.setItem(key, JSON.stringify({ guest: { name: 'turned\u202Earound', email: 'turned@example.org', key: 'k'.repeat(32) }, outbox }));
      },
      [server.url],
    );
    await guest.page.reload();
    await guest.page.locator('parlance-widget').waitFor({ state: 'attached' });
    await guest.page.evaluate(() => globalThis.ParlanceWidget.open());
    await guest.page.getByText('Ein anderer Name, bitte.').waitFor();
    assert.equal(await guest.page.locator('parlance-widget form.hello textarea').inputValue(), 'first\nsecond');
    await guest.person.leave();
  });

  test('it stays when the page replaces its body', async () => {
    const guest = await arrive('Turbo');
    await guest.begin('Before');
    await guest.hears('Before');
    await guest.text.fill('half a thou');
    await guest.page.evaluate(() => {
      const body = document.createElement('body');
      body.innerHTML = '<main><h1>The next page</h1></main>';
      document.body.replaceWith(body);
      // Turbo runs the scripts of the new body again.
      const script = document.createElement('script');
      script.src = [...document.scripts].find(({ src }) => src.endsWith('/widget.js')).src;
      body.append(script);
    });
    await guest.page.getByRole('heading', { name: 'The next page' }).waitFor();
    await guest.page.locator('parlance-widget').waitFor({ state: 'attached' });
    assert.equal(await guest.text.inputValue(), 'half a thou');
    await guest.page.evaluate(() => {
      document.body.replaceChildren(document.createElement('main'));
    });
    await guest.say('After');
    await guest.hears('After');
    assert.equal(await guest.page.locator('parlance-widget').count(), 1);
    await guest.person.leave();
  });

  test('a page may open, close and forget', async () => {
    const guest = await arrive('Reset');
    const other = await anotherTab(guest);
    await guest.begin('Secret words');
    await guest.hears('Secret words');
    await other.opener.click();
    await other.hears('Secret words');
    await guest.page.evaluate(() => globalThis.ParlanceWidget.reset());
    await guest.opener.waitFor();
    assert.equal(await kept(guest.page).then((all) => all?.guest ?? null), null);
    for (const tab of [guest, other]) {
      await tab.page.evaluate(() => globalThis.ParlanceWidget.open());
      await tab.page.getByLabel('Your name').waitFor();
      assert.deepEqual(await tab.texts(), []);
    }
    await guest.page.evaluate(() => globalThis.ParlanceWidget.close());
    await guest.opener.waitFor();
    await guest.begin('Another person');
    await guest.hears('Another person');
    assert.deepEqual(await guest.texts(), ['Another person']);
    assert.equal((await chatsOf('Reset')).length, 2);
    await guest.person.leave();
  });

  test('a guest who is forgotten while their first message is on its way leaves no empty chat', async () => {
    // The answer to the beginning is under way, or the message itself is.
    for (const [name, word] of [
      ['Hurry', '"guestToken"'],
      ['Haste', '"newMessage"'],
    ]) {
      const guest = await Guest.arrive(browser, server, site, name);
      const held = [];
      let holds = true;
      let asked;
      const answered = new Promise((resolve) => {
        asked = resolve;
      });
      await guest.page.routeWebSocket(/socket\.io/, (socket) => {
        const far = socket.connectToServer();
        const pass = (to) => (frame) => {
          if (holds && String(frame).includes(word)) {
            held.push(() => to.send(frame));
            asked();
          } else to.send(frame);
        };
        socket.onMessage(pass(far));
        far.onMessage(pass(socket));
      });
      await guest.visit();
      await guest.begin(`${name} words`);
      await answered;
      await guest.page.evaluate(() => globalThis.ParlanceWidget.reset());
      assert.equal(await kept(guest.page).then((all) => all?.guest ?? null), null);
      holds = false;
      for (const send of held) send();
      await owner.soonWaiting((chats) => chats.some((chat) => chat.name === name && chat.lastMessage === `${name} words`));
      const chats = await chatsOf(name);
      assert.deepEqual(
        chats.map((chat) => chat.lastMessage),
        [`${name} words`],
      );
      // The next guest on this computer is another, and sees nothing of it.
      await guest.begin('Another person');
      await guest.hears('Another person');
      assert.deepEqual(await guest.texts(), ['Another person']);
      assert.equal((await chatsOf(name)).length, 2);
      const { data } = await owner.say('getChatMessages', { chatId: chats[0]._id });
      assert.equal(data.length, 1, 'it is there once');
      await guest.person.leave();
    }
  });

  test('what is too long is said before it is sent, and can be edited after', async () => {
    const guest = await arrive('Long');
    await guest.opener.click();
    await fill2(guest, 'ж'.repeat(MESSAGE_BYTES / 2 + 1));
    await guest.page.getByText('This message is too long').waitFor();
    await guest.page.locator('parlance-widget form.hello textarea').fill('Hello');
    await guest.page.getByRole('button', { name: 'Start chat' }).click();
    await guest.hears('Hello');
    await guest.text.fill('x'.repeat(MESSAGE_BYTES + 1));
    await guest.page.keyboard.press('Enter');
    await guest.page.getByText('This message is too long').waitFor();
    assert.equal((await guest.text.inputValue()).length, MESSAGE_BYTES + 1, 'it is not lost');
    await guest.say('x'.repeat(MESSAGE_BYTES));
    await guest.hears('xxxx');
    // Written when the server still took more, say.
    await guest.page.evaluate((length) => {
      const [key] = Object.entries(localStorage).find(([name]) => /^parlance\.guest \S+ \S+$/.test(name));
      const all = JSON.parse(localStorage.getItem(key));
      localStorage.setItem(key, JSON.stringify({ ...all, outbox: [{ client_id: 'old', message: `too long ${'y'.repeat(length)}` }] }));
    }, MESSAGE_BYTES);
    await guest.page.reload();
    await guest.page.locator('parlance-widget').waitFor({ state: 'attached' });
    await guest.page.getByText('Not sent.').waitFor();
    await guest.page.getByRole('button', { name: 'Edit' }).click();
    assert.match(await guest.text.inputValue(), /^too long yyy/);
    await guest.say('short enough');
    await guest.hears('short enough');
    await guest.person.leave();
  });
  const fill2 = async (guest, message) => {
    await guest.page.getByLabel('Your name').fill(guest.name);
    await guest.page.getByLabel('Your e-mail').fill('long@example.org');
    await guest.page.locator('parlance-widget form.hello textarea').fill(message);
    await guest.page.getByRole('button', { name: 'Start chat' }).click();
  };

  test("guests read the site's words, not the server's", async () => {
    const guest = await arrive('Words');
    await guest.opener.click();
    await guest.page.getByLabel('Your name').fill('turned\u202Earound');
    await guest.page.getByLabel('Your e-mail').fill('words@example.org');
    await guest.page.locator('parlance-widget form.hello textarea').fill('What I wanted to say');
    await guest.page.getByRole('button', { name: 'Start chat' }).click();
    await guest.page.getByText('Ein anderer Name, bitte.').waitFor();
    assert.equal(await guest.page.locator('parlance-widget form.hello textarea').inputValue(), 'What I wanted to say');
    await guest.page.getByLabel('Your name').fill('Words');
    await guest.page.getByRole('button', { name: 'Start chat' }).click();
    await guest.hears('What I wanted to say');
    const [chat] = await chatsOf('Words');
    await owner.say('closeChat', { chatId: chat._id });
    await guest.page.getByText('Geschlossen.').waitFor();
    await guest.say('One more thing');
    await guest.page.getByText('Geschlossen.').waitFor({ state: 'detached' });
    await guest.person.leave();
  });

  test('a chat of many long messages opens, over one connection', async () => {
    const long = (number) => `${String(number).padStart(3, '0')} ${'ж'.repeat(8_000)}`;
    const chat = await owner.guest('Tome', long(0));
    for (let number = 1; number < 64; number += 1) {
      await owner.say('newMessage', { token: chat.guestToken, chatId: chat.chatId, message: long(number) });
    }
    const guest = await Guest.arrive(browser, server, site, 'Tome');
    let opened = 0;
    guest.page.on('websocket', () => {
      opened += 1;
    });
    await guest.page.addInitScript(
      ([url, me]) => localStorage.setItem(`parlance.guest ${url} localhost`, JSON.stringify({ guest: me })),
      [server.url, { name: 'Tome', email: 'tome@example.org', ...chat }],
    );
    await guest.visit();
    await guest.opener.click();
    await guest.hears('063 ');
    await guest.person.eventually(async () => (await guest.texts()).length, 64);
    assert.equal(opened, 1, 'it does not connect again and again');
    await guest.person.leave();
  });

  test('offline is told at once, and what is written goes out with the network', async () => {
    const guest = await arrive('Tunnel');
    await guest.begin('Above ground');
    await guest.hears('Above ground');
    const { context, page } = guest.person;
    await guest.watch.expecting(AWAY, async () => {
      await context.setOffline(true);
      await page.getByText('What you write is kept').waitFor({ timeout: SECONDS });
      await guest.say('In the tunnel');
      await page.locator('parlance-widget li.pending').waitFor();
      await context.setOffline(false);
      await page.locator('parlance-widget li:not(.pending) .bubble', { hasText: 'In the tunnel' }).waitFor({ timeout: SECONDS });
    });
    await guest.person.leave();
  });

  test('what is written after a sleep goes out within seconds', async () => {
    const path = await NetworkPath.open(server);
    const sleeper = await Site.open({ url: path.url });
    const guest = await Guest.arrive(browser, server, sleeper, 'Sleepy');
    await guest.visit();
    await guest.begin('Good night');
    await guest.hears('Good night');
    const [chat] = await chatsOf('Sleepy');
    await guest.watch.expecting(AWAY, async () => {
      path.forget();
      await owner.say('newMessage', { chatId: chat._id, message: 'Said while you slept' });
      await guest.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
      await guest.say('Good morning');
      await guest.page.locator('parlance-widget .bubble', { hasText: 'Said while you slept' }).waitFor({ timeout: SECONDS });
      await guest.page.locator('parlance-widget li:not(.pending) .bubble', { hasText: 'Good morning' }).waitFor({ timeout: SECONDS });
    });
    await guest.person.eventually(() => guest.texts(), ['Good night', 'Said while you slept', 'Good morning']);
    await guest.person.leave();
    await sleeper.close();
    await path.close();
  });
});
