// Notifications for the owner: a sound, a browser notification and the unread count in the title.
import { $ } from '../shared/dom.js';
import { scoped } from '../shared/server.js';
import { read, write } from '../shared/storage.js';

const SOUND = scoped('parlance.desk.sound');
const NOTICES = scoped('parlance.desk.notices');

export class Alerts {
  /** @param {(chat: string) => void} show opens a chat when its notification is clicked */
  constructor(show) {
    this.show = show;
    /** @type {AudioContext | null} */
    this.audio = null;
    this.sound = $('sound', HTMLInputElement);
    this.notices = $('notices', HTMLInputElement);
    const { sound, notices } = this;
    sound.checked = read(SOUND, true);
    sound.addEventListener('change', () => {
      write(SOUND, sound.checked);
      if (sound.checked) this.tone();
    });
    notices.checked = read(NOTICES, false) && globalThis.Notification?.permission === 'granted';
    notices.addEventListener('change', () => this.turnNotices());
  }

  async turnNotices() {
    const { notices } = this;
    if (!notices.checked) {
      write(NOTICES, false);
      return;
    }
    const permission = globalThis.Notification ? await Notification.requestPermission() : 'denied';
    notices.checked = permission === 'granted';
    write(NOTICES, notices.checked);
    if (!notices.checked) {
      $('notices-hint').textContent = 'Your browser does not allow notifications from this page. Its settings for this site can change that.';
    }
  }

  /** Two notes, synthesized so that no file has to be loaded. */
  tone() {
    this.audio ??= new AudioContext();
    const { audio } = this;
    if (audio.state === 'suspended') audio.resume().catch(() => {});
    for (const [at, pitch] of [
      [0, 660],
      [0.13, 880],
    ]) {
      const note = audio.createOscillator();
      const loud = audio.createGain();
      const start = audio.currentTime + at;
      note.frequency.value = pitch;
      loud.gain.setValueAtTime(0, start);
      loud.gain.linearRampToValueAtTime(0.12, start + 0.02);
      loud.gain.exponentialRampToValueAtTime(0.001, start + 0.3);
      note.connect(loud).connect(audio.destination);
      note.start(start);
      note.stop(start + 0.32);
    }
  }

  /**
   * @param {string} chat
   * @param {string} name
   * @param {string} message
   */
  call(chat, name, message) {
    if (this.sound.checked) this.tone();
    if (!this.notices.checked || document.visibilityState === 'visible') return;
    const notice = new Notification(name, { body: message.slice(0, 200), tag: chat, icon: new URL('../icon.svg', import.meta.url).href });
    notice.onclick = () => {
      window.focus();
      this.show(chat);
      notice.close();
    };
  }
}
