// What grows without bound: a person with thousands of chats, and a chat with a hundred thousand messages. Counted, not timed.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person, openBrowser } from './person.js';
import { Server } from './server.js';

const MOST_ELEMENTS = 2_000;
const FEW = 50;
const MANY = 5_000;
const MESSAGES = 100_000;
/** So often somebody turns the wheel: about a minute of reading. */
const STEPS = 400;
const OPENINGS = 5;

/** Chats of one person, past the server. @param {number} person @param {number} count @param {number} first */
const chats = (person, count, first) => [
  `create temp table n as with recursive up (n) as (select 0 union all select n + 1 from up where n < ${count - 1}) select n from up`,
  `insert into chats (id, tenant_id, kind, title, created_by, created_at, updated_at, members_count, last_seq, last_position)
     select ${first} + n, 1, 'private', 'Chat ' || n, ${person}, 0, 0, 1, 0, (select head from log) + n + 1 from n`,
  `insert into members (chat_id, person_id, tenant_id, role, standing, joined_at, joined_position, read_id, read_seq)
     select ${first} + n, ${person}, 1, 'admin', 'in', 0, (select head from log) + n + 1, 0, 0 from n`,
  `insert into changes (position, tenant_id, chat_id, kind, audience, actor_id, word, at)
     select (select head from log) + n + 1, 1, ${first} + n, 'joined', 'members', ${person}, 'admin', 0 from n`,
  `update log set head = head + ${count}`,
  'drop table n',
];

/** What is said in a chat, past the server. @param {number} chat @param {number} person @param {number} count */
const messages = (chat, person, count) => [
  `insert into messages (id, tenant_id, chat_id, seq, sender_id, kind, content, created_at)
     with recursive up (n) as (select 1 union all select n + 1 from up where n < ${count})
     select (select head from log) + n, 1, ${chat}, n, ${person}, 'text', 'Line ' || n || ' *with* **some** marks', 1700000000000 + n * 60000 from up`,
  `update chats set last_seq = ${count}, last_message_id = (select max(id) from messages where chat_id = ${chat}),
     last_position = (select max(id) from messages where chat_id = ${chat}) where id = ${chat}`,
  `update members set read_seq = ${count}, read_id = (select max(id) from messages where chat_id = ${chat}) where chat_id = ${chat}`,
  `update log set head = head + ${count}`,
];

describe('size', () => {
  let server;
  let browser;
  /** Somebody in a few chats, and somebody in many. */
  let ann;
  let bo;

  before(async () => {
    server = await Server.start();
    browser = await openBrowser();
    ann = await Person.arrive(browser, server, 'Ann');
    bo = await Person.arrive(browser, server, 'Bo');
    for (const person of [ann, bo]) await person.signUp();
    await ann.startChat('Long story');
    const [annId, boId] = await Promise.all([ann, bo].map(id));
    const chat = Number(/\d+$/.exec(ann.page.url())[0]);
    for (const { page } of [ann, bo]) await page.goto('about:blank');
    await server.stopped(async () => {
      const sql = [...messages(chat, annId, MESSAGES), ...chats(annId, FEW - 1, 10_000), ...chats(boId, MANY, 20_000)];
      await server.write(sql);
    });
    ann.chat = chat;
  });

  after(async () => {
    await browser?.close();
    await server?.end();
  });

  const id = async (person) => (await (await person.request('GET', '/api/me')).json()).id;
  const elements = (person) => person.page.evaluate(() => document.querySelectorAll('*').length);

  /** Opens the page; what it asked the server for, and when the first row of the list was painted. */
  async function open(person) {
    const { page, server } = person;
    await page.goto('about:blank');
    const asked = [];
    const note = (request) => asked.push(new URL(request.url()).pathname);
    page.on('request', note);
    await page.goto(`${server.url}/#/`);
    await person.row('Chat').first().waitFor();
    const painted = await page.evaluate(
      () =>
        new Promise((resolve) => {
          requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
        }),
    );
    page.off('request', note);
    return { painted, lists: asked.filter((path) => path === '/api/chats').length, elements: await elements(person) };
  }

  test('a person in thousands of chats sees the page as soon as one in few', async (context) => {
    const seen = { few: [], many: [] };
    // In turns, so that whatever else the machine does falls on both.
    for (let turn = 0; turn < OPENINGS; turn += 1) {
      seen.few.push(await open(ann));
      seen.many.push(await open(bo));
    }
    const median = (list) => list.map(({ painted }) => painted).sort((a, b) => a - b)[Math.floor(list.length / 2)];
    const [few, many] = [median(seen.few), median(seen.many)];
    context.diagnostic(`first paint of the list: ${few.toFixed(0)} ms of ${FEW} chats, ${many.toFixed(0)} ms of ${MANY}: ${(many / few).toFixed(2)} times`);
    for (const { lists } of [...seen.few, ...seen.many]) assert.equal(lists, 1, 'one page of the list is read');
    const most = Math.max(...seen.many.map((each) => each.elements));
    assert.ok(most < Math.max(...seen.few.map((each) => each.elements)) + 100, `${most} elements`);
  });

  test('all of thousands of chats can be reached, and the document stays small', async () => {
    const lists = bo.page.locator('#lists');
    let most = 0;
    await bo.eventually(async () => {
      await lists.evaluate((element) => element.scrollTo(0, element.scrollHeight));
      most = Math.max(most, await elements(bo));
      return bo.page.locator('#mine-list li').last().getAttribute('aria-posinset');
    }, String(MANY));
    assert.ok(most < MOST_ELEMENTS, `${most} elements`);
  });

  test('a chat of a hundred thousand messages is scrolled for a minute, and the document stays small', async (context) => {
    const { page } = ann;
    await page.goto(`${server.url}/#/chats/${ann.chat}`);
    await ann.hears(`Line ${MESSAGES}`);
    const began = Date.now();
    let most = await elements(ann);
    let passed = MESSAGES;
    for (let step = 0; step < STEPS; step += 1) {
      most = Math.max(
        most,
        await page.locator('#scroll').evaluate(
          (box) =>
            new Promise((resolve) => {
              box.scrollBy(0, -1_800);
              // How fast the server and the machine are is not the matter: a page that is on its way is waited for.
              const look = () => {
                if (document.getElementById('earlier-button').textContent === 'Loading…') requestAnimationFrame(look);
                else resolve(document.querySelectorAll('*').length);
              };
              requestAnimationFrame(() => requestAnimationFrame(look));
            }),
        ),
      );
    }
    for (const text of await ann.texts()) passed = Math.min(passed, Number(/Line (\d+)/.exec(text)[1]));
    context.diagnostic(`${MESSAGES - passed} messages passed in ${((Date.now() - began) / 1000).toFixed(0)} s, at most ${most} elements`);
    assert.ok(MESSAGES - passed > 1_000, `${passed} is the first in the document`);
    assert.ok(most < MOST_ELEMENTS, `${most} elements`);
  });

  test('nobody saw an error or a broken rule of the page', () => {
    for (const person of [ann, bo]) person.watch.assertQuiet();
  });
});
