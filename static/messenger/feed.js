// The line to the server: everything new in my chats, by long-poll or as a stream, resumed from the cursor.
import { Refusal, Unreachable, get } from './api.js';
import { backoff, createPause } from './patience.js';

const HOLD = 25;
const TYPES = ['message', 'edited', 'deleted', 'chat', 'member', 'read'];
/** A second tab in the background asks now and then: browsers allow few open connections to one server. */
const ASK_EVERY = 5_000;

export class Feed {
  /**
   * `told(events, people)` applies what is new; `gone(cursor)` reloads the snapshot when continuity cannot be proven
   * and gives the cursor to go on from; `ended()` says that the login is over; `state(name, until)` is for the eyes.
   */
  constructor({ cursor, streaming, told, gone, ended, state }) {
    Object.assign(this, { cursor, streaming, told, gone, ended, state });
    this.name = `page-${crypto.getRandomValues(new Uint32Array(2)).join('')}`;
    this.pause = createPause();
    this.failures = 0;
    this.lastHeard = Date.now();
    this.stopped = false;
    this.holdsLine = !navigator.locks;
    this.loosen = null;
  }

  /** To be called with the snapshot just read, so the server is known to be there. */
  start() {
    this.heard();
    this.claimLine();
    this.run();
  }

  stop() {
    this.stopped = true;
    this.loosen?.();
    this.interrupt();
  }

  /** Tries again at once instead of at the next attempt. */
  nudge() {
    this.failures = Math.min(this.failures, 1);
    this.pause.nudge();
  }

  /** The page came back into view: a line that has been silent for long may be dead without knowing it. */
  wake() {
    if (Date.now() - this.lastHeard > (HOLD + 5) * 1000) this.interrupt();
    this.nudge();
  }

  /** Keeps silent until the function it gives is called. */
  rest() {
    let wake;
    this.resting = new Promise((resolve) => {
      wake = resolve;
    });
    this.interrupt();
    return () => {
      this.resting = null;
      wake();
    };
  }

  stream(wanted) {
    if (this.streaming === wanted) return;
    this.streaming = wanted;
    this.interrupt();
  }

  interrupt() {
    this.breaker?.abort();
    this.pause.nudge();
  }

  /** One tab holds the line even when nobody looks at it; the lock passes on when that tab closes. */
  claimLine() {
    navigator.locks?.request('parlance.line', () => {
      this.holdsLine = true;
      return new Promise((resolve) => {
        this.loosen = resolve;
        if (this.stopped) resolve();
      });
    });
  }

  get holding() {
    return this.holdsLine || document.visibilityState === 'visible';
  }

  async run() {
    while (!this.stopped) {
      await this.resting;
      this.breaker = new AbortController();
      try {
        // After a failure a short question first: it tells at once whether the server is back.
        if (this.failures > 0 || !this.holding) await this.ask(0);
        else if (this.streaming) await this.listen();
        else await this.ask(HOLD);
      } catch (error) {
        if (this.stopped) return;
        if (this.breaker.signal.aborted) continue;
        await this.failed(error);
      }
    }
  }

  async ask(hold) {
    const query = new URLSearchParams({ after: this.cursor, timeout: hold, limit: 200, poll: this.name });
    const { body } = await get(`/api/events?${query}`, {
      signal: this.breaker.signal,
      patience: (hold + 15) * 1000,
    });
    if (this.stopped) return;
    this.heard();
    await this.told(body.events ?? [], body.people ?? []);
    if (body.cursor) this.cursor = body.cursor;
    if (body.more) return;
    if (body.retry_ms > 0) {
      // The server is going down in good order and asks everybody to come back at different moments.
      this.failures = 1;
      this.state('waiting', Date.now() + body.retry_ms);
      await this.pause.wait(body.retry_ms);
    } else if (body.superseded) {
      await this.pause.wait(1000);
    } else if (!this.holding) {
      await this.pause.wait(ASK_EVERY);
    }
  }

  /** Resolves when the stream is over; then `ask` finds out why. */
  listen() {
    return new Promise((resolve) => {
      const query = new URLSearchParams({ after: this.cursor, poll: this.name });
      const source = new EventSource(`/api/events?${query}`);
      let queue = Promise.resolve();
      const close = () => {
        source.close();
        queue.then(resolve, resolve);
      };
      const take = (event) => {
        let data;
        try {
          data = JSON.parse(event.data);
        } catch {
          return;
        }
        this.heard();
        queue = queue.then(() => this.told([{ type: event.type, ...data }], data.people ?? []));
        if (event.lastEventId) this.cursor = event.lastEventId;
      };
      for (const type of TYPES) source.addEventListener(type, take);
      let broken = false;
      source.onopen = () => {
        broken = false;
        this.heard();
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

  heard() {
    this.failures = 0;
    this.lastHeard = Date.now();
    this.state('live', null);
  }

  async failed(error) {
    if (error instanceof Refusal) {
      if (error.status === 401) {
        this.stop();
        this.ended();
        return;
      }
      if (error.status === 410 || error.code === 'bad_cursor') {
        try {
          this.cursor = await this.gone(error.body.cursor);
          this.heard();
          return;
        } catch (again) {
          if (again instanceof Refusal && again.status === 401) {
            this.stop();
            this.ended();
            return;
          }
          error = again;
        }
      }
    }
    if (!(error instanceof Refusal || error instanceof Unreachable)) console.error(error);
    const wait = backoff(this.failures, error.retryAfter);
    this.failures += 1;
    this.state('waiting', Date.now() + wait);
    await this.pause.wait(wait);
    if (!this.stopped) this.state('trying', null);
  }
}
