// What is done to a message: shown at once, told to the server, and taken back when it says no.
import { call } from '../shared/api.js';
import { confirm } from '../shared/confirm.js';
import { speak } from '../shared/dom.js';
import { copyText } from '../shared/clipboard.js';
import { pickEmoji } from './emoji-picker.js';
import { tellFault } from './membership.js';
import { nameOnDemand, openReactors } from './reactors.js';
import { plainText } from './markdown.js';
import { addressOf } from './places.js';

/** @typedef {import('./model.js').Message} Message */

export class MessageActions {
  /**
   * @param {import('./model.js').Model} model
   * @param {() => number | null} current the open chat
   */
  constructor(model, current) {
    this.model = model;
    this.current = current;
  }

  get room() {
    return this.model.room(this.current() ?? 0);
  }

  get entry() {
    return this.model.chats.get(this.current() ?? 0);
  }

  /** @param {Message} message */
  isMine(message) {
    return message.sender_id === this.model.me.id;
  }

  /** @param {Message} message */
  path(message) {
    return `/api/chats/${this.current()}/messages/${message.id}`;
  }

  /**
   * @param {Message} message
   * @param {string} emoji
   */
  async react(message, emoji) {
    const { room } = this;
    const added = !message.reactions?.some((each) => each.emoji === emoji && each.me);
    const change = { message_id: message.id, emoji, added };
    room.react(change, true);
    this.model.changed();
    try {
      await call(added ? 'PUT' : 'DELETE', `${this.path(message)}/reactions/${encodeURIComponent(emoji)}`);
    } catch (error) {
      room.react({ ...change, added: !added }, true);
      this.model.changed();
      await tellFault(error);
    }
  }

  /**
   * @param {Message} message
   * @param {HTMLElement} beside
   */
  async pick(message, beside) {
    const emoji = await pickEmoji(beside);
    const now = this.room.find(message.id);
    if (emoji && now && !now.reactions?.some((each) => each.emoji === emoji && each.me)) await this.react(now, emoji);
  }

  /** @param {Message} message */
  whoReacted(message) {
    openReactors(this.model, this.path(message), this.room.find(message.id)?.reactions ?? []);
  }

  /**
   * @param {HTMLElement} chip
   * @param {Message} message
   * @param {import('./model.js').Reaction} reaction
   */
  nameReactors(chip, message, reaction) {
    nameOnDemand(chip, this.model, this.path(message), reaction);
  }

  /**
   * @param {Message} message
   * @param {string} content
   */
  async save(message, content) {
    if (content === message.content) return;
    const { room } = this;
    room.change({ ...message, content, edited_at: new Date().toISOString() });
    this.model.changed();
    try {
      await call('PATCH', this.path(message), { form: { content } });
    } catch (error) {
      room.change(message);
      this.model.changed();
      await tellFault(error);
    }
  }

  /** @param {Message} message */
  async remove(message) {
    const whose = this.isMine(message) ? 'your message' : `the message of ${this.model.name(message.sender_id)}`;
    const words = plainText(message.content);
    const quote = words.length > 120 ? `${words.slice(0, 120)}…` : words;
    const text = 'Everybody in the chat loses it. This cannot be undone.';
    if (!(await confirm({ title: `Delete ${whose}?`, quote, text, yes: 'Delete' }))) return;
    const path = this.path(message);
    const { room } = this;
    try {
      await call('DELETE', path);
      room.change({ ...message, content: '', deleted_at: new Date().toISOString() });
      this.model.changed();
    } catch (error) {
      await tellFault(error);
    }
  }

  /** @param {Message} message */
  async copy(message) {
    speak((await copyText(message.content)) ? 'Copied.' : 'This browser does not let us copy.');
  }

  /** @param {Message} message */
  async copyLink(message) {
    speak((await copyText(addressOf(this.current() ?? 0, message.id))) ? 'The link is copied.' : 'This browser does not let us copy.');
  }
}
