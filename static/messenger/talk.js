// One chat: its messages, its history upwards, its composer.
import { backoff, createPause } from '../shared/backoff.js';
import { Drafts } from '../shared/drafts.js';
import { scoped } from '../shared/server.js';
import { Refusal, get, hedged, post } from './api.js';
import { $, reconcile, sends, setText, show, speak } from './dom.js';
import { messageItems } from './messages.js';
import { inWords } from './refusals.js';
import { LONGEST, bytesOf, measure, plural } from './words.js';

const PAGE = 60;
/** How far back the first unread message is looked for: so many pages of the server's longest. */
const UNREAD_PAGE = 200;
const UNREAD_PAGES = 10;
/** From this share of the longest message on it is said how much room is left. */
const NEARLY = 0.9;
const NEAR = 80;

export class Talk {
  /** `line()` is the state of the line to the server; `ask(question)` asks for a yes. */
  constructor({ model, outbox, line, ask }) {
    Object.assign(this, { model, outbox, line, ask });
    this.chat = null;
    this.divider = null;
    this.atEnd = true;
    this.missed = 0;
    this.fault = null;
    this.peeking = null;
    this.posted = new Map();
    this.drafts = new Drafts(scoped(`parlance.drafts.${model.me.id}`));
    this.scroll = $('scroll');
    this.content = $('content');
    this.listen();
  }

  listen() {
    $('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.send();
    });
    this.content.addEventListener('keydown', (event) => {
      // On a touch keyboard Enter makes a new line, as people there expect.
      if (!sends(event) || matchMedia('(pointer: coarse)').matches) return;
      event.preventDefault();
      this.send();
    });
    this.content.addEventListener('input', () => {
      this.grow();
      this.keepDraft();
      this.weigh();
    });
    this.scroll.addEventListener('scroll', () => this.scrolled(), { passive: true });
    $('earlier-button').addEventListener('click', () => this.earlier());
    $('to-end').addEventListener('click', () => {
      this.toEnd();
      this.content.focus();
    });
    $('join').addEventListener('click', () => this.join());
    $('leave').addEventListener('click', () => this.leave());
    document.addEventListener('visibilitychange', () => this.lookedAt());
    window.addEventListener('focus', () => this.lookedAt());
    new ResizeObserver(() => {
      if (this.atEnd) this.toEnd();
    }).observe(this.scroll);
  }

  get entry() {
    return this.chat === null ? null : (this.model.chats.get(this.chat) ?? null);
  }

  /** Opens a chat, or none. The unread count at this moment decides where the line "New" goes. */
  open(id, { focus = true } = {}) {
    if (this.chat === id) {
      if (focus) this.focus();
      return;
    }
    this.stopPeeking();
    this.chat = id;
    this.divider = null;
    this.fault = null;
    this.missed = 0;
    this.atEnd = true;
    this.placed = false;
    // The messages that came up to this place are what is counted: later ones are none of them.
    this.opening = { unread: this.entry?.unread ?? 0, upTo: this.entry?.active ?? 0 };
    $('messages').replaceChildren();
    this.content.value = id === null ? '' : this.drafts.get(id);
    this.render();
    if (id === null) return;
    this.grow();
    this.weigh();
    const room = this.model.room(id);
    if (!room.ready || room.stale) this.load();
    else this.settle(id);
    if (focus) this.focus();
  }

  focus() {
    // A phone would raise its keyboard over the messages one came to read.
    const target = this.entry?.member && matchMedia('(pointer: fine)').matches ? this.content : $('room-title');
    target.focus({ preventScroll: true });
  }

  /** Reads the newest page again when the one we have may have gaps. */
  refresh() {
    if (this.chat === null) return;
    const room = this.model.room(this.chat);
    if (room.stale || !room.ready) this.load();
  }

  async load() {
    const id = this.chat;
    if (this.loading === id) return;
    this.loading = id;
    this.render();
    try {
      const { body } = await get(`/api/chats/${id}?limit=${PAGE}`);
      this.model.takePage(id, body);
      if (this.chat !== id) return;
      this.fault = null;
      this.peekFrom = body.cursor;
      this.render();
      if (!this.placed) await this.settle(id);
    } catch (error) {
      if (this.chat !== id) return;
      this.fault = error;
      if (error instanceof Refusal && error.status === 404) this.model.rooms.delete(id);
    } finally {
      if (this.loading === id) this.loading = null;
      if (this.chat === id) this.render();
    }
    this.lookedAt();
  }

  /** The first of the messages that were unread at opening; null while what was read so far does not reach back to it. */
  firstUnread(room) {
    const { unread, upTo } = this.opening;
    if (unread === 0) return null;
    const theirs = room.messages.filter((message) => message.id <= upTo && message.sender_id !== this.model.me.id);
    // Whatever else is counted, the chat has no more than this.
    return theirs.at(-unread)?.id ?? (room.more ? null : (theirs[0]?.id ?? null));
  }

  /** First sight of a chat: reads back to the first unread message, within bounds, and shows it. */
  async settle(id) {
    const room = this.model.room(id);
    try {
      for (let page = 0; page < UNREAD_PAGES && room.more && this.opening.unread > 0 && this.firstUnread(room) === null; page += 1) {
        const { body } = await get(`/api/chats/${id}?before=${room.messages[0].id}&limit=${UNREAD_PAGE}`);
        if (this.chat !== id) return;
        this.model.takeEarlier(id, body);
      }
    } catch {
      // Then the chat opens at its end, without the line.
    }
    if (this.chat === id && !this.placed) this.place();
  }

  /** At the first unread message, or else at the end. */
  place() {
    this.placed = true;
    this.divider = this.firstUnread(this.model.room(this.chat));
    this.render();
    this.toEnd();
    const mark = $('messages').querySelector('.divider');
    if (mark && mark.offsetTop < this.scroll.scrollTop) this.scroll.scrollTop = mark.offsetTop - 12;
    this.scrolled();
  }

  async earlier() {
    const id = this.chat;
    const room = this.model.room(id);
    if (!room.more || this.fetching || room.messages.length === 0) return;
    this.fetching = true;
    const button = $('earlier-button');
    setText(button, 'Loading…');
    try {
      const { body } = await get(`/api/chats/${id}?before=${room.messages[0].id}&limit=${PAGE}`);
      if (this.chat !== id) return;
      const height = this.scroll.scrollHeight;
      const top = this.scroll.scrollTop;
      this.model.takeEarlier(id, body);
      this.render();
      // What one was reading stays where it was.
      this.scroll.scrollTop = top + this.scroll.scrollHeight - height;
      speak(plural(body.messages.length, 'earlier message', 'earlier messages'));
    } catch {
      speak('Earlier messages could not be loaded.');
    } finally {
      this.fetching = false;
      setText(button, 'Show earlier messages');
    }
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroll;
    this.atEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    if (this.atEnd) this.missed = 0;
    this.renderToEnd();
    if (scrollTop < NEAR && this.placed) this.earlier();
    this.lookedAt();
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.atEnd = true;
  }

  renderToEnd() {
    show($('to-end'), !this.atEnd && this.chat !== null);
    setText($('to-end-text'), this.missed ? plural(this.missed, 'new message', 'new messages') : 'Newest');
  }

  render() {
    const entry = this.entry;
    show($('talk'), this.chat !== null);
    show($('blank'), this.chat === null);
    if (this.chat === null) return;
    const room = this.model.room(this.chat);
    const missing = this.fault instanceof Refusal && this.fault.status === 404;
    setText($('room-title'), entry?.title ?? (missing ? 'Chat not found' : 'Chat'));
    setText($('room-sub'), entry ? subtitle(entry) : '');
    show($('leave'), Boolean(entry?.member));
    show($('composer'), Boolean(entry?.member) && !missing);
    show($('joining'), Boolean(entry && !entry.member) && !missing);
    show($('earlier'), room.more);
    this.renderBeginning(room, entry, missing);
    const keep = this.atEnd;
    reconcile(
      $('messages'),
      messageItems({
        model: this.model,
        room,
        waiting: this.outbox.of(this.chat),
        divider: this.divider,
        trying: this.line() === 'live' && this.outbox.failures === 0,
        actions: { again: (id) => this.outbox.retry(id), edit: (id) => this.edit(id), remove: (id) => this.outbox.remove(id) },
      }),
    );
    if (keep) this.toEnd();
    this.renderToEnd();
    this.peek();
  }

  renderBeginning(room, entry, missing) {
    let text = '';
    if (missing) text = 'This chat is not here any more, or never was.';
    else if (!room.ready && this.fault) text = 'The messages cannot be loaded just now. They will come as soon as the server answers.';
    else if (!room.ready) text = 'Loading messages…';
    else if (room.messages.length === 0 && this.outbox.of(this.chat).length === 0) {
      text = entry?.member ? 'Nothing said yet. Write the first message below.' : 'Nothing said yet. Join to be the first.';
    } else if (!room.more) text = 'This is where the chat begins.';
    setText($('beginning'), text);
    show($('beginning'), text !== '');
    $('beginning').classList.toggle('large', room.messages.length === 0);
  }

  /** Called with each event as it is applied: counts and says what arrives while one reads elsewhere. */
  overheard(event) {
    if (event.type !== 'message' || event.message.sender_id === this.model.me.id) return;
    const name = this.model.name(event.message.sender_id);
    if (event.chat_id === this.chat) {
      if (!this.atEnd) this.missed += 1;
      speak(`${name}: ${event.message.content}`);
    } else {
      const title = this.model.chats.get(event.chat_id)?.title;
      if (title) speak(`New message from ${name} in ${title}`);
    }
  }

  send() {
    const content = this.content.value;
    if (content.trim() === '' || this.chat === null) {
      this.content.focus();
      return;
    }
    if (bytesOf(content) > LONGEST) {
      this.weigh();
      return;
    }
    this.divider = null;
    this.outbox.add(this.chat, content);
    this.content.value = '';
    this.keepDraft();
    this.grow();
    this.weigh();
    this.toEnd();
    this.content.focus();
  }

  /** Takes what was refused back into the composer, before what is written there already. */
  edit(clientId) {
    const entry = this.outbox.of(this.chat).find((each) => each.client_id === clientId);
    if (!entry) return;
    this.content.value = [entry.content, this.content.value].filter((text) => text.trim()).join('\n');
    this.keepDraft();
    this.outbox.remove(clientId);
    this.grow();
    this.weigh();
    this.content.focus();
  }

  keepDraft() {
    this.drafts.set(this.chat, this.content.value);
  }

  grow() {
    this.content.rows = 1;
    const line = parseFloat(getComputedStyle(this.content).lineHeight) || 22;
    const padding = parseFloat(getComputedStyle(this.content).paddingTop) * 2 || 0;
    this.content.rows = Math.max(1, Math.min(8, Math.round((this.content.scrollHeight - padding) / line)));
    if (this.atEnd) this.toEnd();
  }

  /** A message may be long, not endless: says so before the server has to. */
  weigh() {
    const text = this.content.value;
    const { over, left } = text.length * 3 < LONGEST * NEARLY ? { over: 0, left: Infinity } : measure(text);
    const note = $('composer-note');
    const nearly = over === 0 && bytesOf(text) > LONGEST * NEARLY;
    if (over > 0) setText(note, `Too long by ${plural(over, 'character', 'characters')}. Please shorten it, or send it in two.`);
    else setText(note, nearly ? `Room for ${plural(left, 'more character', 'more characters')}.` : '');
    note.classList.toggle('calm', nearly);
    if (over > 0) this.content.setAttribute('aria-invalid', 'true');
    else this.content.removeAttribute('aria-invalid');
  }

  /** Tells the server how far I have read, when the newest message is really before my eyes. */
  lookedAt() {
    const id = this.chat;
    const entry = this.entry;
    if (!entry?.member || !this.placed || !this.atEnd || document.visibilityState !== 'visible' || !document.hasFocus()) return;
    const room = this.model.room(id);
    const newest = room.messages.at(-1)?.id;
    if (!room.ready || !newest || newest <= (this.posted.get(id) ?? 0)) return;
    const unread = entry.unread > 0;
    this.posted.set(id, newest);
    entry.unread = 0;
    this.model.markRead(id, newest);
    // My own words are read by nature: no need to tell.
    if (!unread && room.messages.at(-1).sender_id === this.model.me.id) return;
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      this.told = this.tellRead(id, newest);
    }, 250);
  }

  async tellRead(id, upTo) {
    // Who has left meanwhile has nothing to tell.
    if (!this.model.chats.get(id)?.member) return;
    try {
      await post(`/api/chats/${id}/read`, { up_to: upTo });
    } catch {
      // Not told: the next look tells it, with whatever came since.
      if (this.posted.get(id) === upTo) this.posted.delete(id);
    }
  }

  async join() {
    const id = this.chat;
    await this.act('join', $('join'), () => {
      this.model.takeChat({ id, member: true });
      this.model.room(id).stale = true;
      this.load();
      this.render();
      this.focus();
    });
  }

  async leave() {
    const id = this.chat;
    const entry = this.entry;
    const text = entry.open
      ? 'It leaves your list. Since it is open to everyone, you can join again at any time.'
      : 'It leaves your list, and only somebody inside can bring you back.';
    const sure = await this.ask({ title: `Leave “${entry.title}”?`, text, yes: 'Leave' });
    if (!sure) return;
    // A read mark that is told after leaving would be refused.
    clearTimeout(this.telling);
    await this.told;
    await this.act('leave', $('leave'), () => {
      this.model.takeChat({ id, member: false, unread: 0 });
      if (!entry.open) this.model.chats.delete(id);
      location.hash = '#/';
    });
  }

  async act(verb, button, done) {
    if (button.getAttribute('aria-disabled') === 'true') return;
    button.setAttribute('aria-disabled', 'true');
    try {
      await post(`/api/chats/${this.chat}/${verb}`);
      done();
    } catch (error) {
      await this.ask({ title: 'That did not work', text: inWords(error), no: 'Close' });
    } finally {
      button.removeAttribute('aria-disabled');
    }
  }

  /** A chat I only look into sends me no events: wait on the chat itself for as long as I look. */
  peek() {
    const entry = this.entry;
    const room = this.chat === null ? null : this.model.room(this.chat);
    const wanted = entry && !entry.member && room.ready && this.peekFrom && !this.fault;
    if (!wanted) this.stopPeeking();
    else if (this.peeking?.chat !== this.chat) this.startPeeking(this.chat);
  }

  stopPeeking() {
    const peeking = this.peeking;
    this.peeking = null;
    peeking?.breaker?.abort();
    peeking?.pause.nudge();
  }

  /** Asks anew on the chat one looks into: the request that is held may be on a dead connection. */
  peekAgain() {
    if (!this.peeking) return;
    this.peeking.inDoubt = true;
    this.peeking.breaker?.abort();
    this.peeking.pause.nudge();
  }

  async startPeeking(chat) {
    this.stopPeeking();
    const peeking = { chat, breaker: null, pause: createPause(), inDoubt: false };
    this.peeking = peeking;
    let after = this.peekFrom;
    let failures = 0;
    while (this.peeking === peeking) {
      peeking.breaker = new AbortController();
      let wait = document.visibilityState === 'visible' ? 0 : 5_000;
      try {
        const { inDoubt } = peeking;
        const hold = wait || inDoubt ? 0 : 25;
        const query = `after=${encodeURIComponent(after)}&timeout=${hold}`;
        const request = (signal) => get(`/api/chats/${chat}?${query}`, { signal, timeout: 8_000 + hold * 1000 });
        const { body } = await (inDoubt ? hedged(request, peeking.breaker.signal) : request(peeking.breaker.signal));
        peeking.inDoubt = false;
        failures = 0;
        after = body.cursor ?? after;
        if (body.messages?.length) this.model.takeLater(chat, body);
        wait = body.more ? 0 : Math.max(wait, body.retry_ms ?? 0);
      } catch (error) {
        if (this.peeking !== peeking) return;
        if (peeking.breaker.signal.aborted) continue;
        if (error instanceof Refusal && [401, 404].includes(error.status)) return;
        if (error instanceof Refusal && error.status === 410) {
          this.peeking = null;
          this.load();
          return;
        }
        wait = backoff(failures, error.retryAfter);
        failures += 1;
      }
      if (wait) await peeking.pause.wait(wait);
    }
  }
}

function subtitle(entry) {
  const kind = entry.open ? 'Open to everyone' : 'Private';
  if (typeof entry.members_count !== 'number') return kind;
  return `${plural(entry.members_count, 'member', 'members')} · ${kind}`;
}
