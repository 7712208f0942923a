// The widget's texts. Each can be replaced by an attribute of the script tag: data-name-label for nameLabel.

const TEXTS = {
  label: 'Chat with us',
  title: 'Chat with us',
  greeting: 'Hello! Tell us how we can help, and we answer right here.',
  nameLabel: 'Your name',
  emailLabel: 'Your e-mail',
  messageLabel: 'Your message',
  start: 'Start chat',
  thanks: 'Thank you. We have your message and answer right here; you may look around meanwhile.',
  away: 'Connecting… What you write is kept and goes out as soon as possible.',
  send: 'Send',
  close: 'Close',
  new: 'new',
  messages: 'Messages',
  you: 'You:',
  answer: 'Answer:',
  typing: 'Somebody is answering…',
  sending: 'Sending',
  waiting: 'Waiting to be sent',
  closed: 'This chat was closed. Write again and it goes on.',
  missing: 'Please fill in all three.',
  badName: 'Please give a shorter or simpler name.',
  badEmail: 'That does not look like an e-mail address.',
  tooLong: 'This message is too long. Please shorten it.',
  notSent: 'Not sent.',
  edit: 'Edit',
  delete: 'Delete',
  busy: 'Too many tries. Please wait a little and try again.',
  failed: 'That did not work. Please try again.',
};

/** @typedef {typeof TEXTS} Texts */

/** @param {HTMLElement} tag the script tag @returns {Texts} */
export function readTexts(tag) {
  const entries = Object.entries(TEXTS).map(([name, text]) => [name, tag.dataset[name] || text]);
  return /** @type {Texts} */ (Object.fromEntries(entries));
}
