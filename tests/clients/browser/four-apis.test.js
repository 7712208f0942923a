// The page with one chat through four APIs: written in each pane, read in all of them.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { chapters } from './chapters.js';
import { PHONE, closeStage, openStage } from './stage.js';

const PANES = { support: 'Gus', messenger: 'Ann', embed: 'Bo', service: 'Cy' };
const EDITING = ['messenger', 'embed', 'service'];

describe('one chat through four APIs', () => {
  const chapter = chapters();
  const stage = {};
  let visitor;
  let phone;

  before(async () => {
    Object.assign(stage, await openStage({ visitor: 'Visitor', phone: ['Phone', PHONE] }));
    ({ visitor, phone } = stage);
  });

  after(() => closeStage(stage));

  const pane = (person, key) => person.page.locator(`#pane-${key}`);
  const bubble = (person, key, text) => pane(person, key).locator('.bubble', { hasText: text });
  const field = (person, key) => person.page.getByLabel(`Message of ${PANES[key]}`);

  /** Sets up the chat by one click, and waits until all are connected. */
  async function begin(person) {
    await person.page.goto(`${stage.server.url}/together/`);
    await person.page.getByRole('button', { name: 'Set it up and begin' }).click();
    for (const key of Object.keys(PANES)) await pane(person, key).locator('.state[data-state=live]').waitFor();
  }

  /** Says something by keys alone, and waits until all four panes show it. */
  async function says(person, key, text) {
    await field(person, key).fill(text);
    await person.page.keyboard.press('Enter');
    for (const other of Object.keys(PANES)) await bubble(person, other, text).waitFor();
  }

  chapter('the first page leads to it', async () => {
    await visitor.page.goto(stage.server.url);
    await visitor.page.getByRole('link', { name: 'Four APIs, one chat' }).click();
    await visitor.page.getByRole('button', { name: 'Set it up and begin' }).waitFor();
    await visitor.assertAccessible('nothing set up yet');
  });

  chapter('begins by one click', async () => {
    await begin(visitor);
    assert.equal(await visitor.page.locator('.pane').count(), 4);
    await visitor.assertAccessible('four panes, nothing said');
  });

  chapter('what is written in one comes out in all', async () => {
    for (const key of Object.keys(PANES)) await says(visitor, key, `Grüße by ${key} <b>“👋🏽”</b>`);
    for (const key of Object.keys(PANES)) {
      const texts = () =>
        pane(visitor, key)
          .locator('.bubble')
          .evaluateAll((all) => all.map((one) => one.lastChild.textContent));
      const said = Object.keys(PANES).map((other) => `Grüße by ${other} <b>“👋🏽”</b>`);
      await visitor.eventually(texts, said, `${key}: once, in order`);
    }
    await visitor.assertAccessible('four panes');
  });

  chapter('who types is told in the others', async () => {
    for (const key of Object.keys(PANES)) {
      await field(visitor, key).pressSequentially('Well');
      for (const other of Object.keys(PANES).filter((it) => it !== key)) {
        await pane(visitor, other).getByText(`${PANES[key]} is typing…`).waitFor();
      }
      await says(visitor, key, `Well said, by ${key}`);
    }
  });

  chapter('what is changed is changed where there is a word for it', async () => {
    assert.equal(await pane(visitor, 'support').getByRole('button', { name: 'Edit' }).count(), 0);
    for (const key of EDITING) {
      const line = pane(visitor, key).locator('.message.mine', { hasText: `Well said, by ${key}` });
      await line.getByRole('button', { name: 'Edit' }).click();
      await field(visitor, key).fill(`Better said, by ${key}`);
      await pane(visitor, key).getByRole('button', { name: 'Save' }).click();
      for (const other of EDITING) await bubble(visitor, other, `Better said, by ${key}`).waitFor();
    }
    assert.equal(await bubble(visitor, 'support', 'Better said').count(), 0, 'live support is not told of edits');
  });

  chapter('it shows what goes over the wire', async () => {
    const wire = pane(visitor, 'service').locator('.wire');
    await wire.locator('summary').click();
    await wire.getByText('→ update').first().waitFor();
    await visitor.assertAccessible('the wire');
  });

  chapter('a login to the messenger stays what it is', async () => {
    await visitor.signUp();
    await begin(visitor);
    await says(visitor, 'messenger', 'By a token');
    const { name } = await (await visitor.request('GET', '/api/me')).json();
    assert.equal(name, visitor.name);
    const { tokens } = await (await visitor.request('GET', '/api/me/tokens')).json();
    assert.deepEqual(tokens, [], 'and has no token that others use');
  });

  chapter('what is refused is told in words', async () => {
    const { page } = visitor;
    await page.route('**/owner/register', (route) =>
      route.fulfill({ status: 403, json: { statusCode: 403, status: 'error', data: 'this server takes no new owners' } }),
    );
    await visitor.watch.expecting(/status of 403/, async () => {
      await page.goto(`${stage.server.url}/together/`);
      await page.getByRole('button', { name: 'Set it up and begin' }).click();
      await page.getByText('The server says: this server takes no new owners.').waitFor();
    });
    await visitor.assertAccessible('refused');
    await page.unroute('**/owner/register');
  });

  chapter('on a phone the panes are below each other, in the dark', async () => {
    await begin(phone);
    await says(phone, 'embed', 'From a phone');
    const heights = await phone.page.locator('.log').evaluateAll((all) => all.map((one) => one.clientHeight));
    assert.deepEqual(heights, [210, 210, 210, 210], 'each is as high as it is to be');
    const lefts = await phone.page.locator('.pane').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().left));
    assert.equal(new Set(lefts).size, 1);
    const isWider = await phone.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(isWider, false);
    await phone.assertAccessible('four panes on a phone, dark');
  });

  chapter('nobody saw an error or a broken rule of the page', () => {
    for (const person of [visitor, phone]) person.watch.assertQuiet();
  });
});
