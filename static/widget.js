// The guest's chat on any site, by one script tag:
//
//   <script src="https://chat.example/widget.js" async></script>
//
// Attributes, all optional: data-server (where Parlance is; else where this file came from), data-domain (else the
// page's host), data-color, data-side ("left" or "right"), and the words: data-label, data-title, data-greeting,
// data-name-label, data-email-label, data-message-label, data-start, data-thanks, data-away.
(() => {
  'use strict';

  const tag = document.currentScript;
  if (!tag || globalThis.ParlanceWidget) return;
  globalThis.ParlanceWidget = {};

  const server = (tag.dataset.server || new URL(tag.src).origin).replace(/\/+$/u, '');
  const domain = (tag.dataset.domain || location.hostname).toLowerCase();
  const KEY = `parlance.guest ${server} ${domain}`;
  const TYPING_EVERY = 2_500;
  const TYPING_LASTS = 6_000;
  const PAGE = 500;

  const words = {
    label: 'Chat with us',
    title: 'Chat with us',
    greeting: 'Hello! Tell us how we can help, and we answer right here.',
    nameLabel: 'Your name',
    emailLabel: 'Your e-mail',
    messageLabel: 'Your message',
    start: 'Start chat',
    thanks: 'Thank you. We have your message and answer right here; you may look around meanwhile.',
    away: 'Connecting… What you write is kept and goes out as soon as possible.',
  };
  for (const name of Object.keys(words)) if (tag.dataset[name]) words[name] = tag.dataset[name];

  // ---- What is kept: who the guest is, and what is not yet sent ----

  let memory = {};
  function recall() {
    try {
      memory = JSON.parse(localStorage.getItem(KEY)) ?? memory;
    } catch {
      // Storage may be forbidden; then the chat lasts as long as the page.
    }
    return { guest: null, outbox: [], seen: null, open: false, ...memory };
  }
  function keep(change) {
    memory = { ...recall(), ...change };
    try {
      localStorage.setItem(KEY, JSON.stringify(memory));
    } catch {
      // As above.
    }
  }

  // ---- The look ----

  const STYLE = `
    :host { all: initial; }
    * { box-sizing: border-box; }
    [hidden] { display: none !important; }
    .frame {
      --accent: #24695a; --accent-ink: #fff; --paper: #f7f5f1; --surface: #fff; --ink: #1f2328; --muted: #5c626b; --line: #d9d4ca; --edge: #8d8a83; --bad: #a8322a;
      position: fixed; z-index: 2147483000; bottom: calc(20px + env(safe-area-inset-bottom)); right: 20px;
      font: 400 15px/1.45 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; color: var(--ink); text-align: start;
    }
    .frame.left { right: auto; left: 20px; }
    @media (prefers-color-scheme: dark) {
      .frame { --paper: #131518; --surface: #1d2025; --ink: #e7e8ea; --muted: #a0a6b0; --line: #33373f; --edge: #747b87; --bad: #f3958b; }
    }
    button, input, textarea { font: inherit; color: inherit; }
    button { cursor: pointer; }
    :focus { outline: none; }
    :focus-visible { outline: 2px solid #2b6fd6; outline-offset: 2px; }
    svg { width: 24px; height: 24px; display: block; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    .opener {
      display: flex; align-items: center; gap: 10px; min-height: 54px; padding: 0 22px 0 18px; border: 0; border-radius: 27px;
      background: var(--accent); color: var(--accent-ink); font-weight: 600; box-shadow: 0 4px 18px rgb(0 0 0 / 22%);
    }
    .badge { min-width: 22px; padding: 0 6px; border-radius: 11px; background: var(--accent-ink); color: var(--accent); font-size: 13px; line-height: 22px; text-align: center; }
    .panel {
      display: flex; flex-direction: column; width: min(370px, calc(100vw - 24px)); height: min(560px, calc(100dvh - 40px));
      border: 1px solid var(--line); border-radius: 18px; overflow: hidden; background: var(--paper); box-shadow: 0 10px 40px rgb(0 0 0 / 25%);
    }
    header { display: flex; align-items: center; gap: 8px; padding: 10px 8px 10px 18px; background: var(--accent); color: var(--accent-ink); }
    h2 { flex: 1; margin: 0; font-size: 16px; font-weight: 650; overflow-wrap: anywhere; }
    .close { display: grid; place-items: center; width: 42px; height: 42px; border: 0; border-radius: 10px; background: transparent; color: inherit; }
    .close:focus-visible { outline-color: currentColor; outline-offset: -3px; }
    .note { margin: 0; padding: 8px 18px; background: var(--surface); border-bottom: 1px solid var(--line); color: var(--muted); font-size: 13px; }
    .scroll { flex: 1; min-height: 0; overflow-y: auto; padding: 16px 14px 8px; display: flex; flex-direction: column; overscroll-behavior: contain; }
    .greeting { margin: 0 0 12px; padding: 10px 14px; border-radius: 15px 15px 15px 5px; border: 1px solid var(--line); background: var(--surface); max-width: 85%; overflow-wrap: anywhere; }
    ol { margin: auto 0 0; padding: 0; list-style: none; display: flex; flex-direction: column; gap: 4px; }
    li { max-width: 85%; align-self: flex-start; overflow-wrap: anywhere; }
    li.mine { align-self: flex-end; text-align: end; }
    .bubble { display: inline-block; padding: 8px 13px; border-radius: 15px 15px 15px 5px; border: 1px solid var(--line); background: var(--surface); white-space: pre-wrap; text-align: start; }
    .mine .bubble { border-radius: 15px 15px 5px 15px; border-color: var(--accent); background: var(--accent); color: var(--accent-ink); }
    .pending .bubble { background: transparent; color: var(--ink); border-style: dashed; }
    .failed .bubble { background: transparent; color: var(--ink); border-color: var(--bad); }
    .meta { padding: 2px 4px 6px; color: var(--muted); font-size: 12px; }
    .failed .meta { color: var(--bad); }
    .link { padding: 2px 4px; border: 0; background: none; color: inherit; text-decoration: underline; }
    .typing { min-height: 22px; padding: 0 18px; color: var(--muted); font-size: 13px; }
    form { display: grid; gap: 10px; padding: 12px 14px 14px; border-top: 1px solid var(--line); background: var(--surface); }
    .hello { border-top: 0; background: transparent; padding: 0; }
    .field { display: grid; gap: 4px; font-size: 14px; }
    input, textarea { width: 100%; padding: 9px 12px; border: 1px solid var(--edge); border-radius: 11px; background: var(--surface); font-size: 16px; resize: none; }
    input:focus-visible, textarea:focus-visible { outline-offset: -1px; }
    [aria-invalid="true"] { border-color: var(--bad); }
    .error { margin: 0; color: var(--bad); font-size: 14px; }
    .go { min-height: 44px; border: 0; border-radius: 11px; background: var(--accent); color: var(--accent-ink); font-weight: 600; }
    .write { display: flex; align-items: flex-end; gap: 8px; }
    .write textarea { flex: 1; min-height: 44px; border-radius: 22px; padding: 10px 16px; line-height: 22px; }
    .send { flex: none; display: grid; place-items: center; width: 44px; height: 44px; padding: 0; border: 0; border-radius: 50%; background: var(--accent); color: var(--accent-ink); }
    .sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    @media (max-width: 480px) {
      .frame.open { inset: 0; }
      .frame.open .panel { width: 100%; height: 100%; border: 0; border-radius: 0; }
      .opener .words { display: none; }
      .opener { padding: 0 15px; }
    }
  `;

  const SVG = 'http://www.w3.org/2000/svg';
  function drawing(path) {
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('aria-hidden', 'true');
    const line = document.createElementNS(SVG, 'path');
    line.setAttribute('d', path);
    svg.append(line);
    return svg;
  }
  function h(name, properties = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (value === null || value === undefined || value === false) continue;
      if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
      else element.setAttribute(key, value === true ? '' : value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
  }

  const badge = h('span', { class: 'badge', hidden: true });
  const opener = h(
    'button',
    { class: 'opener', type: 'button', 'aria-expanded': 'false', 'aria-label': words.label, onclick: () => open(true) },
    drawing('M5 5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-8l-5 4v-4H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z'),
    h('span', { class: 'words' }, words.label),
    badge,
  );
  const note = h('p', { class: 'note', role: 'status', hidden: true });
  const greeting = h('p', { class: 'greeting' }, words.greeting);
  const list = h('ol', { 'aria-label': 'Messages' });
  const typing = h('div', { class: 'typing', role: 'status' });
  const error = h('p', { class: 'error', role: 'alert', hidden: true });
  const field = (label, input) => h('label', { class: 'field' }, label, input);
  const nameInput = h('input', { name: 'name', autocomplete: 'name', required: true, maxlength: '64' });
  const emailInput = h('input', { name: 'email', type: 'email', autocomplete: 'email', required: true });
  const firstInput = h('textarea', { name: 'message', rows: '3', required: true, dir: 'auto' });
  const hello = h(
    'form',
    { class: 'hello', novalidate: true, onsubmit: begin },
    field(words.nameLabel, nameInput),
    field(words.emailLabel, emailInput),
    field(words.messageLabel, firstInput),
    error,
    h('button', { class: 'go', type: 'submit' }, words.start),
  );
  const scroll = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': words.title }, greeting, hello, list);
  const text = h('textarea', { rows: '1', dir: 'auto', placeholder: words.messageLabel, 'aria-label': words.messageLabel });
  const write = h(
    'form',
    { class: 'write', onsubmit: submit },
    text,
    h('button', { class: 'send', type: 'submit', 'aria-label': 'Send' }, drawing('M5 12h13M12 5l7 7-7 7')),
  );
  const spoken = h('div', { class: 'sr', 'aria-live': 'polite' });
  const panel = h(
    'section',
    { class: 'panel', role: 'dialog', 'aria-label': words.title, hidden: true },
    h('header', {}, h('h2', {}, words.title), h('button', { class: 'close', type: 'button', 'aria-label': 'Close', onclick: () => open(false) }, drawing('M6 6l12 12M18 6L6 18'))),
    note,
    scroll,
    typing,
    write,
  );
  const frame = h('div', { class: 'frame' }, opener, panel, spoken);
  if (tag.dataset.side === 'left') frame.classList.add('left');
  if (tag.dataset.color && CSS.supports('color', tag.dataset.color)) {
    frame.style.setProperty('--accent', tag.dataset.color);
  }

  const host = h('parlance-widget');
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  root.append(frame);

  // ---- The chat ----

  let socket = null;
  let messages = [];
  let connected = false;
  let ready = false;
  let sending = false;
  let alarm = null;
  let typingEnds = null;
  let settling = null;
  let lastTold = 0;
  let openNow = false;

  const guest = () => recall().guest;

  function open(wanted) {
    openNow = wanted;
    frame.classList.toggle('open', wanted);
    panel.hidden = !wanted;
    opener.hidden = wanted;
    opener.setAttribute('aria-expanded', String(wanted));
    keep({ open: wanted });
    if (wanted) {
      connect();
      render();
      scroll.scrollTop = scroll.scrollHeight;
      (begun() ? text : nameInput).focus();
      see();
    } else {
      opener.focus();
    }
  }

  /** A guest has begun once they gave their name, even when the server has not heard of it yet. */
  const begun = () => Boolean(guest());

  function connect() {
    if (socket || !globalThis.ParlanceSocket) return;
    socket = globalThis.ParlanceSocket.connect(server);
    socket.on('connect', async ({ recovered }) => {
      connected = true;
      clearTimeout(alarm);
      alarm = null;
      if (recovered && ready) settle();
      else await enter();
      render();
      drain();
    });
    socket.on('disconnect', () => {
      connected = false;
    });
    socket.on('waiting', () => {
      alarm ??= setTimeout(render, 1500);
    });
    socket.on('newMessage', pushed);
    socket.on('typing', ({ chatId, from, typing: on } = {}) => {
      const me = guest();
      if (me && plain(chatId) === me.chatId && from !== me.guestId) showTyping(on !== false);
    });
  }

  /** Chat ids come as text or as `{_id}`. */
  const plain = (id) => String(id?._id ?? id);

  /** Asks the server; a refusal is thrown with its status. */
  async function ask(event, argument) {
    const reply = await socket.ask(event, argument);
    if (reply?.statusCode && reply.statusCode >= 400) {
      throw Object.assign(new Error(typeof reply.data === 'string' ? reply.data : 'That did not work.'), { status: reply.statusCode });
    }
    return reply;
  }

  /** Makes the server know this guest, and reads what was said. */
  async function enter() {
    const me = guest();
    if (!me) return;
    try {
      if (!me.guestToken) await introduce(me);
      else await load(me);
    } catch (problem) {
      if (problem.status === 401 || problem.status === 404) {
        // The token has run out: the same person, a new chat.
        keep({ guest: { name: me.name, email: me.email } });
        messages = [];
        await introduce(guest()).catch(refused);
      } else if (problem.status) {
        refused(problem);
      }
    }
  }

  async function introduce({ name, email }) {
    const { guestToken, chatId, guestId } = await ask('getNewChat', { name, email, domain });
    keep({ guest: { name, email, guestToken, chatId: plain(chatId), guestId } });
    await load(guest());
  }

  function refused(problem) {
    if (!problem.status) return;
    keep({ guest: null });
    error.textContent = problem.message;
    error.hidden = false;
    const [waiting] = recall().outbox;
    if (waiting) {
      firstInput.value = waiting.message;
      keep({ outbox: [] });
    }
    render();
  }

  async function load(me) {
    await readFrom(me, 0);
    ready = true;
    render();
    see();
  }

  /** Reads the chat from its message number `start` on, and keeps what was pushed meanwhile. */
  async function readFrom({ chatId, guestToken }, start) {
    const all = [];
    for (;;) {
      const { data } = await ask('getChatMessages', { chatId, token: guestToken, limit: PAGE, skip: start + all.length });
      all.push(...data.map(({ from, message, _id, time }) => ({ from, message, id: _id, time })));
      if (data.length < PAGE) break;
    }
    const last = all.at(-1)?.id ?? '';
    const later = messages.slice(start).filter((message) => message.id > last);
    messages.splice(start, Infinity, ...all, ...later);
  }

  /** The answer to a message may not tell its id and place: then the end of the chat is read again, once for several. */
  function settle() {
    clearTimeout(settling);
    settling = setTimeout(async () => {
      const start = messages.findIndex((message) => !message.id);
      if (start < 0 || !connected) return;
      await readFrom(guest(), start).catch(() => {});
      render();
      see();
    }, 150);
  }

  function pushed(push) {
    const me = guest();
    if (!me || !push || push.statusCode || plain(push.chatId) !== me.chatId) return;
    const { message, from } = push.message;
    if (push._id && messages.some((each) => each.id === push._id)) return;
    messages.push({ from, message, id: push._id, time: push.time });
    if (from !== me.guestId) {
      showTyping(false);
      spoken.textContent = message;
    }
    render();
    see();
  }

  function begin(event) {
    event.preventDefault();
    const wrong = [nameInput, emailInput, firstInput].find((input) => !input.checkValidity() || input.value.trim() === '');
    for (const input of [nameInput, emailInput, firstInput]) input.removeAttribute('aria-invalid');
    error.hidden = !wrong;
    if (wrong) {
      error.textContent = wrong === emailInput && emailInput.value ? 'That does not look like an e-mail address.' : 'Please fill in all three.';
      wrong.setAttribute('aria-invalid', 'true');
      wrong.focus();
      return;
    }
    keep({ guest: { name: nameInput.value.trim(), email: emailInput.value.trim() } });
    queue(firstInput.value);
    firstInput.value = '';
    render();
    text.focus();
    if (connected) enter().then(drain);
  }

  function submit(event) {
    event.preventDefault();
    if (text.value.trim() === '') return;
    queue(text.value);
    text.value = '';
    tellTyping(false);
    text.focus();
    drain();
  }

  /** Kept first, sent second: a message outlives the page it was written on. */
  function queue(message) {
    const id = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('');
    keep({ outbox: [...recall().outbox, { client_id: id, message }] });
    render();
    scroll.scrollTop = scroll.scrollHeight;
  }

  async function drain() {
    if (sending) return;
    sending = true;
    try {
      for (;;) {
        const me = guest();
        const next = recall().outbox.find((entry) => !entry.refused);
        if (!next || !me?.guestToken || !connected) break;
        const repeated = Boolean(next.tried);
        try {
          keep({ outbox: recall().outbox.map((entry) => (entry.client_id === next.client_id ? { ...entry, tried: true } : entry)) });
          const reply = await ask('newMessage', { chatId: me.chatId, token: me.guestToken, message: next.message, client_id: next.client_id });
          unqueue(next.client_id);
          const id = reply.data?._id ?? reply._id;
          if (!id && repeated) {
            // The first attempt may have arrived: only the server knows where it stands.
            await load(me);
          } else if (!id || !messages.some((each) => each.id === id)) {
            messages.push({ from: me.guestId, message: next.message, id, time: reply.data?.time ?? new Date().toISOString() });
            if (!id) settle();
          }
          render();
        } catch (problem) {
          if (problem.status === 401) {
            await enter();
          } else if (problem.status === 429 || problem.status >= 500) {
            setTimeout(drain, 3000 + Math.random() * 2000);
            break;
          } else if (problem.status) {
            keep({ outbox: recall().outbox.map((entry) => (entry.client_id === next.client_id ? { ...entry, refused: problem.message } : entry)) });
            render();
          } else {
            // The connection broke. The same client_id makes the next attempt harmless.
            if (connected) setTimeout(drain, 1000);
            break;
          }
        }
      }
    } finally {
      sending = false;
    }
  }

  function unqueue(id) {
    keep({ outbox: recall().outbox.filter((entry) => entry.client_id !== id) });
    render();
  }

  /** Remembers, and tells, how far the guest has read. */
  function see() {
    const me = guest();
    const last = messages.findLast((message) => message.id && message.from !== me?.guestId);
    if (!openNow || document.visibilityState !== 'visible' || !me || !last || recall().seen === last.id) return;
    keep({ seen: last.id });
    socket?.emit('seen', { chatId: me.chatId, token: me.guestToken, _id: last.id });
    render();
  }

  function tellTyping(on) {
    const me = guest();
    if (!me?.guestToken || !connected) return;
    if (on && Date.now() - lastTold < TYPING_EVERY) return;
    if (!on && lastTold === 0) return;
    lastTold = on ? Date.now() : 0;
    socket.emit('typing', { chatId: me.chatId, token: me.guestToken, typing: on });
  }

  function showTyping(on) {
    clearTimeout(typingEnds);
    typing.textContent = on ? 'Somebody is answering…' : '';
    if (on) typingEnds = setTimeout(() => showTyping(false), TYPING_LASTS);
  }

  // ---- Drawing ----

  const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

  function render() {
    const me = guest();
    const { outbox, seen } = recall();
    hello.hidden = Boolean(me);
    write.hidden = !me;
    greeting.hidden = Boolean(me) && messages.length > 0;
    note.hidden = connected || !socket || !alarm;
    note.textContent = note.hidden ? '' : words.away;

    const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
    const lines = messages.map((message) => line(message.from === me?.guestId, message.message, time(message.time)));
    for (const entry of outbox) lines.push(waitingLine(entry));
    const alone = me && messages.length > 0 && messages.every((message) => message.from === me.guestId) && outbox.length === 0;
    if (alone) lines.push(h('li', {}, h('span', { class: 'meta' }, words.thanks)));
    list.replaceChildren(...lines);
    if (atEnd) scroll.scrollTop = scroll.scrollHeight;

    const at = messages.findIndex((message) => message.id && message.id === seen);
    const unread = messages.slice(at + 1).filter((message) => message.from !== me?.guestId).length;
    badge.hidden = unread === 0;
    badge.textContent = unread > 9 ? '9+' : String(unread);
    opener.setAttribute('aria-label', unread ? `${words.label}, ${unread} new` : words.label);
  }

  function line(mine, message, meta, state = '') {
    return h(
      'li',
      { class: `${mine ? 'mine' : ''} ${state}` },
      h('span', { class: 'bubble', dir: 'auto' }, h('span', { class: 'sr' }, mine ? 'You: ' : 'Answer: '), message),
      meta ? h('div', { class: 'meta' }, meta) : null,
    );
  }

  function waitingLine(entry) {
    if (!entry.refused) return line(true, entry.message, connected ? 'Sending' : 'Waiting to be sent', 'pending');
    const drop = h('button', { class: 'link', type: 'button', onclick: () => unqueue(entry.client_id) }, 'Delete');
    return line(true, entry.message, h('span', {}, `Not sent: ${entry.refused} `, drop), 'failed');
  }

  const time = (iso) => (iso ? clock.format(new Date(iso)) : null);

  // ---- Start ----

  text.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    write.requestSubmit();
  });
  text.addEventListener('input', () => {
    text.rows = Math.min(5, text.value.split('\n').length);
    tellTyping(text.value !== '');
  });
  frame.addEventListener('keydown', (event) => {
    // The shop's own shortcuts must not fire while a guest types.
    event.stopPropagation();
    if (event.key === 'Escape' && openNow) open(false);
  });
  document.addEventListener('visibilitychange', see);
  window.addEventListener('storage', (event) => {
    // The same guest in another tab.
    if (event.key !== KEY) return;
    memory = {};
    render();
    if (guest()) connect();
    if (connected && !ready && guest()?.guestToken) enter();
  });

  /** Black or white on the site's own colour, whichever reads better. */
  function pickInk() {
    const [red, green, blue] = (getComputedStyle(opener).backgroundColor.match(/[\d.]+/gu) ?? [0, 0, 0]).map((part) => {
      const share = Number(part) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    frame.style.setProperty('--accent-ink', light > 0.18 ? '#14171a' : '#ffffff');
  }

  function start() {
    document.body.append(host);
    pickInk();
    const { guest: known, open: was } = recall();
    Object.assign(globalThis.ParlanceWidget, { open: () => open(true), close: () => open(false) });
    render();
    // Somebody with a chat hears of answers on every page; others cost the server nothing until they ask.
    if (known) connect();
    if (was && known && matchMedia('(min-width: 481px)').matches) open(true);
  }

  function whenReady() {
    if (document.body) start();
    else document.addEventListener('DOMContentLoaded', start, { once: true });
  }

  const loader = h('script', { src: `${server}/parlance-socket.js`, async: true });
  loader.addEventListener('load', () => {
    loader.remove();
    whenReady();
  });
  if (globalThis.ParlanceSocket) whenReady();
  else document.head.append(loader);
})();
