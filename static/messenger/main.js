// Puts the page together: who is signed in, what they see, and the line that keeps it fresh.
import { backoff, createPause, watchConnectivity } from '../shared/backoff.js';
import { scoped } from '../shared/server.js';
import { read, write } from '../shared/storage.js';
import { Account } from './account.js';
import { Refusal, cookiePerson, get } from './api.js';
import { ask } from './ask.js';
import { $, setText, show } from './dom.js';
import { openDoor } from './door.js';
import { Feed } from './feed.js';
import { Line } from './line.js';
import { List } from './list.js';
import { Model } from './model.js';
import { createOutbox } from './outbox.js';
import { prepareSheets } from './sheets.js';
import { Talk } from './talk.js';

const STREAM = scoped('parlance.stream');
const NOTICE = 'parlance.notice';
const STALE = 20_000;
const SEEK_PAGES = 20;

const readChats = async () => (await get('/api/chats?limit=200')).body;

/** Asks until the server answers; a refusal is an answer. */
async function patiently(question) {
  const pause = createPause();
  const nudge = () => pause.nudge();
  const retry = $('boot-retry');
  retry.onclick = nudge;
  const unwatch = watchConnectivity({ offline: () => {}, online: nudge, doubt: nudge });
  try {
    for (let failures = 0; ; failures += 1) {
      try {
        return await question();
      } catch (error) {
        if (error instanceof Refusal && !error.passing) throw error;
        show($('boot'), true);
        setText($('boot-text'), navigator.onLine ? 'The server is not answering. Still trying…' : 'You are offline. Still trying…');
        show(retry, true);
        await pause.wait(backoff(failures, error.retryAfter));
      }
    }
  } finally {
    unwatch();
  }
}

async function boot() {
  if (cookiePerson() === null) {
    greet();
    return;
  }
  try {
    const { body: me } = await patiently(() => get('/api/me'));
    const chats = await patiently(readChats);
    openDesk(me, chats);
  } catch (error) {
    if (!(error instanceof Refusal && error.status === 401)) console.error(error);
    greet();
  }
}

function greet() {
  show($('boot'), false);
  openDoor({ notice: takeNotice(), entered: boot });
}

function takeNotice() {
  const notice = sessionStorage.getItem(NOTICE);
  sessionStorage.removeItem(NOTICE);
  return notice;
}

/** The page begins anew: nothing of one person may be left when the next signs in. */
function leave(notice) {
  sessionStorage.setItem(NOTICE, notice);
  location.reload();
}

/** Set while one signs out on purpose: the line may hear of it before the answer comes. */
let signingOut = false;

const ended = () => signingOut || leave('You were signed out. Please sign in again; nothing you wrote is lost.');

function openDesk(me, snapshot) {
  const model = new Model(me);
  const outbox = createOutbox({
    person: me.id,
    changed: () => model.changed(),
    sent: (chat, message) => model.takeSent(chat, message),
    ended,
    unanswered: () => {
      if (line.state === 'live') feed.test();
    },
  });
  const line = new Line({
    retry: () => {
      feed.test();
      outbox.nudge();
    },
    back: () => {
      outbox.nudge();
      talk.refresh();
      talk.lookedAt();
    },
    changed: () => model.changed(),
  });
  const talk = new Talk({ model, outbox, line: () => line.state, ask });
  const moreChats = async () => {
    const oldest = Math.min(...[...model.chats.values()].map((chat) => Math.floor(chat.active)));
    model.takeMoreChats((await get(`/api/chats?limit=200&before=${oldest}`)).body);
  };
  /** A link may lead to a chat that is further down than what was read of the list. */
  const seek = async (id) => {
    for (let page = 0; page < SEEK_PAGES && model.more && !model.chats.has(id) && talk.chat === id; page += 1) await moreChats();
  };
  const list = new List({ model, outbox, current: () => talk.chat, more: moreChats });

  let readAt = Date.now();
  const refreshChats = async () => {
    model.takeChats(await readChats());
    readAt = Date.now();
    talk.refresh();
    if (talk.chat !== null) await seek(talk.chat);
  };
  // Open chats I am not in tell me nothing: a look at the list is the moment to ask.
  const freshenChats = () => {
    if (Date.now() - readAt > STALE) refreshChats().catch(() => {});
  };

  const feed = new Feed({
    cursor: snapshot.cursor ?? 'now',
    streaming: read(STREAM, false),
    state: (name, until) => line.set(name, until),
    dead: () => {
      outbox.restart();
      talk.peekAgain();
    },
    ended,
    told: async (events, people) => {
      if (cookiePerson() !== String(me.id)) return ended();
      model.meet(people);
      let again = false;
      for (const event of events) {
        again = model.apply(event) === 'chats' || again;
        if (event.type === 'message' && event.message.sender_id === me.id && event.message.client_id) {
          outbox.remove(event.message.client_id);
        }
        talk.overheard(event);
      }
      if (events.length) model.changed();
      if (again) await refreshChats();
      return undefined;
    },
    gone: async (cursor) => {
      await refreshChats();
      return cursor ?? 'now';
    },
  });

  new Account({
    me,
    outbox,
    ask,
    streaming: feed.streaming,
    stream: (wanted) => {
      write(STREAM, wanted || undefined);
      feed.stream(wanted);
    },
    leaving: () => {
      signingOut = true;
      const wake = feed.rest();
      return () => {
        signingOut = false;
        wake();
      };
    },
    left: (notice) => {
      history.replaceState(null, '', '#/');
      leave(notice);
    },
  });

  prepareSheets({
    made: async (id, title) => {
      const known = model.chats.has(id) ? {} : { title, open: true, members_count: 1 };
      model.takeBegun({ id, member: true, ...known });
      location.hash = `#/chats/${id}`;
    },
    find: (title) => {
      const folded = fold(title);
      return [...model.chats.values()].find((chat) => chat.open && fold(chat.title) === folded)?.id ?? null;
    },
  });

  const route = (options) => {
    const match = /^#\/chats\/(\d+)$/.exec(location.hash);
    const id = match ? Number(match[1]) : null;
    const before = talk.chat;
    document.body.classList.toggle('in-talk', id !== null);
    talk.open(id, options);
    if (id !== null && !model.chats.has(id)) seek(id).catch(() => {});
    model.changed();
    if (id === null && before !== null) {
      freshenChats();
      document.querySelector(`a.chat-row[href="#/chats/${before}"]`)?.focus();
    }
  };

  model.onChange(() => {
    list.render();
    talk.render();
    talk.lookedAt();
    renderBlank(model);
    renderTitle(model, talk);
  });

  window.addEventListener('hashchange', () => route());
  watchConnectivity({
    offline: () => feed.offline(),
    online: () => {
      feed.online();
      outbox.restart();
      talk.peekAgain();
    },
    doubt: () => {
      feed.test();
      outbox.restart();
      talk.peekAgain();
      if (document.visibilityState === 'visible') freshenChats();
    },
  });
  $('skip').addEventListener('click', (event) => {
    event.preventDefault();
    talk.chat === null ? $('room').focus() : talk.focus();
  });

  model.takeChats(snapshot);
  show($('boot'), false);
  show($('door'), false);
  show($('desk'), true);
  route({ focus: true });
  feed.start();
  outbox.run();
}

function renderBlank(model) {
  const none = model.chats.size === 0;
  const mine = [...model.chats.values()].some((chat) => chat.member);
  setText($('blank-title'), none ? `Welcome, ${model.me.name}` : mine ? 'Pick a chat' : 'Join in');
  setText(
    $('blank-text'),
    none
      ? 'Nobody has started a chat yet. Give one a title, and everybody here can find it and join.'
      : mine
        ? 'Your chats are on the left. Alt with the up and down arrows steps through them.'
        : 'Look into any chat on the left and join it, or start one of your own.',
  );
}

function renderTitle(model, talk) {
  const unread = model.unread();
  const name = talk.entry ? `${talk.entry.title} · Parlance` : 'Parlance';
  document.title = unread ? `(${unread > 99 ? '99+' : unread}) ${name}` : name;
}

const fold = (title) => title.trim().replace(/\s+/gu, ' ').toLocaleLowerCase();

boot();
