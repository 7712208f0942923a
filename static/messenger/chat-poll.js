// Long-polls one chat. A chat one only looks into sends no events, so the page waits on the chat itself meanwhile.
import { ApiError, get, hedged } from '../shared/api.js';
import { backoff, createPause } from '../shared/backoff.js';

/** @typedef {import('./model.js').Page & {more?: boolean, retry_ms?: number}} Answer */

const HOLD = 25;
/** A page that nobody looks at asks now and then. */
const ASK_EVERY = 5_000;
const OVERDUE = 8_000;

export class ChatPoll {
  /**
   * @param {object} options
   * @param {number} options.chat
   * @param {string} options.after the cursor to go on from
   * @param {(answer: Answer) => void} options.took called with what was said since
   * @param {() => void} options.gone called when continuity cannot be proven; the poll has ended then
   */
  constructor({ chat, after, took, gone }) {
    this.chat = chat;
    this.after = after;
    this.took = took;
    this.gone = gone;
    this.pause = createPause();
    this.breaker = new AbortController();
    this.inDoubt = false;
    this.stopped = false;
    this.failures = 0;
    this.run();
  }

  stop() {
    this.stopped = true;
    this.breaker.abort();
    this.pause.nudge();
  }

  /** Asks anew: the request that is held may be on a dead connection. */
  restart() {
    this.inDoubt = true;
    this.breaker.abort();
    this.pause.nudge();
  }

  async run() {
    while (!this.stopped) {
      this.breaker = new AbortController();
      let wait = 0;
      try {
        wait = await this.ask();
      } catch (error) {
        if (this.stopped) return;
        if (this.breaker.signal.aborted) continue;
        const status = error instanceof ApiError ? error.status : null;
        if (status === 401 || status === 404) return;
        if (status === 410) {
          this.stopped = true;
          this.gone();
          return;
        }
        wait = backoff(this.failures, error instanceof ApiError ? error.retryAfter : null);
        this.failures += 1;
      }
      if (wait > 0) await this.pause.wait(wait);
    }
  }

  /** Gives how long to wait before the next request. */
  async ask() {
    const idle = document.visibilityState === 'visible' ? 0 : ASK_EVERY;
    const { inDoubt } = this;
    const hold = idle > 0 || inDoubt ? 0 : HOLD;
    const query = `after=${encodeURIComponent(this.after)}&timeout=${hold}`;
    const request = (/** @type {AbortSignal} */ signal) => get(`/api/chats/${this.chat}?${query}`, { signal, timeout: OVERDUE + hold * 1000 });
    const { signal } = this.breaker;
    const { body } = await (inDoubt ? hedged(request, signal) : request(signal));
    this.inDoubt = false;
    this.failures = 0;
    this.after = body.cursor ?? this.after;
    if (!this.stopped && body.messages?.length) this.took(body);
    return body.more ? 0 : Math.max(idle, body.retry_ms ?? 0);
  }
}
