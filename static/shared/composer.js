// Behaviour of every message box: it grows with its text, Enter sends, and typing signals are sent at a limited rate.
import { isSend } from './dom.js';

const TYPING_EVERY = 2_500;

/** Makes a box as high as its text, a long line as well as many; the style sheet says how high at most. @param {HTMLTextAreaElement} box */
export function fit(box) {
  box.style.height = 'auto';
  box.style.height = `${box.scrollHeight + box.offsetHeight - box.clientHeight}px`;
}

/**
 * Sends on Enter, except on a touch keyboard where Enter makes a new line, as people there expect.
 * @param {HTMLTextAreaElement} box
 * @param {() => void} send
 * @param {{always?: boolean}} [options] `always` sends on touch keyboards too
 */
export function sendOnEnter(box, send, { always = false } = {}) {
  box.addEventListener('keydown', (event) => {
    if (!isSend(event) || (!always && matchMedia('(pointer: coarse)').matches)) return;
    event.preventDefault();
    send();
  });
}

/**
 * Sends typing signals, throttled, and one when typing ends.
 * @param {(on: boolean) => void} send
 */
export function createTypingNotice(send) {
  let lastSent = 0;
  return (/** @type {boolean} */ on) => {
    if (on && Date.now() - lastSent < TYPING_EVERY) return;
    if (!on && lastSent === 0) return;
    lastSent = on ? Date.now() : 0;
    send(on);
  };
}
