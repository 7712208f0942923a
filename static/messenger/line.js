// Tells whether the line to the server stands, without crying out over every blink.
import { $, setText, show } from './dom.js';

const QUIET_FOR = 1_200;
const NAMES = { connecting: 'Connecting', live: 'Connected', waiting: 'Not connected' };

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
      this.alarm ??= setTimeout(() => {
        this.clock = setInterval(() => this.count(), 1000);
        show($('trouble'), true);
        setText($('trouble-text'), 'The server is not answering. What you write is kept here and goes out when it is back.');
        this.render();
      }, QUIET_FOR);
      this.count();
    }
    this.changed();
  }

  /** What is shown: a blink is not worth a word, and neither is each attempt. */
  get seen() {
    if (this.state === 'connecting' || this.state === 'live') return this.state;
    return this.clock === null ? 'live' : 'waiting';
  }

  render() {
    $('line').dataset.state = this.seen;
    setText($('line-text'), NAMES[this.seen]);
    this.count();
  }

  count() {
    const button = $('trouble-retry');
    const left = this.state === 'waiting' && this.until ? Math.ceil((this.until - Date.now()) / 1000) : 0;
    setText(button, this.state === 'trying' ? 'Trying…' : left > 1 ? `Try now (${left} s)` : 'Try now');
    button.setAttribute('aria-label', 'Try now');
  }
}
