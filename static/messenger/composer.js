// Where one writes: a box that grows, keeps a draft for each chat, and says how much room is left.
import { fit, sendOnEnter } from '../shared/composer.js';
import { $, setText } from '../shared/dom.js';
import { Drafts } from '../shared/drafts.js';
import { LONGEST, bytesOf, measure, plural } from '../shared/format.js';
import { scoped } from '../shared/server.js';
import { pickEmoji } from './emoji-picker.js';

/** From this share of the longest message on it is said how much room is left. */
const NEARLY = 0.9;

export class Composer {
  /**
   * @param {object} options
   * @param {number} options.person whose drafts these are
   * @param {(content: string) => void} options.send takes what was written
   * @param {() => void} options.grew called when the box may have changed its height
   */
  constructor({ person, send, grew }) {
    this.send = send;
    this.grew = grew;
    /** @type {number | null} */
    this.chat = null;
    this.drafts = new Drafts(scoped(`parlance.drafts.${person}`));
    this.box = $('content', HTMLTextAreaElement);
    $('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.submit();
    });
    sendOnEnter(this.box, () => this.submit());
    this.box.addEventListener('input', () => this.changed());
    $('emoji-open').addEventListener('click', async () => {
      const emoji = await pickEmoji($('emoji-open'));
      if (emoji) this.insert(emoji);
      this.focus();
    });
  }

  /** Puts a text where the cursor is, in place of what is selected. @param {string} text */
  insert(text) {
    const { selectionStart, selectionEnd } = this.box;
    this.box.setRangeText(text, selectionStart, selectionEnd, 'end');
    this.changed();
  }

  /** Shows the draft of a chat. @param {number | null} chat */
  open(chat) {
    this.chat = chat;
    this.box.value = chat === null ? '' : this.drafts.get(chat);
  }

  focus() {
    this.box.focus({ preventScroll: true });
  }

  /** Puts a text before what is written already. @param {string} text */
  prepend(text) {
    this.box.value = [text, this.box.value].filter((each) => each.trim()).join('\n');
    this.changed();
    this.focus();
  }

  changed() {
    if (this.chat !== null) this.drafts.set(this.chat, this.box.value);
    this.resize();
  }

  resize() {
    fit(this.box);
    this.grew();
    this.tellRoom();
  }

  submit() {
    const content = this.box.value;
    if (content.trim() === '' || this.chat === null) {
      this.focus();
      return;
    }
    if (bytesOf(content) > LONGEST) {
      this.tellRoom();
      return;
    }
    // Kept by the caller that sends it before the draft is given up.
    this.send(content);
    this.box.value = '';
    this.changed();
    this.focus();
  }

  /** A message may be long, not endless: says so before the server has to. */
  tellRoom() {
    const text = this.box.value;
    const { over, left } = text.length * 3 < LONGEST * NEARLY ? { over: 0, left: Infinity } : measure(text);
    const note = $('composer-note');
    const nearly = over === 0 && bytesOf(text) > LONGEST * NEARLY;
    if (over > 0) setText(note, `Too long by ${plural(over, 'character', 'characters')}. Please shorten it, or send it in two.`);
    else setText(note, nearly ? `Room for ${plural(left, 'more character', 'more characters')}.` : '');
    note.classList.toggle('calm', nearly);
    if (over > 0) this.box.setAttribute('aria-invalid', 'true');
    else this.box.removeAttribute('aria-invalid');
  }
}
