// Somebody at a browser: signs up through the forms, writes, reads. Anything the console complains of fails the test.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { chromium } from 'playwright-core';
import { slowPages } from './slow.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** How long a machine may take that has much else to do: only a failure waits so long. */
export const PATIENCE = 90_000;
const POLL_EVERY = 30;

export function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Watches a page for complaints; `faults` holds what was not to be expected. */
export class Watch {
  constructor(page) {
    this.faults = [];
    this.allowed = [/Service Worker registration blocked by Playwright/];
    page.on('pageerror', (error) => this.faults.push(`exception: ${error.stack ?? error}`));
    page.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      const text = `${message.text()} (${message.location().url})`;
      if (!this.allowed.some((pattern) => pattern.test(text))) this.faults.push(text);
    });
  }

  /** Lets a complaint pass for as long as `work` runs. */
  async expecting(pattern, work) {
    this.allowed.push(pattern);
    try {
      return await work();
    } finally {
      this.allowed.splice(this.allowed.indexOf(pattern), 1);
    }
  }

  assertQuiet() {
    assert.deepEqual(this.faults, [], 'the console stays quiet');
  }
}

/** Chromium itself reports every request that fails while the server is away. */
export const AWAY = /Failed to load resource: net::ERR_|ERR_INCOMPLETE_CHUNKED_ENCODING|status of 503|WebSocket connection to .* failed/;

export class Person {
  static async arrive(browser, server, name, options = {}) {
    const person = new Person();
    person.name = name;
    person.server = server;
    // Requests that a worker makes pass by what a test puts in their way, so there is one only where it is the matter.
    person.context = await browser.newContext({
      viewport: { width: 1200, height: 800 },
      locale: 'en-GB',
      reducedMotion: 'reduce',
      serviceWorkers: 'block',
      ...options,
    });
    person.context.setDefaultTimeout(PATIENCE);
    slowPages(person.context);
    person.page = await person.context.newPage();
    person.watch = new Watch(person.page);
    // A violation of the page's policy is also a complaint when the browser itself keeps quiet about it.
    await person.page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        console.error(`policy violated: ${event.violatedDirective} by ${event.blockedURI}`);
      });
    });
    return person;
  }

  /** Waits until `locator` shows exactly these texts. */
  async reads(locator, texts) {
    await this.eventually(() => spoken(locator), texts);
  }

  async signUp() {
    await this.page.goto(`${this.server.url}/#/sign-up`);
    const form = this.page.getByRole('form', { name: 'Create an account' });
    await form.getByLabel('Name').fill(this.name);
    await form.getByLabel('E-mail').fill(`${this.name.toLowerCase().replaceAll(' ', '.')}@example.org`);
    await form.getByLabel('Password').fill(this.password);
    await form.getByRole('button', { name: 'Create account' }).click();
    await this.atDesk();
  }

  async signIn() {
    await this.page.goto(`${this.server.url}/#/sign-in`);
    const form = this.page.getByRole('form', { name: 'Sign in' });
    await form.getByLabel('Name').fill(this.name);
    await form.getByLabel('Password').fill(this.password);
    await form.getByRole('button', { name: 'Sign in' }).click();
    await this.atDesk();
  }

  password = 'a quiet secret';

  atDesk() {
    return this.page.locator('#app').waitFor();
  }

  async startChat(title) {
    await this.page.getByRole('button', { name: 'New chat' }).click();
    await this.page.getByLabel('What is it about?').fill(title);
    await this.page.getByRole('button', { name: 'Start chat' }).click();
    await this.page.getByRole('heading', { name: title }).waitFor();
    await this.page.locator('#composer').waitFor();
  }

  /** The row of a chat in the list: by its title, for what was said last in another one may name it. */
  row(title) {
    return chatRow(this.page, title);
  }

  async openChat(title) {
    await this.row(title).click();
    await this.page.getByRole('heading', { name: title }).waitFor();
  }

  async join(title) {
    await this.openChat(title);
    await this.page.getByRole('button', { name: 'Join this chat' }).click();
    await this.page.locator('#composer').waitFor();
  }

  /** Types and sends; does not wait for the server. */
  async say(text) {
    await this.page.getByLabel('Message', { exact: true }).fill(text);
    await this.page.getByRole('button', { name: 'Send', exact: true }).click();
  }

  bubble(text) {
    return this.page.locator('#messages .bubble', { hasText: text });
  }

  async hears(text) {
    await this.bubble(text).first().waitFor();
  }

  /** The message is kept by the server, and shown as such. */
  async hasSent(text) {
    await this.page.locator('#messages .message:not(.pending):not(.failed) .bubble', { hasText: text }).first().waitFor();
  }

  /** Waits until this is said in the open chat, in this order, and nothing else. */
  async says(texts, says) {
    await this.eventually(() => this.texts(), texts, says);
  }

  /** What is said in the open chat, in order, without the words for screen readers. */
  texts() {
    return spoken(this.page.locator('#messages .bubble'));
  }

  async line(state) {
    await this.page.locator(`#connection[data-state="${state}"]`).waitFor();
  }

  /** Asks until `question` gives `answer`. A page that goes while it is asked is asked again. */
  async eventually(question, answer, says) {
    const until = Date.now() + PATIENCE;
    for (;;) {
      const [last, problem] = await Promise.resolve()
        .then(question)
        .then(
          (given) => [given],
          (error) => [undefined, error],
        );
      if (!problem && isDeepStrictEqual(last, answer)) return;
      if (Date.now() > until || (problem && !/context was destroyed|navigat/iu.test(problem.message))) {
        if (problem) throw problem;
        assert.deepEqual(last, answer, says);
      }
      await pause(POLL_EVERY);
    }
  }

  /** A request as a program with this person's cookies would make it. */
  request(method, path, form) {
    return this.context.request.fetch(`${this.server.url}${path}`, { method, form, headers: { Origin: this.server.url } });
  }

  /** No failing of WCAG 2 A or AA that a program can see. */
  async assertAccessible(where) {
    await this.page.evaluate(AXE);
    const found = await this.page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
    const faults = found.violations.map(
      (violation) => `${violation.id}: ${violation.nodes.map((node) => `${node.target} ${node.any[0]?.message ?? ''}`).join('; ')}`,
    );
    assert.deepEqual(faults, [], `accessible: ${where}`);
  }

  async leave() {
    this.watch.assertQuiet();
    await this.context.close();
  }
}

/** The row with this title in a list of chats. */
export function chatRow(page, title) {
  return page.locator('a.chat-row', { has: page.locator('.chat-title', { hasText: title }) });
}

/**
 * Types into a box until another one's page says so. That is believed for some seconds only, and a slow machine may look
 * later than that: so the typing goes on, as that of people does.
 */
export async function typeUntil(box, text, told) {
  let over = false;
  const there = told.waitFor().finally(() => {
    over = true;
  });
  there.catch(() => {});
  await box.pressSequentially(text);
  while (!over) {
    await Promise.race([there, pause(1_000)]);
    if (over) break;
    await box.press('x');
    await box.press('Backspace');
  }
  await there;
}

/** Stops the clock of a page, on which it is installed: from here on no timer ends. */
export async function stopClock({ clock }) {
  for (let ahead = 1_000; ; ahead *= 2) {
    try {
      await clock.pauseAt(Date.now() + ahead);
      return;
    } catch (error) {
      // The page's clock may be ahead of ours.
      if (!/to the past/u.test(error.message)) throw error;
    }
  }
}

/** The network is back, and a page whose clock stands still has noticed it, within a moment of its time. */
export async function backOnline({ page, context }) {
  await context.setOffline(false);
  await page.waitForFunction(() => navigator.onLine);
  await page.clock.runFor(100);
}

/** What bubbles say, without the words for screen readers. */
export function spoken(bubbles) {
  return bubbles.evaluateAll((elements) =>
    elements.map((bubble) =>
      [...bubble.childNodes]
        .filter((node) => !(node instanceof HTMLElement && /^sr/.test(node.className)))
        .map((node) => node.textContent)
        .join(''),
    ),
  );
}

/** Presses a key until what has the focus carries this name. */
export async function tabTo(page, name, key = 'Tab') {
  const passed = [];
  for (let step = 0; step < 40; step += 1) {
    await page.keyboard.press(key);
    const found = await page.evaluate(() => {
      let element = document.activeElement;
      while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
      if (element === document.body) return '';
      return (element?.getAttribute('aria-label') ?? element?.labels?.[0]?.textContent ?? element?.textContent ?? '').trim();
    });
    if (found.startsWith(name)) return;
    passed.push(found.slice(0, 30));
  }
  assert.fail(`${key} never reaches “${name}”; it passes ${passed.join(' | ')}`);
}
