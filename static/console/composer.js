// The owner's message box: it grows with its text, keeps a draft for each chat, signals typing, and limits the length to
// what the server accepts.
import { createTypingNotice, fit, sendOnEnter } from '../shared/composer.js';
import { $, setText } from '../shared/dom.js';
import { LONGEST, bytesOf } from '../shared/format.js';

/**
 * @param {object} options
 * @param {import('../shared/drafts.js').Drafts} options.drafts
 * @param {(chat: string, on: boolean) => void} options.type sends a typing signal
 * @param {(chat: string, message: string) => void} options.send takes what was written
 */
export function createComposer({ drafts, type, send }) {
  const box = $('content', HTMLTextAreaElement);
  /** @type {string | null} */
  let chat = null;
  const tellTyping = createTypingNotice((on) => chat !== null && type(chat, on));

  /** @param {string} text */
  function complain(text) {
    setText($('composer-note'), text);
    if (text) box.setAttribute('aria-invalid', 'true');
    else box.removeAttribute('aria-invalid');
  }

  /** @param {string} text */
  function fill(text) {
    box.value = text;
    if (chat !== null) drafts.set(chat, text);
    complain('');
    fit(box);
  }

  function submit() {
    const message = box.value;
    if (message.trim() === '' || chat === null) return;
    if (bytesOf(message) > LONGEST) {
      complain('This answer is too long. Please send it in parts.');
      box.focus();
      return;
    }
    tellTyping(false);
    // The caller stores the message before the draft is deleted.
    send(chat, message);
    fill('');
    box.focus();
  }

  $('composer').addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  sendOnEnter(box, submit);
  box.addEventListener('input', () => {
    fit(box);
    if (bytesOf(box.value) <= LONGEST) complain('');
    if (chat !== null) drafts.set(chat, box.value);
    tellTyping(box.value !== '');
  });

  return {
    /** Shows the draft of a chat. @param {string | null} id */
    open(id) {
      tellTyping(false);
      chat = id;
      box.value = chat === null ? '' : drafts.get(chat);
      complain('');
      fit(box);
    },
    /** Inserts a text before the draft. @param {string} text */
    prepend(text) {
      fill([text, box.value].filter((each) => each.trim()).join('\n'));
      box.focus();
    },
  };
}
