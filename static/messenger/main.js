// Puts the page together: who is signed in, what they see, and the feed that keeps it fresh.
import { ApiError, cookiePerson, get } from '../shared/api.js';
import { backoff, createPause, watchConnectivity } from '../shared/backoff.js';
import { ConnectionStatus } from '../shared/connection-status.js';
import { $, setText, show } from '../shared/dom.js';
import { scoped } from '../shared/server.js';
import { read, write } from '../shared/storage.js';
import { Account } from './account.js';
import { showBadge } from './badge.js';
import { ChatList } from './chat-list.js';
import { ChatMenu } from './chat-menu.js';
import { ChatView } from './chat-view.js';
import { ChatDetails } from './chat-details.js';
import { NewChat, wireDialogs } from './dialogs.js';
import { showPhotos } from './face.js';
import { DraftsList } from './drafts-list.js';
import { Feed } from './feed.js';
import { toList, wireFinding } from './finding.js';
import { wireKeys } from './keys.js';
import { Levels } from './levels.js';
import { Members } from './members.js';
import { Model } from './model.js';
import { Notifications } from './notifications.js';
import { keepPage, showWaiting } from './offline.js';
import { createOutbox } from './outbox.js';
import { PersonCard } from './person-card.js';
import { closeOverlays, followAddress } from './overlays.js';
import { placeIn } from './places.js';
import { PresenceReader } from './presence-reader.js';
import { Search } from './search.js';
import { KNOWN, openSignIn } from './sign-in.js';

const STREAM = scoped('parlance.stream');
const NOTICE = 'parlance.notice';
const STALE = 20_000;
const SEEK_PAGES = 20;

const readChats = async () => (await get('/api/chats?limit=200')).body;

/**
 * Asks until the server answers; a refusal is an answer.
 * @template T
 * @param {() => Promise<T>} request
 */
async function untilAnswered(request) {
  const pause = createPause();
  const nudge = () => pause.nudge();
  const retry = $('boot-retry');
  retry.onclick = nudge;
  const unwatch = watchConnectivity({ offline: () => {}, online: nudge, doubt: nudge });
  try {
    for (let failures = 0; ; failures += 1) {
      try {
        return await request();
      } catch (error) {
        if (error instanceof ApiError && !error.passing) throw error;
        show($('boot'), true);
        setText($('boot-text'), navigator.onLine ? 'The server is not answering. Still trying…' : 'You are offline. Still trying…');
        show(retry, true);
        showWaiting();
        await pause.wait(backoff(failures, error instanceof ApiError ? error.retryAfter : null));
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
    const { body: me } = await untilAnswered(() => get('/api/me'));
    const chats = await untilAnswered(readChats);
    openApp(me, chats);
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) console.error(error);
    greet();
  }
}

function greet() {
  show($('boot'), false);
  openSignIn({ notice: takeNotice(), entered: boot });
}

function takeNotice() {
  const notice = sessionStorage.getItem(NOTICE);
  sessionStorage.removeItem(NOTICE);
  return notice;
}

/**
 * The page begins anew: nothing of one person may be left when the next signs in.
 * @param {string} notice
 */
function leave(notice) {
  sessionStorage.setItem(NOTICE, notice);
  location.reload();
}

/** Set while one signs out on purpose: the feed may learn of it before the answer comes. */
let signingOut = false;

const ended = () => signingOut || leave('You were signed out. Please sign in again; nothing you wrote is lost.');

/**
 * @param {import('./model.js').Me} me
 * @param {import('./model.js').ChatPage} snapshot
 */
function openApp(me, snapshot) {
  write(KNOWN, true);
  showPhotos(Boolean(me.external_photos));
  const model = new Model(me);
  const levels = new Levels(me.id, () => model.changed());
  const outbox = createOutbox({
    person: me.id,
    changed: () => model.changed(),
    sent: (chat, message) => model.takeSent(chat, message),
    ended,
    unanswered: () => {
      if (status.state === 'live') feed.probe();
    },
  });
  const status = new ConnectionStatus({
    retry: () => {
      feed.probe();
      outbox.nudge();
    },
    back: () => {
      outbox.nudge();
      presence.readAgain();
      view.refresh();
      view.markReadIfSeen();
    },
    changed: () => model.changed(),
  });
  const members = new Members(model);
  const search = new Search({ model });
  const card = new PersonCard({
    model,
    seek: (id) => {
      closeOverlays();
      toList().then(() => search.setFrom(id));
    },
    opened: () => view.composer.focus(),
  });
  const person = (/** @type {number} */ id, /** @type {HTMLElement} */ beside) => {
    card.open(id, beside);
  };
  const view = new ChatView({
    model,
    outbox,
    members,
    connection: () => status.state,
    person,
    joined: () => refreshChats().catch(() => {}),
    wordsIn: (message) => search.wordsIn(message),
  });
  const presence = new PresenceReader(model, () => view.chat);
  const details = new ChatDetails({ model, members, person, leave: (id) => view.leave(id) });
  $('details-open').addEventListener('click', () => view.chat !== null && details.open(view.chat));
  const moreChats = async () => {
    const oldest = Math.min(...[...model.chats.values()].map((chat) => Math.floor(chat.active)));
    await model.taking(
      () => get(`/api/chats?limit=200&before=${oldest}`),
      ({ body }) => model.takeMoreChats(body),
    );
  };
  /**
   * A link may lead to a chat that is further down than what was read of the list.
   * @param {number} id
   */
  const seek = async (id) => {
    for (let page = 0; page < SEEK_PAGES && model.more && !model.chats.has(id) && view.chat === id; page += 1) await moreChats();
  };
  const { drafts } = view.composer;
  const list = new ChatList({ model, outbox, search, current: () => view.chat, draft: (id) => drafts.get(id), more: moreChats });
  new ChatMenu({ model, readAll: (id) => view.readMarks.readAll(id) });
  new DraftsList({ model, drafts, current: () => view.chat });
  wireFinding({
    search,
    found: () => {
      list.showAll();
      view.focus();
    },
    given: () => view.focus(),
  });
  $('search-here').addEventListener('click', () => {
    const { chat } = view;
    toList().then(() => search.setScope(chat));
  });

  let readAt = Date.now();
  const refreshChats = async () => {
    await model.taking(readChats, (answer) => model.takeChats(answer));
    readAt = Date.now();
    view.refresh();
    if (view.chat !== null) await seek(view.chat);
  };
  // Open chats I am not in tell me nothing: a look at the list is the moment to ask.
  const freshenChats = () => {
    if (Date.now() - readAt > STALE) refreshChats().catch(() => {});
  };

  const feed = new Feed({
    cursor: snapshot.cursor ?? 'now',
    streaming: read(STREAM, false),
    state: (name, until) => status.set(name, until),
    dead: () => {
      outbox.restart();
      view.restartPoll();
    },
    ended,
    apply: async (events, people) => {
      if (cookiePerson() !== String(me.id)) return ended();
      model.addPeople(people);
      let again = false;
      for (const event of events) {
        again = model.apply(event) === 'chats' || again;
        if (event.type === 'message' && event.message.sender_id === me.id && event.message.client_id) {
          outbox.remove(event.message.client_id);
        }
        view.announce(event);
        notifications.heard(event);
      }
      if (events.length) model.changed();
      if (again) await refreshChats();
      return undefined;
    },
    reload: async (cursor) => {
      const { body } = await get('/api/me');
      await model.taking(readChats, (answer) => {
        model.forget();
        model.takeChats(answer);
        model.applyPerson(body);
      });
      readAt = Date.now();
      view.startAnew();
      presence.readAgain();
      if (view.chat !== null) await seek(view.chat);
      return cursor ?? 'now';
    },
  });

  const notifications = new Notifications({
    model,
    levels,
    isReading: (chat) => view.isReading(chat),
    isForemost: () => feed.isForemost,
  });

  new Account({
    model,
    notifications,
    levels,
    outbox,
    streaming: feed.streaming,
    stream: (wanted) => {
      write(STREAM, wanted || undefined);
      feed.stream(wanted);
    },
    leaving: () => {
      signingOut = true;
      const resume = feed.suspend();
      return () => {
        signingOut = false;
        resume();
      };
    },
    left: (notice) => {
      history.replaceState(null, '', '#/');
      leave(notice);
    },
  });

  wireDialogs();
  wireKeys();
  new NewChat({
    model,
    written: () => view.composer.focus(),
    made: (id, title, open) => {
      const known = model.chats.has(id) ? {} : { title, open, members_count: 1, role: /** @type {const} */ ('admin') };
      model.takeBegun({ id, member: true, ...known });
      location.hash = `#/chats/${id}`;
    },
    find: (title) => {
      const folded = fold(title);
      return [...model.chats.values()].find((chat) => chat.open && fold(chat.title) === folded)?.id ?? null;
    },
  });

  const route = (/** @type {{focus?: boolean}} */ options = {}) => {
    const { chat: id, message } = placeIn(location.hash) ?? { chat: null, message: null };
    const before = view.chat;
    document.body.classList.toggle('in-chat', id !== null);
    view.open(id, { ...options, message });
    // The place is of this moment: a later visit opens the chat as always.
    if (message !== null) history.replaceState(null, '', `#/chats/${id}`);
    if (id !== null) search.left(id);
    if (id !== null && !model.chats.has(id)) seek(id).catch(() => {});
    // Nobody sees the list, or gets into it with the focus, as it was when it was hidden.
    model.tell();
    if (id === null && before !== null) {
      list.comeBack(before);
      freshenChats();
    } else if (id === null && options.focus) list.enter();
  };

  model.onChange(() => {
    list.render();
    view.render();
    view.markReadIfSeen();
    renderBlank(model);
    renderTitle(model, view, levels);
  });

  followAddress(() => route());
  watchConnectivity({
    offline: () => feed.offline(),
    online: () => {
      feed.online();
      outbox.restart();
      view.restartPoll();
    },
    doubt: () => {
      feed.probe();
      outbox.restart();
      view.restartPoll();
      if (document.visibilityState === 'visible') freshenChats();
    },
  });
  $('skip').addEventListener('click', (event) => {
    event.preventDefault();
    if (view.chat === null) $('room').focus();
    else view.focus();
  });

  model.takeChats(snapshot);
  show($('boot'), false);
  show($('entry'), false);
  show($('app'), true);
  route({ focus: true });
  feed.start();
  outbox.run();
  keepPage();
}

/** @param {Model} model */
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

/**
 * @param {Model} model
 * @param {ChatView} view
 * @param {Levels} levels
 */
function renderTitle(model, view, levels) {
  let calling = 0;
  let elsewhere = 0;
  for (const chat of model.chats.values()) {
    calling += levels.count(chat);
    if (chat.id !== view.chat && levels.count(chat) > 0) elsewhere += 1;
  }
  // On a phone the list is not beside the chat.
  $('back').classList.toggle('calling', elsewhere > 0);
  $('back').setAttribute('aria-label', elsewhere > 0 ? `Back to chats, ${elsewhere} with something new` : 'Back to chats');
  showBadge(calling, view.entry ? `${view.entry.title} · Parlance` : 'Parlance');
}

/** @param {string} title */
const fold = (title) => title.trim().replace(/\s+/gu, ' ').toLocaleLowerCase();

boot();
