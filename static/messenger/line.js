// Tells whether the line to the server stands, without crying out over every blink.
import { $, setText, show } from './dom.js';

const QUIET_FOR = 1_200;
/** The browser says itself that there is no network; a server on the same machine may answer all the same, and soon. */
const QUIET_OFFLINE = 250;
const NAMES = { connecting: 'Connecting', live: 'Connected', waiting: 'Not connected', offline: 'Offline' };
const WORDS = {
  waiting: 'The server is not answering. What you write is kept here and goes out when it is back.',
  offline: 'You are offline. What you write is kept here and goes out when you are connected again.',
};

export class Line {
  /** `retry()` is the button; `back()` is called when the line stands again; `changed()` on every change. */
  constructor({ retry, back, changed }) {
    Object.assign(this, { retry, back, changed });
    this.state = 'connecting';
    this.until = null;
    this.alarm = null;
    this.clock = null;
    $('trouble-retry').addEventListener('click', () => retry());
  }

  set(state, until) {
    const before = this.state;
    this.until = until;
    if (state === before) {
      this.count();
      return;
    }
    this.state = state;
    if (state === 'live') {
      clearTimeout(this.alarm);
      clearInterval(this.clock);
      this.alarm = null;
      this.clock = null;
      show($('trouble'), false);
      this.render();
      this.back();
    } else {
      if (state === 'offline' && this.clock === null) {
        clearTimeout(this.alarm);
        this.alarm = null;
      }
      this.alarm ??= setTimeout(() => {
        this.clock = setInterval(() => this.count(), 1000);
        show($('trouble'), true);
        this.render();
      }, state === 'offline' ? QUIET_OFFLINE : QUIET_FOR);
      if (this.clock !== null) this.render();
    }
    this.changed();
  }

  /** What is shown: a blink is not worth a word, and neither is each attempt. */
  get seen() {
    if (this.state === 'connecting' || this.state === 'live') return this.state;
    if (this.clock === null) return 'live';
    return this.state === 'offline' || (this.state === 'trying' && !navigator.onLine) ? 'offline' : 'waiting';
  }

  render() {
    $('line').dataset.state = this.seen;
    setText($('line-text'), NAMES[this.seen]);
    if (WORDS[this.seen]) setText($('trouble-text'), WORDS[this.seen]);
    this.count();
  }

  count() {
    const button = $('trouble-retry');
    const left = this.state !== 'trying' && this.until ? Math.ceil((this.until - Date.now()) / 1000) : 0;
    setText(button, this.state === 'trying' ? 'Trying…' : left > 1 ? `Try now (${left} s)` : 'Try now');
    button.setAttribute('aria-label', 'Try now');
  }
}
