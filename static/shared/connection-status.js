// Shows the state of the connection to the server; short interruptions are not shown.
import { $, setText, show } from './dom.js';

/** @typedef {'connecting' | 'live' | 'waiting' | 'offline' | 'trying'} State */

const QUIET_FOR = 1_200;
/** Less when the browser reports that it is offline. A server on the same machine may still answer, hence not at once. */
const QUIET_OFFLINE = 250;
const NAMES = { connecting: 'Connecting', live: 'Connected', waiting: 'Not connected', offline: 'Offline' };
const EXPLANATIONS = {
  waiting: 'The server is not answering. What you write is kept here and goes out when it is back.',
  offline: 'You are offline. What you write is kept here and goes out when you are connected again.',
};

export class ConnectionStatus {
  /**
   * @param {object} options
   * @param {() => void} options.retry what the button does
   * @param {() => void} options.back called when the connection is established again
   * @param {() => void} options.changed called on every change
   */
  constructor({ retry, back, changed }) {
    this.back = back;
    this.changed = changed;
    /** @type {State} */
    this.state = 'connecting';
    /** When the next attempt begins. @type {number | null} */
    this.until = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.alarm = undefined;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.clock = undefined;
    $('trouble-retry').addEventListener('click', () => retry());
  }

  /**
   * @param {State} state
   * @param {number | null} until
   */
  set(state, until) {
    const before = this.state;
    this.until = until;
    if (state === before) {
      this.count();
      return;
    }
    this.state = state;
    if (state === 'live') this.restored();
    else this.broken(state);
    this.changed();
  }

  restored() {
    clearTimeout(this.alarm);
    clearInterval(this.clock);
    this.alarm = undefined;
    this.clock = undefined;
    show($('trouble'), false);
    this.render();
    this.back();
  }

  /** @param {State} state */
  broken(state) {
    if (state === 'offline' && this.clock === undefined) {
      clearTimeout(this.alarm);
      this.alarm = undefined;
    }
    this.alarm ??= setTimeout(
      () => {
        this.clock = setInterval(() => this.count(), 1000);
        show($('trouble'), true);
        this.render();
      },
      state === 'offline' ? QUIET_OFFLINE : QUIET_FOR,
    );
    if (this.clock !== undefined) this.render();
  }

  /** The state to show: short interruptions and single attempts are left out. */
  get shown() {
    if (this.state === 'connecting' || this.state === 'live') return this.state;
    if (this.clock === undefined) return 'live';
    return this.state === 'offline' || (this.state === 'trying' && !navigator.onLine) ? 'offline' : 'waiting';
  }

  render() {
    const { shown } = this;
    $('connection').dataset.state = shown;
    setText($('connection-text'), NAMES[shown]);
    if (shown === 'waiting' || shown === 'offline') setText($('trouble-text'), EXPLANATIONS[shown]);
    this.count();
  }

  count() {
    const button = $('trouble-retry');
    const left = this.state !== 'trying' && this.until ? Math.ceil((this.until - Date.now()) / 1000) : 0;
    setText(button, this.state === 'trying' ? 'Trying…' : left > 1 ? `Try now (${left} s)` : 'Try now');
    button.setAttribute('aria-label', 'Try now');
  }
}
