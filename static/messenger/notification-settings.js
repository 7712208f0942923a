// The part of the account dialog about notifications, and the offer to turn them on.
import { $, busy, h, setText, show } from '../shared/dom.js';
import { timeOfDay } from '../shared/format.js';
import { scoped } from '../shared/server.js';
import { read, write } from '../shared/storage.js';
import { tomorrow } from './levels.js';
import { canNotify } from './notifications.js';
import { playSound } from './sound.js';

const HOUR = 3_600_000;
const OFFER = scoped('parlance.notify-offer');

const DENIED = 'This browser blocks notifications from here. Its own settings for this site let them through again.';

export class NotificationSettings {
  /**
   * @param {import('./notifications.js').Notifications} notifications
   * @param {import('./levels.js').Levels} levels
   */
  constructor(notifications, levels) {
    this.notifications = notifications;
    this.levels = levels;
    this.shown = this.toggle('notify-shown', 'Show notifications', (on) => this.turn(on));
    this.sound = this.toggle('notify-sound', 'Play a sound', (on) => {
      notifications.set({ sound: on });
      if (on) playSound();
    });
    this.note = h('p', { class: 'hint', role: 'status' });
    this.pause = h('div', { class: 'row-start' });
    $('notify-settings').append(
      h('h3', { id: 'notify-title' }, 'Notifications'),
      ...(canNotify() ? [this.shown.row] : []),
      this.sound.row,
      h('p', { class: 'hint' }, 'Each chat has a level of its own, in its details. What you are reading is never announced.'),
      this.pause,
      this.note,
    );
    this.offer();
  }

  /**
   * @param {string} id
   * @param {string} label
   * @param {(on: boolean) => void} turned
   */
  toggle(id, label, turned) {
    const input = h('input', { id, type: 'checkbox', role: 'switch', class: 'switch', onchange: () => turned(input.checked) });
    return { input, row: h('div', { class: 'switch-row' }, h('label', { for: id }, label), input) };
  }

  /** Shows how things are; called when the dialog opens. */
  render() {
    this.shown.input.checked = this.notifications.on;
    this.sound.input.checked = this.notifications.settings.sound;
    setText(this.note, canNotify() && Notification.permission === 'denied' ? DENIED : '');
    this.renderPause();
  }

  renderPause() {
    const until = this.levels.pausedUntil;
    const button = (/** @type {string} */ text, /** @type {number} */ end) =>
      h('button', { class: 'button small', type: 'button', onclick: () => this.stopFor(end) }, text);
    this.pause.replaceChildren(
      ...(until
        ? [h('span', {}, `Paused until ${timeOfDay(new Date(until).toISOString())}`), button('Resume', 0)]
        : [h('span', {}, 'Pause'), button('for an hour', Date.now() + HOUR), button('until tomorrow', tomorrow())]),
    );
  }

  /** @param {number} until */
  stopFor(until) {
    this.levels.pause(until);
    this.renderPause();
    this.pause.querySelector('button')?.focus();
  }

  /** @param {boolean} on */
  async turn(on) {
    if (on) await this.notifications.turnOn();
    else this.notifications.set({ shown: false });
    this.render();
    this.offer();
  }

  /** Where nobody has decided yet, the list of chats offers notifications, once. */
  offer() {
    const open = canNotify() && Notification.permission === 'default' && !read(OFFER, false);
    show($('notify-offer'), open);
    $('notify-yes').onclick = () => busy($('notify-yes'), () => this.turn(true));
    $('notify-no').onclick = () => {
      write(OFFER, true);
      show($('notify-offer'), false);
    };
  }
}
