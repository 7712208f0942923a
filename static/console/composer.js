// Where the owner writes: as high as what is in it, told to the guest while it grows, and no longer than the server takes.
import { $, setText } from '../messenger/dom.js';
import { bytesOf } from '../messenger/words.js';

const MESSAGE_BYTES = 16_384;
const TYPING_EVERY = 2_500;

/** Whether a key ends the spelling of a word instead of the message; Safari tells it by the code alone. */
const isComposing = (event) => event.isComposing || event.keyCode === 229;

/** `type(on)` tells that one types; `send(message)` takes what was written. */
export function prepareComposer({ type, send }) {
  const content = $('content');
  let lastTold = 0;

  function tell(on) {
    if (on && Date.now() - lastTold < TYPING_EVERY) return;
    if (!on && lastTold === 0) return;
    lastTold = on ? Date.now() : 0;
    type(on);
  }

  function complain(text) {
    setText($('composer-note'), text);
    if (text) content.setAttribute('aria-invalid', 'true');
    else content.removeAttribute('aria-invalid');
  }

  function fit() {
    content.style.height = 'auto';
    content.style.height = `${content.scrollHeight + content.offsetHeight - content.clientHeight}px`;
  }

  function fill(text) {
    content.value = text;
    complain('');
    fit();
  }

  function submit() {
    const message = content.value;
    if (message.trim() === '') return;
    if (bytesOf(message) > MESSAGE_BYTES) {
      complain('This answer is too long. Please send it in parts.');
      content.focus();
      return;
    }
    fill('');
    tell(false);
    send(message);
    content.focus();
  }

  $('composer').addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  content.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || isComposing(event) || matchMedia('(pointer: coarse)').matches) return;
    event.preventDefault();
    submit();
  });
  content.addEventListener('input', () => {
    fit();
    if (bytesOf(content.value) <= MESSAGE_BYTES) complain('');
    tell(content.value !== '');
  });

  return {
    clear: () => fill(''),
    fill(text) {
      fill(text);
      content.focus();
    },
    stopTyping: () => tell(false),
  };
}
