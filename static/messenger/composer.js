// Where one writes: a box that grows, keeps a draft for each chat, answers or changes a message, and says how much room is left.
import { createTypingNotice, fit, sendOnEnter } from '../shared/composer.js';
import { $, isComposing, setText, show } from '../shared/dom.js';
import { Drafts } from '../shared/drafts.js';
import { LONGEST, bytesOf, measure, plural } from '../shared/format.js';
import { scoped } from '../shared/server.js';
import { Completion } from './completion.js';
import { pickEmoji } from './emoji-picker.js';
import { wireFormatting } from './formatting.js';
import { plainText } from './markdown.js';
import { Preview } from './preview.js';
import { quoted } from './quoting.js';

/** @typedef {import('./model.js').Message} Message */
/** @typedef {{kind: 'reply' | 'edit', message: Message, name: string}} Mode */

/** From this share of the longest message on it is said how much room is left. */
const NEARLY = 0.9;

export class Composer {
  /**
   * @param {object} options
   * @param {number} options.person whose drafts these are
   * @param {(content: string, answered: Message | null) => void} options.send takes what was written
   * @param {(message: Message, content: string) => void} options.save takes a message's new content
   * @param {() => void} options.grew called when the box may have changed its height
   * @param {() => void} options.last asks for the last message of one's own, to change it
   * @param {() => Promise<import('./nameable.js').Named[]>} options.members of the open chat
   * @param {() => import('./nameable.js').Named[]} options.chats that one can lead to
   * @param {(chat: number, typing: boolean) => void} options.types tells the others
   */
  constructor({ person, send, save, grew, last, members, chats, types }) {
    this.send = send;
    this.save = save;
    this.grew = grew;
    this.last = last;
    this.types = types;
    /** @type {number | null} */
    this.chat = null;
    /** Which message is answered or changed. @type {Mode | null} */
    this.mode = null;
    this.drafts = new Drafts(scoped(`parlance.drafts.${person}`));
    this.box = $('content', HTMLTextAreaElement);
    this.preview = new Preview(this.box);
    // Its keys come before those of the box itself.
    this.completion = new Completion({ box: this.box, place: $('composer'), members, chats, changed: () => this.changed() });
    $('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.submit();
    });
    this.box.addEventListener('keydown', (event) => this.key(event));
    sendOnEnter(this.box, () => this.submit());
    wireFormatting(this.box, () => {
      this.preview.toggle();
      this.grew();
    });
    this.box.addEventListener('input', () => {
      this.changed();
      this.typing?.(this.box.value.trim() !== '' && this.mode?.kind !== 'edit');
    });
    $('mode-cancel').addEventListener('click', () => this.cancel());
    $('emoji-open').addEventListener('click', async () => {
      const emoji = await pickEmoji($('emoji-open'));
      if (emoji) this.insert(emoji);
      this.focus();
    });
  }

  /** Shows the draft of a chat. @param {number | null} chat */
  open(chat) {
    this.typing?.(false);
    this.completion.close();
    this.preview.end();
    this.chat = chat;
    this.typing = chat === null ? undefined : createTypingNotice((on) => this.types(chat, on));
    this.setMode(null);
    this.box.value = chat === null ? '' : this.drafts.get(chat);
  }

  focus() {
    this.box.focus({ preventScroll: true });
  }

  /** Puts a text where the cursor is, in place of what is selected. @param {string} text */
  insert(text) {
    const { selectionStart, selectionEnd } = this.box;
    this.box.setRangeText(text, selectionStart, selectionEnd, 'end');
    this.changed();
  }

  /** Puts a text before what is written already. @param {string} text */
  prepend(text) {
    this.box.value = [text, this.box.value].filter((each) => each.trim()).join('\n');
    this.box.setSelectionRange(this.box.value.length, this.box.value.length);
    this.changed();
    this.focus();
  }

  /**
   * Brings a text into a chat, before what was begun there.
   * @param {number} chat
   * @param {string} text
   */
  bring(chat, text) {
    if (chat === this.chat) this.prepend(text);
    else this.drafts.set(chat, text + this.drafts.get(chat));
  }

  /**
   * Answers a message, or changes it.
   * @param {Mode} mode
   */
  begin(mode) {
    if (this.mode?.kind === 'edit' || mode.kind === 'edit') this.box.value = mode.kind === 'edit' ? mode.message.content : this.draft;
    this.setMode(mode);
    this.resize();
    this.focus();
  }

  /**
   * Answers a message, or the part of it that is selected, which then stands in the box as a quotation.
   * @param {Message} message
   * @param {string} name
   * @param {string} selected
   */
  answer(message, name, selected) {
    this.begin({ kind: 'reply', message, name });
    if (selected) this.prepend(`${quoted(selected)}\n\n`);
  }

  get draft() {
    return this.chat === null ? '' : this.drafts.get(this.chat);
  }

  cancel() {
    if (this.mode?.kind === 'edit') this.box.value = this.draft;
    this.setMode(null);
    this.resize();
    this.focus();
  }

  /** @param {Mode | null} mode */
  setMode(mode) {
    this.mode = mode;
    show($('composer-mode'), mode !== null);
    if (!mode) return;
    setText($('mode-title'), mode.kind === 'edit' ? 'Change your message' : `Reply to ${mode.name}`);
    setText($('mode-words'), plainText(mode.message.content));
  }

  changed() {
    if (this.chat !== null && this.mode?.kind !== 'edit') this.drafts.set(this.chat, this.box.value);
    this.resize();
  }

  resize() {
    fit(this.box);
    this.preview.render();
    this.grew();
    this.tellRoom();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (isComposing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape' && this.mode) this.cancel();
    else if (event.key === 'ArrowUp' && this.box.value === '' && !this.mode) this.last();
    else return;
    event.preventDefault();
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
    const { mode } = this;
    if (mode?.kind === 'edit') {
      this.cancel();
      this.save(mode.message, content);
      return;
    }
    // Kept by the caller that sends it before the draft is given up.
    this.send(content, mode?.message ?? null);
    this.typing?.(false);
    this.preview.end();
    this.box.value = '';
    this.setMode(null);
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
