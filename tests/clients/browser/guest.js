// Somebody on a site with the widget, and what an owner does without a page.
import assert from 'node:assert/strict';
import { PATIENCE, Person, spoken } from './person.js';

/** Somebody on the site. */
export class Guest {
  static async arrive(browser, server, site, name, options) {
    const guest = new Guest();
    guest.person = await Person.arrive(browser, server, name, options);
    guest.page = guest.person.page;
    guest.watch = guest.person.watch;
    guest.site = site;
    guest.name = name;
    return guest;
  }

  get opener() {
    return this.page.getByRole('button', { name: /^Chat with us/ });
  }

  get bubbles() {
    return this.page.locator('parlance-widget .bubble');
  }

  async visit(path = '/') {
    await this.page.goto(`${this.site.url}${path}`);
    await this.page.locator('parlance-widget').waitFor({ state: 'attached' });
  }

  async begin(message) {
    await this.opener.click();
    await this.page.getByLabel('Your name').fill(this.name);
    await this.page.getByLabel('Your e-mail').fill(`${this.name.toLowerCase()}@example.org`);
    await this.page.locator('parlance-widget form.hello textarea').fill(message);
    await this.page.getByRole('button', { name: 'Start chat' }).click();
  }

  get text() {
    return this.page.locator('parlance-widget form.write textarea');
  }

  async say(message) {
    await this.text.fill(message);
    await this.page.keyboard.press('Enter');
  }

  async hears(message) {
    await this.page.locator('parlance-widget li:not(.pending) .bubble', { hasText: message }).first().waitFor();
  }

  texts() {
    return spoken(this.bubbles);
  }
}

const OWNER_PASSWORD = 'a quiet secret';

/** An owner by plain HTTP. */
export class Owner {
  static async register(server, { domain = 'localhost', name = 'owner', colleague } = {}) {
    const owner = new Owner();
    Object.assign(owner, { server, email: `${name}@example.org`, password: OWNER_PASSWORD });
    const account = { email: owner.email, password: owner.password, domain, ...(colleague && { token: colleague.token }) };
    await owner.post('/owner/register', account);
    const { data } = await owner.post('/owner/login', { email: owner.email, password: owner.password });
    return Object.assign(owner, { token: data.token, id: data.ownerId });
  }

  async post(path, body) {
    const response = await fetch(`${this.server.url}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    const told = await response.json();
    assert.equal(response.status, 200, JSON.stringify(told));
    return told;
  }

  /** Says an event of the API: what a socket would be told. */
  async say(event, argument = {}) {
    const { data } = await this.post(`/api/events/${event}?dialect=support`, { token: this.token, ...argument });
    return data;
  }

  async waiting() {
    return (await this.say('getWaitingChats')).data;
  }

  /** Returns once the queue of those who wait is as it should be. */
  async soonWaiting(isRight, within = PATIENCE) {
    const end = Date.now() + within;
    for (let chats = await this.waiting(); !isRight(chats); chats = await this.waiting()) {
      assert.ok(Date.now() < end, JSON.stringify(chats));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** A guest who begins a chat without a page. */
  async guest(name, message) {
    const opened = await this.say('getNewChat', { token: undefined, email: `${name.toLowerCase()}@example.org`, name, domain: 'localhost' });
    await this.say('newMessage', { token: opened.guestToken, chatId: opened.chatId, message });
    return opened;
  }

  /** Comes to the desk with a browser. */
  async atDesk(browser, context) {
    const person = context ?? (await Person.arrive(browser, this.server, this.email));
    const { page } = person;
    await page.goto(`${this.server.url}/console/`);
    const form = page.getByRole('form', { name: 'Sign in' });
    await form.getByLabel('E-mail').fill(this.email);
    await form.getByLabel('Password').fill(this.password);
    await form.getByRole('button', { name: 'Sign in' }).click();
    await person.line('live');
    return person;
  }
}
