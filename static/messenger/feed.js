// The event feed: everything new in my chats, by long-poll or as a stream, resumed from the cursor.
import { ApiError, Unreachable, get, hedged } from '../shared/api.js';
import { at, scoped } from '../shared/server.js';
import { PROBE_TIMEOUT, backoff, createPause } from '../shared/backoff.js';

const HOLD = 25;
/** An answer that is not there so long after the server should have given it never comes. */
const OVERDUE = 8_000;
/** After a long absence an answer may be a megabyte, on a slow network. */
const SHORT_ASK = 15_000;
/** A stream says nothing of its comments to the page: after so long a silence it has to prove itself. */
const SILENT = 45_000;
const TYPES = ['message', 'edited', 'deleted', 'reaction', 'chat', 'member', 'settings', 'person', 'read', 'typing', 'presence'];
/** A second tab in the background asks now and then: browsers allow few open connections to one server. */
const ASK_EVERY = 5_000;

/** @typedef {import('../shared/connection-status.js').State} State */

export class Feed {
  /**
   * @param {object} options
   * @param {string} options.cursor where to go on from
   * @param {boolean} options.streaming whether events come as a stream instead of by long-poll
   * @param {(events: any[], people: any[]) => unknown} options.apply applies what is new
   * @param {(cursor: string | undefined) => Promise<string>} options.reload reloads the snapshot when continuity cannot be proven, and gives the cursor to go on from
   * @param {() => void} options.ended called when the login is over
   * @param {(state: State, until: number | null) => void} options.state shows how the connection is
   * @param {() => void} options.dead called when a connection that was believed alive turns out not to be
   */
  constructor({ cursor, streaming, apply, reload, ended, state, dead }) {
    this.cursor = cursor;
    this.streaming = streaming;
    this.apply = apply;
    this.reload = reload;
    this.ended = ended;
    this.state = state;
    this.dead = dead;
    this.name = `page-${crypto.getRandomValues(new Uint32Array(2)).join('')}`;
    this.pause = createPause();
    this.failures = 0;
    this.lastHeard = Date.now();
    this.inDoubt = false;
    this.stopped = false;
    /** Whether this tab holds its request even when nobody looks at it. */
    this.isForemost = !navigator.locks;
    /** @type {(() => void) | null} */
    this.unlock = null;
    this.breaker = new AbortController();
    /** @type {Promise<void> | null} */
    this.suspended = null;
  }

  /** To be called with the snapshot just read, so the server is known to be there. */
  start() {
    this.markAlive();
    this.lockForTab();
    this.run();
  }

  stop() {
    this.stopped = true;
    this.unlock?.();
    this.interrupt();
  }

  /** Tries again at once instead of at the next attempt. */
  nudge() {
    this.failures = Math.min(this.failures, 1);
    this.pause.nudge();
  }

  /** The connection may be dead without knowing it: a short question tells, and what waits tries at once. */
  probe() {
    if (this.inDoubt) return;
    this.inDoubt = true;
    this.failures = Math.min(this.failures, 1);
    this.interrupt();
  }

  offline() {
    this.state('offline', null);
    this.probe();
  }

  online() {
    this.failures = 0;
    this.inDoubt = false;
    this.probe();
  }

  /** Keeps silent until the function it gives is called. */
  suspend() {
    let resume = () => {};
    this.suspended = new Promise((resolve) => {
      resume = resolve;
    });
    this.interrupt();
    return () => {
      this.suspended = null;
      resume();
    };
  }

  /** @param {boolean} wanted */
  stream(wanted) {
    if (this.streaming === wanted) return;
    this.streaming = wanted;
    this.interrupt();
  }

  interrupt() {
    this.breaker?.abort();
    this.pause.nudge();
  }

  /** One tab holds its request even when nobody looks at it; the lock passes on when that tab closes. */
  lockForTab() {
    navigator.locks?.request(scoped('parlance.line'), () => {
      this.isForemost = true;
      return /** @type {Promise<void>} */ (
        new Promise((resolve) => {
          this.unlock = resolve;
          if (this.stopped) resolve();
        })
      );
    });
  }

  get holding() {
    return this.isForemost || document.visibilityState === 'visible';
  }

  async run() {
    while (!this.stopped) {
      await this.suspended;
      this.breaker = new AbortController();
      try {
        // After a failure, or in doubt, a short question first: it tells at once whether the server is there.
        if (this.inDoubt) await this.ask(0, PROBE_TIMEOUT);
        else if (this.failures > 0 || !this.holding) await this.ask(0);
        else if (this.streaming) await this.listen();
        else await this.ask(HOLD);
      } catch (error) {
        if (this.stopped) return;
        if (this.breaker.signal.aborted) continue;
        await this.failed(error);
      }
    }
  }

  /**
   * @param {number} hold
   * @param {number} [timeout]
   */
  async ask(hold, timeout = hold > 0 ? hold * 1000 + OVERDUE : SHORT_ASK) {
    const query = new URLSearchParams({ after: this.cursor, timeout: String(hold), limit: '200', poll: this.name });
    const request = (/** @type {AbortSignal} */ signal) => get(`/api/events?${query}`, { signal, timeout });
    const unsure = this.inDoubt || this.failures === 1;
    const { body } = await (unsure ? hedged(request, this.breaker.signal) : request(this.breaker.signal));
    if (this.stopped) return;
    this.inDoubt = false;
    this.markAlive();
    await this.apply(body.events ?? [], body.people ?? []);
    if (body.cursor) this.cursor = body.cursor;
    if (body.more) return;
    if (body.superseded) {
      // Another request of this page has taken the place of this one; it is not the server that goes down.
      await this.pause.wait(1000);
    } else if (body.retry_ms > 0) {
      // The server is going down in good order and asks everybody to come back at different moments.
      this.failures = 1;
      this.state('waiting', Date.now() + body.retry_ms);
      await this.pause.wait(body.retry_ms);
    } else if (!this.holding) {
      await this.pause.wait(ASK_EVERY);
    }
  }

  /** Resolves when the stream is over; then `ask` finds out why. @returns {Promise<void>} */
  listen() {
    return new Promise((resolve) => {
      const query = new URLSearchParams({ after: this.cursor, poll: this.name });
      const source = new EventSource(at(`/api/events?${query}`));
      /** @type {Promise<unknown>} */
      let queue = Promise.resolve();
      const overdue = setInterval(() => {
        if (Date.now() - this.lastHeard > SILENT) this.probe();
      }, 5_000);
      const close = () => {
        clearInterval(overdue);
        source.close();
        queue.then(
          () => resolve(),
          () => resolve(),
        );
      };
      const take = (/** @type {MessageEvent} */ event) => {
        let data;
        try {
          data = JSON.parse(event.data);
        } catch {
          return;
        }
        this.markAlive();
        queue = queue.then(() => this.apply([{ type: event.type, ...data }], data.people ?? []));
        if (event.lastEventId) this.cursor = event.lastEventId;
      };
      for (const type of TYPES) source.addEventListener(type, take);
      // Continuity ends here. The cursor from before is answered with that too, and then all is read anew.
      source.addEventListener('gone', () => {
        this.failures = Math.max(this.failures, 1);
        close();
      });
      let broken = false;
      source.onopen = () => {
        broken = false;
        this.markAlive();
      };
      // A first break is left to the browser, which resumes by Last-Event-ID; a second one in a row is an outage.
      source.onerror = () => {
        if (!broken && source.readyState !== EventSource.CLOSED) {
          broken = true;
          this.state('waiting', null);
          return;
        }
        this.failures = Math.max(this.failures, 1);
        close();
      };
      this.breaker.signal.addEventListener('abort', close, { once: true });
    });
  }

  markAlive() {
    this.failures = 0;
    this.lastHeard = Date.now();
    this.state('live', null);
  }

  /** @param {unknown} first */
  async failed(first) {
    let error = first;
    if (error instanceof ApiError) {
      if (error.status === 401) {
        this.stop();
        this.ended();
        return;
      }
      if (error.status === 410 || error.code === 'bad_cursor') {
        try {
          this.cursor = await this.reload(error.body.cursor);
          this.markAlive();
          return;
        } catch (again) {
          if (again instanceof ApiError && again.status === 401) {
            this.stop();
            this.ended();
            return;
          }
          error = again;
        }
      }
    }
    if (!(error instanceof ApiError || error instanceof Unreachable)) console.error(error);
    // The first attempt after a test that failed does not wait: only a new connection can tell more.
    const tested = this.inDoubt && error instanceof Unreachable;
    this.inDoubt = false;
    const wait = tested && this.failures === 0 ? 0 : backoff(this.failures, error instanceof ApiError ? error.retryAfter : null);
    this.failures += 1;
    this.state(navigator.onLine ? 'waiting' : 'offline', Date.now() + wait);
    if (tested) this.dead();
    await this.pause.wait(wait);
    if (!this.stopped) this.state('trying', null);
  }
}
