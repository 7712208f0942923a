// The owner's desk: signing in, and then queues and chats over the socket.
import { Refusal, post } from '../messenger/api.js';
import { $, firstFault, formError, setText, show, speak } from '../messenger/dom.js';
import { Line } from '../messenger/line.js';
import { ask } from '../messenger/ask.js';
import { scoped } from '../shared/server.js';
import { read, write } from '../shared/storage.js';
import { Outbox } from '../shared/outbox.js';
import { shown } from '../widget/domain.js';
import { randomId } from '../shared/ids.js';
import { Alerts } from './alerts.js';
import { prepareComposer } from './composer.js';
import { Desk } from './desk.js';
import { renderQueues, renderTalk } from './view.js';

const OWNER = 'parlance.desk.owner';
const NOTICE = 'parlance.desk.notice';
const SEARCH_AFTER = 250;

function keptOwner() {
  const here = sessionStorage.getItem(OWNER);
  return here ? JSON.parse(here) : read(scoped(OWNER), null);
}

function keepOwner(owner, stay) {
  if (stay) write(scoped(OWNER), owner);
  else sessionStorage.setItem(OWNER, JSON.stringify(owner));
}

function forgetOwner(notice) {
  sessionStorage.removeItem(OWNER);
  write(scoped(OWNER), undefined);
  if (notice) sessionStorage.setItem(NOTICE, notice);
  location.hash = '#/';
  location.reload();
}

// ---- The door ----

function openDoor() {
  const forms = { '': $('sign-in'), '#/register': $('register') };
  const notice = sessionStorage.getItem(NOTICE);
  sessionStorage.removeItem(NOTICE);
  tell(notice);

  function turn() {
    // Where a page leads its owner here, it says for which domain: #/register/shop.example
    const registers = /^#\/register(?:\/([^/]+))?$/u.exec(location.hash);
    const wanted = registers ? '#/register' : '';
    if (registers?.[1]) $('up-domain').value = shown(decodeURIComponent(registers[1]));
    for (const [hash, form] of Object.entries(forms)) show(form, hash === wanted);
    setText($('door-lead'), wanted ? 'One account for your site; guests can write at once.' : 'Sign in to answer your guests.');
    forms[wanted].querySelector('input').focus();
  }

  async function enter(form, stay) {
    const { body } = await post('/owner/login', new FormData(form));
    keepOwner({ ...body.data, email: form.elements.email.value }, stay);
    form.reset();
    window.removeEventListener('hashchange', turn);
    openDesk(keptOwner());
  }

  $('sign-in').addEventListener('submit', (event) => submit(event, (form) => enter(form, $('in-stay').checked)));
  $('register').addEventListener('submit', (event) =>
    submit(event, async (form) => {
      await post('/owner/register', new FormData(form));
      $('in-email').value = form.elements.email.value;
      try {
        await enter(form, false);
        location.hash = '#/';
      } catch {
        // It is registered all the same: to send the form again would be refused.
        form.reset();
        location.hash = '#/';
        tell('Your site is registered. Sign in to open its desk.');
      }
    }),
  );
  for (const form of Object.values(forms)) form.noValidate = true;
  window.addEventListener('hashchange', turn);
  $('door').classList.add('ready');
  turn();
}

function tell(notice) {
  setText($('door-notice'), notice ?? '');
  show($('door-notice'), Boolean(notice));
}

async function submit(event, work) {
  event.preventDefault();
  const form = event.currentTarget;
  const button = form.querySelector('[type=submit]');
  const fault = firstFault(form);
  formError(form, fault?.text, fault?.field);
  if (fault || button.getAttribute('aria-disabled') === 'true') return;
  button.setAttribute('aria-disabled', 'true');
  try {
    await work(form);
  } catch (error) {
    const key = error instanceof Refusal ? error.body.validation?.keys?.[0] : null;
    formError(form, explain(error, form), key ? form.elements[key] : null);
  } finally {
    button.removeAttribute('aria-disabled');
  }
}

function explain(error, form) {
  if (!(error instanceof Refusal)) return 'The server is not answering. Please try again in a moment.';
  // The server tells nobody whether an e-mail address is known.
  if (error.status === 404 && form.id === 'sign-in') return 'E-mail or password is wrong.';
  if (error.status === 429) return 'Too many attempts. Please wait a little and try again.';
  return typeof error.body.data === 'string' ? error.body.data : error.message;
}

// ---- The desk ----

/** What a failed attempt to send an answer means. */
function judge(problem) {
  if (problem.status === 401) return { ended: true };
  const passing = !problem.status || problem.status === 429 || problem.status >= 500;
  return passing ? { retryAfter: (problem.wait ?? 0) * 1000 } : { refused: problem.message };
}

function openDesk(owner) {
  let current = null;
  let atEnd = true;
  let due = false;
  const scroll = $('scroll');

  const changed = () => {
    if (due) return;
    due = true;
    queueMicrotask(() => {
      due = false;
      render();
    });
  };

  const line = new Line({ retry: () => desk.socket.nudge(), back: () => outbox.nudge(), changed });
  const desk = new Desk({
    owner,
    changed,
    ended: () => forgetOwner('You were signed out. Please sign in again.'),
    state: (name, until) => line.set(name, until),
    heard: (id, message) => {
      const name = desk.chats.get(id)?.name || 'A guest';
      const before = id === current && document.visibilityState === 'visible' && document.hasFocus();
      speak(`${name}: ${message}`);
      if (!before) alerts.call(id, name, message);
    },
  });
  const outbox = new Outbox({
    key: scoped(`parlance.desk.${owner.ownerId}`),
    changed,
    deliver: (entry) => desk.deliver(entry),
    judge,
    sent: (entry, reply, repeated) => desk.sent(entry, reply, repeated),
  });
  const alerts = new Alerts({
    show: (id) => {
      location.hash = `#/chats/${id}`;
    },
  });

  const composer = prepareComposer({
    type: (on) => current !== null && desk.tellTyping(current, on),
    send: (message) => {
      outbox.add(current, message);
      atEnd = true;
    },
  });

  function render() {
    renderQueues(desk, current);
    const keep = atEnd;
    renderTalk(desk, outbox, current, {
      edit: (letter) => {
        outbox.remove(letter.client_id);
        composer.fill(letter.content);
      },
      retry: (id) => outbox.retry(id),
      remove: (id) => outbox.remove(id),
    });
    if (keep) scroll.scrollTop = scroll.scrollHeight;
    const unread = desk.queues.unread();
    document.title = unread ? `(${unread}) Desk · Parlance` : 'Desk · Parlance';
    look();
  }

  /** What is before the owner's eyes is read. */
  function look() {
    if (current === null || !atEnd || document.visibilityState !== 'visible' || !document.hasFocus()) return;
    if (desk.room(current).ready) desk.read(current);
  }

  async function open(id) {
    if (id === current) return;
    composer.stopTyping();
    current = id;
    desk.current = id;
    atEnd = true;
    $('messages').replaceChildren();
    composer.clear();
    render();
    if (id === null) return;
    (matchMedia('(pointer: fine)').matches ? $('content') : $('room-title')).focus();
    const room = desk.room(id);
    if (!desk.ready || (room.ready && !room.stale)) return;
    try {
      await desk.load(id);
    } catch (problem) {
      if (problem.status === 404 && current === id) location.hash = '#/';
    }
  }

  scroll.addEventListener(
    'scroll',
    () => {
      atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
      look();
    },
    { passive: true },
  );
  window.addEventListener('focus', look);
  document.addEventListener('visibilitychange', look);
  $('skip').addEventListener('click', (event) => {
    event.preventDefault();
    $('room').focus();
  });
  let closing = null;
  $('close-chat').addEventListener('click', async () => {
    const sure = await ask({
      title: 'Close this chat?',
      text: 'You find it among the closed ones. When the guest writes again, it comes back as waiting.',
      yes: 'Close chat',
    });
    if (!sure) return;
    const id = current;
    // One name for this closing: what is tried again after a lost answer closes nothing that has begun anew.
    if (closing?.id !== id) closing = { id, key: randomId() };
    try {
      await desk.closeChat(id, closing.key);
      closing = null;
      location.hash = '#/';
    } catch (problem) {
      await ask({ title: 'That did not work', text: problem.status ? problem.message : 'The server is not answering. Please try again in a moment.', no: 'Close' });
    }
  });

  let searching = null;
  $('query').addEventListener('input', () => {
    clearTimeout(searching);
    searching = setTimeout(() => desk.search($('query').value.trim()), SEARCH_AFTER);
  });
  for (const radio of document.querySelectorAll('input[name=which]')) {
    radio.checked = radio.value === 'open';
    radio.addEventListener('change', () => {
      desk.wantClosed(radio.value === 'closed');
      changed();
    });
  }
  for (const name of ['waiting', 'active', 'closed']) $(`${name}-more`).addEventListener('click', () => desk.showMore(name));

  prepareSettings(owner, desk);

  const route = () => {
    const id = /^#\/chats\/([0-9a-f]+)$/u.exec(location.hash)?.[1] ?? null;
    document.body.classList.toggle('in-talk', id !== null);
    open(id);
  };
  window.addEventListener('hashchange', route);
  show($('door'), false);
  show($('desk'), true);
  route();
  changed();
}

function prepareSettings(owner, desk) {
  const sheet = $('settings');
  setText($('who'), `Signed in as ${owner.email}`);
  setText($('tag'), `<script src="${new URL('../widget.js', import.meta.url).href}" async></script>`);
  $('settings-open').addEventListener('click', () => sheet.showModal());
  for (const radio of sheet.querySelectorAll('input[name=theme]')) {
    radio.checked = radio.value === window.parlanceTheme.get();
    radio.addEventListener('change', () => window.parlanceTheme.set(radio.value));
  }
  for (const button of document.querySelectorAll('[data-close]')) {
    button.addEventListener('click', () => button.closest('dialog').close());
  }
  $('logout').addEventListener('click', async () => {
    desk.close();
    await post('/owner/logout', { token: owner.token }).catch(() => {});
    forgetOwner('You are signed out.');
  });
}

const owner = keptOwner();
if (owner) openDesk(owner);
else openDoor();
