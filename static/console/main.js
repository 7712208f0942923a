// The owners' console: sign-in, then queues and chats over the socket.
import { post } from '../shared/api.js';
import { confirm } from '../shared/confirm.js';
import { ConnectionStatus } from '../shared/connection-status.js';
import { $, busy, setText, show, speak, wireCloseButtons, wireThemeChoice } from '../shared/dom.js';
import { Drafts } from '../shared/drafts.js';
import { randomId } from '../shared/ids.js';
import { Outbox } from '../shared/outbox.js';
import { at, scoped } from '../shared/server.js';
import { Alerts } from './alerts.js';
import { createComposer } from './composer.js';
import { explain } from './error-text.js';
import { QUEUES } from './queues.js';
import { openSignIn, signOut, storedOwner } from './sign-in.js';
import { SupportStore } from './support-store.js';
import { renderChat, renderQueues } from './view.js';

/** @typedef {import('./sign-in.js').Owner} Owner */
/** @typedef {import('./support-store.js').Problem} Problem */

const SEARCH_AFTER = 250;
const NEAR_END = 80;

/** What a failed attempt to send an answer means. @param {unknown} error @returns {import('../shared/outbox.js').Verdict} */
function judge(error) {
  const { status, wait = 0 } = /** @type {Problem} */ (error);
  if (status === 401) return { ended: true };
  const passing = !status || status === 429 || status >= 500;
  return passing ? { retryAfter: wait * 1000 } : { refused: explain(error) };
}

class Console {
  /** @param {Owner} owner */
  constructor(owner) {
    this.owner = owner;
    /** @type {string | null} */
    this.current = null;
    this.atEnd = true;
    /** Where the scroll was when it was last looked at. */
    this.top = 0;
    this.due = false;
    this.scroll = $('scroll');
    const changed = () => this.changed();
    this.status = new ConnectionStatus({ retry: () => this.store.socket.nudge(), back: () => this.outbox.nudge(), changed });
    this.store = new SupportStore({
      owner,
      changed,
      ended: () => signOut('You were signed out. Please sign in again.'),
      gone: (chat) => {
        if (this.current === chat) location.hash = '#/';
      },
      state: (state, until) => this.status.set(state, until),
      received: (chat, message) => this.received(chat, message),
    });
    /** @type {Outbox<any>} */
    this.outbox = new Outbox({
      key: scoped(`parlance.desk.${owner.ownerId}`),
      changed,
      deliver: (entry) => this.store.deliver(entry),
      judge,
      sent: (entry, reply, repeated) => this.store.sent(entry, reply, repeated),
    });
    this.alerts = new Alerts((chat) => {
      location.hash = `#/chats/${chat}`;
    });
    this.composer = createComposer({
      drafts: new Drafts(scoped(`parlance.desk.drafts.${owner.ownerId}`)),
      type: (chat, on) => this.store.tellTyping(chat, on),
      send: (chat, message) => {
        this.atEnd = true;
        this.outbox.add(chat, message);
      },
    });
    /** @type {import('../shared/message-view.js').Actions} */
    this.actions = {
      retry: ({ client_id: id }) => this.outbox.retry(id),
      remove: ({ client_id: id }) => this.outbox.remove(id),
      edit: ({ client_id: id, content }) => {
        this.composer.prepend(content);
        this.outbox.remove(id);
      },
    };
    this.listen();
    this.outbox.run();
  }

  listen() {
    this.scroll.addEventListener(
      'scroll',
      () => {
        this.look();
        this.markRead();
      },
      { passive: true },
    );
    window.addEventListener('focus', () => this.markRead());
    document.addEventListener('visibilitychange', () => this.markRead());
    window.addEventListener('hashchange', () => this.route());
    $('skip').addEventListener('click', (event) => {
      event.preventDefault();
      $('room').focus();
    });
    wireClosing(this);
    wireQueues(this);
    wireSettings(this);
  }

  route() {
    const id = /^#\/chats\/([0-9a-f]+)$/u.exec(location.hash)?.[1] ?? null;
    document.body.classList.toggle('in-chat', id !== null);
    this.open(id);
  }

  /** Renders once for all changes of one task. */
  changed() {
    if (this.due) return;
    this.due = true;
    queueMicrotask(() => {
      this.due = false;
      this.render();
    });
  }

  /** Whether the end is in sight, and where the scroll is. */
  look() {
    this.top = this.scroll.scrollTop;
    this.atEnd = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < NEAR_END;
  }

  render() {
    const { store, current } = this;
    // Browsers tell of a scroll in the next frame: what is drawn before that is not to take it back.
    if (this.scroll.scrollTop !== this.top) this.look();
    const { atEnd } = this;
    renderQueues(store, current);
    renderChat(store, this.outbox, current, this.actions);
    if (atEnd) this.scroll.scrollTop = this.scroll.scrollHeight;
    this.top = this.scroll.scrollTop;
    const unread = store.queues.unread();
    document.title = unread ? `(${unread}) Desk · Parlance` : 'Desk · Parlance';
    this.markRead();
  }

  /** Marks the visible chat as read. */
  markRead() {
    const { current, store } = this;
    if (current === null || !this.atEnd || document.visibilityState !== 'visible' || !document.hasFocus()) return;
    if (store.chatState(current).ready) store.read(current);
  }

  /**
   * @param {string} chat
   * @param {string} message
   */
  received(chat, message) {
    const name = this.store.chats.get(chat)?.name || 'A guest';
    speak(`${name}: ${message}`);
    const isRead = chat === this.current && document.visibilityState === 'visible' && document.hasFocus();
    if (!isRead) this.alerts.call(chat, name, message);
  }

  /** @param {string | null} id */
  async open(id) {
    const { store } = this;
    if (id === this.current) return;
    this.current = id;
    store.current = id;
    this.atEnd = true;
    $('messages').replaceChildren();
    this.top = this.scroll.scrollTop;
    this.composer.open(id);
    this.render();
    if (id === null) return;
    (matchMedia('(pointer: fine)').matches ? $('content') : $('room-title')).focus();
    const state = store.chatState(id);
    if (!store.ready || (state.ready && !state.stale)) return;
    try {
      await store.load(id);
    } catch (error) {
      if (/** @type {Problem} */ (error).status === 404 && this.current === id) location.hash = '#/';
    }
  }
}

/** @param {Console} page */
function wireClosing(page) {
  /** @type {{id: string, key: string} | null} */
  let closing = null;
  $('close-chat').addEventListener('click', async () => {
    const id = page.current;
    const sure = await confirm({
      title: 'Close this chat?',
      text: 'You find it among the closed ones. When the guest writes again, it comes back as waiting.',
      yes: 'Close chat',
    });
    if (!sure || id === null) return;
    // The key makes a retry after a lost answer idempotent: it does not close a chat that was reopened meanwhile.
    if (closing?.id !== id) closing = { id, key: randomId() };
    try {
      await page.store.closeChat(id, closing.key);
      closing = null;
      if (page.current === id) location.hash = '#/';
    } catch (error) {
      await confirm({ title: 'That did not work', text: explain(error), no: 'Close' });
    }
  });
}

/** @param {Console} page */
function wireQueues({ store }) {
  const query = $('query', HTMLInputElement);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let searching;
  query.addEventListener('input', () => {
    clearTimeout(searching);
    searching = setTimeout(() => store.search(query.value.trim()), SEARCH_AFTER);
  });
  for (const radio of document.querySelectorAll('input[name=which]')) {
    if (!(radio instanceof HTMLInputElement)) continue;
    radio.checked = radio.value === 'open';
    radio.addEventListener('change', () => {
      store.wantClosed(radio.value === 'closed');
      store.changed();
    });
  }
  for (const name of QUEUES) $(`${name}-more`).addEventListener('click', () => store.showMore(name));
}

/** @param {Console} page */
function wireSettings({ owner, store }) {
  const dialog = $('settings', HTMLDialogElement);
  setText($('who'), `Signed in as ${owner.email}`);
  setText($('tag'), `<script src="${at('widget.js')}" async></script>`);
  $('settings-open').addEventListener('click', () => dialog.showModal());
  wireThemeChoice(dialog);
  wireCloseButtons();
  $('logout').addEventListener('click', () =>
    busy($('logout'), async () => {
      store.close();
      await post('/owner/logout', { token: owner.token }).catch(() => {});
      signOut('You are signed out.');
    }),
  );
}

/** @param {Owner} owner */
function openConsole(owner) {
  const page = new Console(owner);
  show($('entry'), false);
  show($('app'), true);
  page.route();
  page.changed();
}

const owner = storedOwner();
if (owner) openConsole(owner);
else openSignIn(openConsole);
