// A small Socket.IO client (protocol 5 over Engine.IO 4): text events, acknowledgements, reconnection, recovery.
//
//   const socket = ParlanceSocket.connect('https://chat.example');
//   socket.on('newMessage', (message) => …);
//   socket.on('status', ({ status, until }) => …); // connecting, connected, waiting or offline; also `socket.status`
//   const reply = await socket.ask('getChatMessages', { chatId, token });
//
// Without an address it connects to where this file came from, under the same path prefix.
// A classic script, so that any site can load it by one tag. Binary events are not supported.
//
// It also exports what any connection needs: `ParlanceSocket.watchConnectivity` and `ParlanceSocket.backoff`.
(() => {
  'use strict';

  const SEPARATOR = '\x1e';
  const FIRST_WAIT = 400;
  const LONGEST_WAIT = 15_000;
  const OPENING = 10_000;
  const ASKING = 15_000;
  /** Timeout of a liveness probe. */
  const PROBE_TIMEOUT = 4_000;
  /** A write after this much silence of the server is accompanied by a liveness probe. */
  const SILENT = 10_000;
  const LOCAL = ['connect', 'disconnect', 'connect_error', 'waiting', 'status'];
  const script = globalThis.document?.currentScript;
  const HERE = script && 'src' in script && script.src ? new URL('.', script.src).href : undefined;

  /** @typedef {(...args: any[]) => void} Listener */
  /** @typedef {{base: string, query: Record<string, string>}} Address */
  /** @typedef {{packet: (text: string) => void, close: (reason: string) => void}} TransportEvents callbacks of a transport */
  /** @typedef {{name: string, send: (packets: string[]) => void, close: () => void}} Transport */
  /** @typedef {{id: number, packet: string, answer: (value: any) => void, fail: (message: string, lost: boolean) => void}} Request */
  /** @typedef {'connecting' | 'connected' | 'waiting' | 'offline' | 'closed'} Status */
  /** @typedef {'websocket' | 'polling'} TransportName */
  /** @typedef {ReturnType<typeof setTimeout> | null | undefined} Timer */

  // ---- Connectivity ----

  const TICK = 5_000;
  const SLEPT = 10_000;
  /** Browsers run the timers of hidden pages once a minute. */
  const SLEPT_HIDDEN = 90_000;

  const isOffline = () => globalThis.navigator?.onLine === false;

  /**
   * How long to wait before attempt `failures + 1`: exponential backoff with jitter.
   * @param {number} failures
   * @param {number} [first]
   */
  function backoff(failures, first = FIRST_WAIT) {
    const ceiling = Math.min(LONGEST_WAIT, first * 2 ** Math.min(failures, 10));
    return ceiling / 2 + (Math.random() * ceiling) / 2;
  }

  /**
   * Reports events after which a connection may be dead or a new attempt should not wait:
   * `offline()` when the browser lost its network, `online()` when it has one again (perhaps another one), and `doubt()`
   * when the page resumes after it could receive nothing: hidden, frozen, restored, or asleep with the whole machine.
   * Returns a function that removes the listeners.
   * @param {{offline: () => void, online: () => void, doubt: () => void}} listeners
   */
  function watchConnectivity({ offline, online, doubt }) {
    const page = globalThis.document;
    const visible = () => {
      if (page.visibilityState === 'visible') doubt();
    };
    const restored = (/** @type {PageTransitionEvent} */ event) => {
      if (event.persisted) doubt();
    };
    /** @type {[EventTarget | undefined, string, (event: any) => void][]} */
    const listened = [
      [globalThis, 'offline', offline],
      [globalThis, 'online', online],
      [globalThis, 'pageshow', restored],
      [page, 'visibilitychange', visible],
      [page, 'resume', doubt],
    ];
    for (const [target, name, listener] of listened) target?.addEventListener?.(name, listener);
    // Timers stop while the machine sleeps, for which there is no event.
    let last = Date.now();
    const ticking = setInterval(() => {
      const gap = Date.now() - last - TICK;
      last += gap + TICK;
      if (gap > (page?.visibilityState === 'hidden' ? SLEPT_HIDDEN : SLEPT)) doubt();
    }, TICK);
    return () => {
      clearInterval(ticking);
      for (const [target, name, listener] of listened) target?.removeEventListener?.(name, listener);
    };
  }

  // ---- Transports ----

  /**
   * Engine.IO over one WebSocket.
   * @param {Address} address
   * @param {TransportEvents} events
   * @returns {Transport}
   */
  function overWebSocket(address, events) {
    const query = new URLSearchParams({ ...address.query, EIO: '4', transport: 'websocket' });
    const socket = new WebSocket(`${address.base.replace(/^http/u, 'ws')}/socket.io/?${query}`);
    socket.onmessage = ({ data }) => {
      if (typeof data === 'string') events.packet(data);
    };
    socket.onclose = () => events.close('transport close');
    socket.onerror = () => events.close('transport error');
    return {
      name: 'websocket',
      send: (packets) => packets.forEach((packet) => socket.send(packet)),
      close: () => socket.close(),
    };
  }

  /**
   * Engine.IO long-polling: one request waits for packets, another sends ours, one batch at a time.
   * @param {Address} address
   * @param {TransportEvents} events
   * @returns {Transport}
   */
  function overPolling(address, events) {
    const breaker = new AbortController();
    /** @type {string | null} */
    let sid = null;
    /** @type {string[]} */
    let outbox = [];
    let posting = false;
    let closed = false;

    /** @param {string} [body] */
    async function request(body) {
      const query = new URLSearchParams({ ...address.query, EIO: '4', transport: 'polling', ...(sid && { sid }), t: unique() });
      const response = await fetch(`${address.base}/socket.io/?${query}`, {
        method: body === undefined ? 'GET' : 'POST',
        body,
        // A content type of HTML forms, so that a cross-origin request needs no CORS preflight.
        headers: body === undefined ? {} : { 'Content-Type': 'text/plain;charset=UTF-8' },
        credentials: 'omit',
        cache: 'no-store',
        signal: breaker.signal,
      });
      if (!response.ok) throw new Error(`polling: ${response.status}`);
      return response.text();
    }

    function fail() {
      if (closed) return;
      closed = true;
      events.close('transport error');
    }

    async function poll() {
      try {
        while (!closed) {
          for (const packet of (await request()).split(SEPARATOR)) {
            if (packet.startsWith('0') && sid === null) sid = JSON.parse(packet.slice(1)).sid;
            events.packet(packet);
          }
        }
      } catch {
        fail();
      }
    }

    async function post() {
      if (posting) return;
      posting = true;
      try {
        while (outbox.length > 0 && !closed) {
          const batch = outbox;
          outbox = [];
          await request(batch.join(SEPARATOR));
        }
      } catch {
        fail();
      }
      posting = false;
    }

    poll();
    return {
      name: 'polling',
      send(packets) {
        outbox.push(...packets);
        post();
      },
      close() {
        if (!closed && sid !== null)
          request('1')
            .catch(() => {})
            .finally(() => breaker.abort());
        else breaker.abort();
        closed = true;
      },
    };
  }

  const TRANSPORTS = { websocket: overWebSocket, polling: overPolling };

  function unique() {
    return crypto.getRandomValues(new Uint32Array(2)).join('');
  }

  class Socket {
    constructor(url = HERE, { auth = {}, query = {}, recovery = true, transports = ['websocket', 'polling'] } = {}) {
      /** @type {Address} */
      this.address = { base: String(url).replace(/\/+$/u, ''), query };
      this.auth = auth;
      this.recovery = recovery;
      this.transports = transports;
      /** @type {Map<string, Set<Listener>>} */
      this.listeners = new Map();
      /** @type {Map<number, Pick<Request, 'answer' | 'fail'>>} */
      this.asked = new Map();
      this.nextAsk = 0;
      /** @type {Request[]} */
      this.waiting = [];
      /** @type {Transport | null} */
      this.transport = null;
      /** The attempt that counts. @type {object | null} */
      this.turn = null;
      /** @type {Timer} */
      this.timer = null;
      /** @type {Timer} */
      this.probing = null;
      /** @type {Timer} */
      this.watchdog = null;
      /** When the next attempt begins. @type {number | null} */
      this.until = null;
      this.opened = false;
      this.openedAt = 0;
      this.receivedAt = 0;
      this.silenceLimit = OPENING;
      this.connected = false;
      /** @type {Status} */
      this.status = 'connecting';
      this.recovered = false;
      this.closed = false;
      this.failures = 0;
      this.choice = 0;
      /** @type {string | null} */
      this.pid = null;
      /** @type {string | null} */
      this.offset = null;
      this.unwatch = watchConnectivity({
        offline: () => this.wentOffline(),
        online: () => this.cameOnline(),
        doubt: () => this.test(),
      });
      this.open();
    }

    /**
     * @param {string} name
     * @param {Listener} listener
     */
    on(name, listener) {
      const known = this.listeners.get(name) ?? new Set();
      this.listeners.set(name, known.add(listener));
      return this;
    }

    /**
     * @param {string} name
     * @param {Listener} listener
     */
    off(name, listener) {
      this.listeners.get(name)?.delete(listener);
      return this;
    }

    /**
     * @param {string} name
     * @param {...any} args
     */
    dispatch(name, ...args) {
      for (const listener of [...(this.listeners.get(name) ?? [])]) {
        try {
          listener(...args);
        } catch (error) {
          // An exception in one listener must not keep the event from the others.
          setTimeout(() => {
            throw error;
          });
        }
      }
    }

    /**
     * Sends a volatile event: it is dropped when not connected, for what is stale a moment later, such as typing.
     * @param {string} name
     * @param {...any} args
     */
    emit(name, ...args) {
      if (this.connected) this.write(`2${JSON.stringify([name, ...args])}`);
    }

    /**
     * Sends an event and resolves with its acknowledgement. It waits for a connection until the timeout, but is never sent twice:
     * when the connection breaks before the answer, it fails with `lost`, and the caller knows whether to repeat it.
     * @param {string} name
     * @param {unknown} [argument]
     * @param {{timeout?: number}} [options]
     * @returns {Promise<any>}
     */
    ask(name, argument, { timeout = ASKING } = {}) {
      return new Promise((resolve, reject) => {
        const id = this.nextAsk++;
        const packet = `2${id}${JSON.stringify([name, argument])}`;
        /** @type {Request['fail']} */
        const fail = (message, lost) => {
          clearTimeout(timer);
          this.asked.delete(id);
          this.waiting = this.waiting.filter((each) => each.id !== id);
          reject(Object.assign(new Error(message), { lost }));
        };
        const timer = setTimeout(() => fail('no answer in time', true), timeout);
        /** @type {Request['answer']} */
        const answer = (value) => {
          clearTimeout(timer);
          resolve(value);
        };
        this.waiting.push({ id, packet, answer, fail });
        if (this.connected) this.flush();
      });
    }

    flush() {
      for (const { id, packet, answer, fail } of this.waiting.splice(0)) {
        this.asked.set(id, { answer, fail });
        this.write(packet);
        if (Date.now() - this.receivedAt > SILENT) this.probe();
      }
    }

    /** @param {string} packet */
    write(packet) {
      this.transport?.send([`4${packet}`]);
    }

    /** Reconnects at once instead of after the backoff. */
    nudge() {
      if (this.closed || !this.timer) return;
      this.failures = Math.min(this.failures, 1);
      clearTimeout(this.timer ?? undefined);
      this.open();
    }

    /** The page resumed: an open connection is probed, a waiting one reconnects at once. */
    test() {
      if (this.timer) this.nudge();
      else if (this.connected) this.probe();
      else if (Date.now() - this.openedAt > PROBE_TIMEOUT) this.broken('ping timeout', true);
    }

    wentOffline() {
      if (this.timer) this.tellStatus('waiting', this.until);
      else this.broken('offline');
    }

    cameOnline() {
      this.failures = 0;
      // An attempt begun on a network that is gone would only time out.
      if (!this.timer && !this.connected) this.broken('offline', true);
      else this.test();
    }

    /** A liveness probe: in Engine.IO only the server pings, but it answers at once to a connect of an unknown namespace. */
    probe() {
      if (this.probing || !this.connected) return;
      this.write('0/probe,');
      this.probing = setTimeout(() => this.broken('ping timeout', true), PROBE_TIMEOUT);
    }

    probed() {
      clearTimeout(this.probing ?? undefined);
      this.probing = null;
    }

    /**
     * @param {Status} status
     * @param {number | null} [until]
     */
    tellStatus(status, until = null) {
      this.status = status === 'waiting' && isOffline() ? 'offline' : status;
      this.until = until;
      this.dispatch('status', { status: this.status, until });
    }

    close() {
      this.closed = true;
      this.status = 'closed';
      this.unwatch();
      clearTimeout(this.timer ?? undefined);
      if (this.connected) this.transport?.send(['41']);
      this.drop('closed');
    }

    open() {
      this.timer = null;
      this.opened = false;
      this.openedAt = Date.now();
      // Events of a transport that was replaced are ignored.
      const mine = {};
      this.turn = mine;
      const live = (/** @type {(value: string) => void} */ work) => (/** @type {string} */ value) => {
        if (this.turn === mine) work(value);
      };
      this.watch(OPENING);
      try {
        this.transport = TRANSPORTS[/** @type {TransportName} */ (this.transports[this.choice])](this.address, {
          packet: live((packet) => this.take(packet)),
          close: live((reason) => this.broken(reason)),
        });
      } catch {
        this.broken('transport error');
      }
    }

    /**
     * Closes the connection when nothing arrives for `ms`.
     * @param {number} ms
     */
    watch(ms) {
      clearTimeout(this.watchdog ?? undefined);
      this.watchdog = setTimeout(() => this.broken('ping timeout'), ms);
    }

    /** @param {string} packet */
    take(packet) {
      this.receivedAt = Date.now();
      switch (packet[0]) {
        case '0': {
          const handshake = JSON.parse(packet.slice(1));
          this.opened = true;
          this.silenceLimit = handshake.pingInterval + handshake.pingTimeout;
          this.watch(this.silenceLimit);
          const auth = { ...(typeof this.auth === 'function' ? this.auth() : this.auth) };
          if (this.recovery) auth.recovery = true;
          if (this.pid) Object.assign(auth, { pid: this.pid, offset: this.offset ?? undefined });
          this.write(`0${JSON.stringify(auth)}`);
          break;
        }
        case '1':
          this.broken('transport close');
          break;
        case '2':
          this.watch(this.silenceLimit);
          this.transport?.send([`3${packet.slice(1)}`]);
          break;
        case '4':
          this.receive(packet.slice(1));
          break;
        default:
          break;
      }
    }

    /** @param {string} packet */
    receive(packet) {
      const [, type, namespace, number, data] = /^(\d)(\/[^,]*,)?(\d+)?([\s\S]*)$/u.exec(packet) ?? [];
      if (namespace && namespace !== '/,') {
        this.probed();
        return;
      }
      let payload;
      try {
        payload = data ? JSON.parse(data) : undefined;
      } catch {
        this.broken('parse error');
        return;
      }
      switch (type) {
        case '0':
          this.joined(payload ?? {});
          break;
        case '1':
          this.broken('server disconnect');
          break;
        case '2':
          this.onEvent(payload, number);
          break;
        case '3':
          this.asked.get(Number(number))?.answer(payload[0]);
          this.asked.delete(Number(number));
          break;
        case '4':
          this.dispatch('connect_error', Object.assign(new Error(payload?.message ?? String(payload)), { data: payload?.data }));
          this.pid = null;
          this.broken('refused');
          break;
        default:
          break;
      }
    }

    /** @param {{pid?: string}} answer */
    joined({ pid }) {
      this.recovered = Boolean(pid) && pid === this.pid;
      if (!this.recovered) this.offset = null;
      this.pid = pid ?? null;
      this.connected = true;
      this.failures = 0;
      this.tellStatus('connected');
      this.dispatch('connect', { recovered: this.recovered });
      this.flush();
    }

    /**
     * @param {unknown} payload
     * @param {string} [number]
     */
    onEvent(payload, number) {
      if (!Array.isArray(payload) || payload.length === 0) {
        this.broken('parse error');
        return;
      }
      const [name, ...args] = payload;
      if (LOCAL.includes(name)) return;
      if (number !== undefined) {
        args.push((/** @type {any[]} */ ...reply) => this.write(`3${number}${JSON.stringify(reply)}`));
      } else if (this.pid && typeof args.at(-1) === 'string') {
        // With recovery the last argument of each event is its offset.
        this.offset = args.pop();
      }
      this.dispatch(name, ...args);
    }

    /** @param {string} reason */
    drop(reason) {
      clearTimeout(this.watchdog ?? undefined);
      this.probed();
      this.turn = null;
      const { transport } = this;
      this.transport = null;
      transport?.close();
      const was = this.connected;
      this.connected = false;
      for (const { fail } of [...this.asked.values()]) fail('the connection was lost', true);
      this.asked.clear();
      if (was) this.dispatch('disconnect', reason);
    }

    /**
     * The connection, or the attempt at one, is over; with `urgent` the next attempt does not wait.
     * @param {string} reason
     * @param {boolean} [urgent]
     */
    broken(reason, urgent = false) {
      if (this.closed || this.turn === null) return;
      const opened = this.opened;
      this.drop(reason);
      // A transport that does not open may be blocked on the path: the other one is tried next, at first without backoff.
      this.choice = opened || urgent || reason === 'offline' ? 0 : (this.choice + 1) % this.transports.length;
      const atOnce = urgent || (!opened && this.choice !== 0 && this.failures === 0);
      const wait = atOnce ? 0 : backoff(this.failures);
      if (!atOnce) this.failures += 1;
      this.timer = setTimeout(() => this.open(), wait);
      this.tellStatus('waiting', Date.now() + wait);
      this.dispatch('waiting', { reason, until: this.until });
    }
  }

  globalThis.ParlanceSocket = {
    connect: (/** @type {string | undefined} */ url, /** @type {object | undefined} */ options) => new Socket(url, options),
    Socket,
    watchConnectivity,
    backoff,
    PROBE_TIMEOUT,
  };
})();
