// The widget's start, its place in the page, and its JavaScript API.
import { Chat } from './chat.js';
import { readableHost } from '../shared/hostname.js';
import { GuestStorage } from './guest-storage.js';
import { View } from './view.js';
import { readTexts } from './texts.js';

/** How often the widget is put back into a page that removes it. */
const REPLACED_AT_MOST = 20;
const REPLACED_WITHIN = 10_000;

const bodyIsThere = () => (document.body ? undefined : new Promise((resolve) => document.addEventListener('DOMContentLoaded', resolve, { once: true })));

/**
 * Whether the host's domain is registered. It counts as registered when the server cannot be reached.
 * @param {string} server
 * @param {string} domain
 */
async function isAnswered(server, domain) {
  const key = `parlance.site ${server} ${domain}`;
  try {
    if (sessionStorage.getItem(key)) return true;
  } catch {
    // Without storage the server is asked on each page.
  }
  try {
    const { status } = await fetch(`${server}/owner/domains/${encodeURIComponent(domain)}`, { credentials: 'omit' });
    if (status === 404) return false;
    if (status === 200) sessionStorage.setItem(key, '1');
  } catch {
    // Without storage there is nothing to remember.
  }
  return true;
}

class Widget {
  /**
   * @param {HTMLElement} tag
   * @param {string} server
   * @param {string} domain
   */
  constructor(tag, server, domain) {
    this.storage = new GuestStorage(`parlance.guest ${server} ${domain}`);
    this.isOpen = false;
    this.view = new View({
      texts: readTexts(tag),
      color: tag.dataset.color,
      side: tag.dataset.side,
      actions: {
        open: (wanted) => this.open(wanted),
        begin: (person, message) => this.begin(person, message),
        say: (message) => {
          this.chat.say(message);
          this.storage.draft = '';
          this.view.toEnd();
        },
        type: (text) => {
          this.storage.draft = text;
          if (this.storage.guest) this.chat.tellTyping(text !== '');
        },
        drop: (id) => this.chat.outbox.remove(id),
      },
    });
    this.chat = new Chat({
      server,
      domain,
      storage: this.storage,
      changed: () => this.changed(),
      received: (text) => this.view.say(text),
      typing: (on) => {
        this.view.typing.textContent = on ? this.view.texts.typing : '';
      },
      refused: (problem, message) => {
        this.storage.draft ||= message;
        this.view.turnedAway(problem, message);
      },
    });
    document.addEventListener('visibilitychange', () => this.changed());
  }

  mount() {
    document.body.append(this.view.host);
    this.view.pickInk();
    this.remountWhenReplaced();
    const { guest, open } = this.storage;
    this.view.fill(this.storage.draft);
    this.view.first.value = this.storage.draft;
    this.changed();
    // Only a guest with a chat connects on every page; others connect when they open the widget.
    if (guest) this.chat.connect();
    if (open && guest && matchMedia('(min-width: 481px)').matches) this.open(true);
  }

  /** Single-page applications replace the body, and the widget with it. */
  remountWhenReplaced() {
    const { host } = this.view;
    /** @type {number[]} */
    let replaced = [];
    const back = () => {
      if (host.isConnected || !document.body) return;
      const now = Date.now();
      replaced = [...replaced.filter((at) => now - at < REPLACED_WITHIN), now];
      if (replaced.length > REPLACED_AT_MOST) return;
      document.body.append(host);
      this.view.toEnd();
    };
    /** @type {HTMLElement | null} */
    let body = null;
    const watch = new MutationObserver(() => {
      if (document.body !== body) look();
      back();
    });
    const look = () => {
      body = document.body;
      watch.disconnect();
      watch.observe(document.documentElement, { childList: true });
      if (body) watch.observe(body, { childList: true });
    };
    look();
    for (const name of ['turbo:load', 'turbo:render', 'turbolinks:load', 'pageshow']) globalThis.addEventListener(name, back);
  }

  changed() {
    const { chat, storage, view, isOpen } = this;
    if (isOpen && document.visibilityState === 'visible') chat.markSeen();
    view.render({
      guest: storage.guest,
      closed: storage.closed,
      messages: chat.messages,
      outbox: chat.outbox.all,
      away: chat.away,
      connected: chat.connected,
      unread: chat.unread(),
    });
  }

  /** @param {boolean} wanted */
  open(wanted) {
    if (wanted === this.isOpen) return;
    this.isOpen = wanted;
    this.view.show(wanted);
    this.storage.open = wanted;
    if (wanted) {
      this.chat.connect();
      this.changed();
      this.view.toEnd();
      (this.storage.guest ? this.view.text : this.view.name).focus();
    } else {
      this.view.opener.focus();
    }
  }

  /**
   * @param {{name: string, email: string}} person
   * @param {string} message
   */
  begin(person, message) {
    this.chat.begin(person, message);
    this.storage.draft = '';
    this.view.fill('');
    this.view.toEnd();
    this.view.text.focus();
  }

  /** Deletes the guest, for example at the end of a visit on a shared computer. */
  reset() {
    this.open(false);
    this.chat.reset();
    this.view.fill('');
    for (const input of [this.view.name, this.view.email, this.view.first]) input.value = '';
  }
}

/** The methods of `ParlanceWidget`; they do nothing when the domain is not registered. @param {HTMLScriptElement} tag */
export async function start(tag) {
  const server = (tag.dataset.server || new URL('.', tag.src).href).replace(/\/+$/u, '');
  const domain = (tag.dataset.domain || location.hostname).toLowerCase();
  await bodyIsThere();
  const widget = new Widget(tag, server, domain);
  if (!widget.storage.guest && !(await isAnswered(server, domain))) {
    console.warn(
      `Parlance: ${readableHost(domain)} is not registered, so the chat is not shown. Its owner registers it at ${server}/console/#/register/${domain}`,
    );
    return null;
  }
  widget.mount();
  return { open: () => widget.open(true), close: () => widget.open(false), reset: () => widget.reset() };
}
