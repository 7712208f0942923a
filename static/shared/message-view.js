// The message list of one chat: days, groups by sender, pending and rejected messages.
import { h, icon, reconcile, within } from './dom.js';
import { LONGEST, bytesOf, dayKey, dayName, exactly, inFull, initials, pieces, timeOfDay } from './format.js';

/** @typedef {import('./dom.js').Child} Child */
/** @typedef {import('./dom.js').Item} Item */
/** @typedef {import('./outbox.js').Entry} Entry */

const GROUP_GAP = 5 * 60_000;

/**
 * @typedef {object} Line a message to show
 * @property {string} key
 * @property {unknown} sender messages of one sender are grouped
 * @property {string} time
 * @property {string} content
 * @property {'me' | 'colleague' | 'other'} by
 * @property {string} [name] the sender's name, unless it is the own one
 * @property {string} [hue] the sender's colour
 * @property {boolean} [named] whether the name stands above the first of a group
 * @property {string | null} [edited] when it was edited
 * @property {boolean} [deleted]
 * @property {boolean} [seen] whether the other side has read as far as this
 * @property {boolean} [divided] whether the line "New" goes before it
 * @property {Entry} [entry] the outbox entry, for a message that is not confirmed yet
 * @property {string} [version] another version of the same message says something else
 * @property {string} [look] with another look it has something else beside it or below it
 * @property {string | null} [photo] of the sender
 * @property {number} [id] the id of the message, once it has one
 */

/**
 * @typedef {object} Actions what can be done with a refused message
 * @property {(entry: Entry) => void} retry
 * @property {(entry: Entry) => void} edit
 * @property {(entry: Entry) => void} remove
 */

/**
 * @typedef {object} Options
 * @property {Actions} actions
 * @property {boolean} sending whether the connection stands, so that what waits goes out just now
 * @property {(line: Line) => Child[]} [draw] draws what is said; without it addresses are all that is more than text
 * @property {(line: Line) => Item[]} [below] what stands below the bubble
 * @property {(line: Line) => Child} [face] draws the sender's face
 * @property {(time: string) => void} [pickDay] goes from the day of this time to another
 * @property {(id: number) => boolean} [found] whether a message stands out just now, because it was sought
 */

/**
 * The items for `reconcile`.
 * @param {Line[]} lines
 * @param {Options} options
 */
export function messageItems(lines, options) {
  /** @type {Item[]} */
  const items = [];
  /** How often each day begins: a clock that is wrong goes back to one that has been. @type {Map<string, number>} */
  const begun = new Map();
  lines.forEach((line, at) => {
    const before = lines[at - 1];
    const after = lines[at + 1];
    if (!before || dayKey(before.time) !== dayKey(line.time)) {
      const day = dayKey(line.time);
      const times = (begun.get(day) ?? 0) + 1;
      begun.set(day, times);
      items.push(dayItem(line.time, times > 1 ? `day ${day} ${times}` : `day ${day}`, options.pickDay));
    }
    if (line.divided) items.push(dividerItem());
    items.push(messageItem(line, { ...options, first: !before || !together(before, line), last: !after || !together(line, after) }));
  });
  return items;
}

/**
 * @param {Line} before
 * @param {Line} line
 */
function together(before, line) {
  return (
    before.sender === line.sender && dayKey(before.time) === dayKey(line.time) && Date.parse(line.time) - Date.parse(before.time) < GROUP_GAP && !line.divided
  );
}

/**
 * @param {string} time
 * @param {string} key
 * @param {Options['pickDay']} pick
 * @returns {Item}
 */
function dayItem(time, key, pick) {
  const name = dayName(time);
  const shown = () =>
    pick ? h('button', { type: 'button', tabindex: '-1', title: 'Go to another day', onclick: () => pick(time) }, name) : h('span', {}, name);
  return { key, print: name, make: () => h('li', { class: 'day' }, shown()) };
}

/** @returns {Item} */
function dividerItem() {
  return { key: 'new', print: '', make: () => h('li', { class: 'divider' }, h('span', {}, 'New')) };
}

/**
 * @typedef {Options & {first: boolean, last: boolean}} Placed
 */

/**
 * @param {Line} line
 * @param {Placed} options
 * @returns {Item}
 */
function messageItem(line, options) {
  const { first, last, sending } = options;
  const { key, name, edited, deleted, seen, entry, version, look } = line;
  const found = isFound(line, options);
  const patch = (/** @type {HTMLElement} */ row) => fillMessage(row, line, options);
  return {
    key,
    print: JSON.stringify([name, first, last, found, edited, deleted, seen, entry && [entry.refused, sending], version, look]),
    make: () => {
      const row = h('li');
      patch(row);
      return row;
    },
    patch,
  };
}

/**
 * Whether a message stands out just now.
 * @param {Line} line
 * @param {Placed} options
 */
const isFound = ({ id }, { found }) => id !== undefined && Boolean(found?.(id));

/**
 * @param {Line} line
 * @param {Placed} options
 */
function classesOf(line, options) {
  const { by, deleted, entry } = line;
  const { first, last } = options;
  const classes = ['message', by === 'other' ? 'theirs' : 'mine'];
  if (by === 'colleague') classes.push('colleague');
  if (first) classes.push('first');
  if (last) classes.push('last');
  if (deleted) classes.push('gone');
  if (isFound(line, options)) classes.push('found');
  if (entry) classes.push(entry.refused ? 'failed' : 'pending');
  return classes.join(' ');
}

/**
 * Puts into a row what is to be in it. What is the same as before stays: somebody may have selected words of the message, or
 * be about to press something of it, while others read it or react to it.
 * @param {HTMLElement} row
 * @param {Line} line
 * @param {Placed} options
 */
function fillMessage(row, line, options) {
  const { by, name, photo, id } = line;
  const { first, face = drawFace } = options;
  row.className = classesOf(line, options);
  if (id !== undefined) row.dataset.message = String(id);
  // What it weighs is measured again.
  delete row.dataset.weighed;
  const nobody = () => h('span', { class: 'face small', 'aria-hidden': 'true' });
  const beside = { key: 'face', print: JSON.stringify([first, name, photo]), make: () => /** @type {HTMLElement} */ (first ? face(line) : nobody()) };
  const said = { key: 'said', print: '', make: () => h('div', { class: 'said' }) };
  reconcile(row, by === 'other' ? [beside, said] : [said]);
  reconcile(within(row, '.said'), partsOf(line, options));
}

/**
 * What is said, and what stands above and below it.
 * @param {Line} line
 * @param {Placed} options
 * @returns {Item[]}
 */
function partsOf(line, options) {
  const { first, last, sending, actions, draw = linkedLine, below } = options;
  const { by, name, hue, named, time, edited, deleted, seen, entry, version } = line;
  const found = isFound(line, options);
  // What was sought is seen with who said it and when, wherever in a row of messages it stands.
  const author = found ? `${by === 'me' ? 'You' : name} · ${inFull(time)}` : name;
  const from = { key: 'from', print: `${author}`, make: () => h('p', { class: `from ${hue}`, 'aria-hidden': 'true', dir: 'auto' }, author) };
  const words = () => (deleted ? [h('em', {}, 'This message was deleted')] : draw(line));
  const said = {
    key: 'bubble',
    print: JSON.stringify([name, edited, deleted, entry && [entry.refused], version]),
    make: () => bubble(spokenBefore(line), words(), when(line)),
  };
  const kind = entry?.refused ? 'refused' : last ? 'last' : edited && !deleted ? 'edited' : '';
  const foot = {
    key: 'foot',
    print: JSON.stringify([kind, entry && [entry.refused, sending], time, edited, deleted, seen]),
    make: () => (entry?.refused ? refusal(entry, actions) : last ? footnote(line, sending) : h('p', { class: 'meta' }, 'Edited')),
  };
  return [...(found || (first && named) ? [from] : []), said, ...(below?.(line) ?? []), ...(kind ? [foot] : [])];
}

/** When exactly it was said, and when it was changed. @param {Pick<Line, 'time' | 'edited'>} message */
export const when = ({ time, edited }) => (edited ? `${exactly(time)}\nEdited ${exactly(edited)}` : exactly(time));

/** @param {Line} line */
const linkedLine = (line) => linked(line.content);

/** @param {Line} line */
const drawFace = ({ name = '', hue = '' }) => h('span', { class: `face small ${hue}`, 'aria-hidden': 'true' }, initials(name));

/** What screen readers read out before a message. @param {Line} line */
function spokenBefore({ by, name, time, entry }) {
  if (entry) return entry.refused ? 'You, not sent: ' : 'You, waiting to be sent: ';
  return `${by === 'me' ? 'You' : name}, ${timeOfDay(time)}: `;
}

/**
 * @param {string} spoken read out before the text by screen readers
 * @param {Child[]} content
 * @param {string} [title]
 */
export function bubble(spoken, content, title) {
  return h('div', { class: 'bubble', dir: 'auto', title }, h('span', { class: 'sr-only' }, spoken), content);
}

/** A text whose addresses can be followed. @param {string} text @returns {Child[]} */
export function linked(text) {
  return pieces(text).map(({ text: piece, link }) => (link ? h('a', { href: link, target: '_blank', rel: 'noopener noreferrer nofollow' }, piece) : piece));
}

/**
 * @param {Line} line
 * @param {boolean} sending
 */
function footnote({ by, time, edited, deleted, seen, entry }, sending) {
  if (entry) return h('p', { class: 'meta', 'aria-hidden': 'true' }, sending ? 'Sending' : 'Waiting to be sent', icon('clock'));
  return h(
    'p',
    { class: 'meta' },
    edited && !deleted ? 'Edited · ' : null,
    h('time', { datetime: time, title: exactly(time), 'aria-hidden': 'true' }, timeOfDay(time)),
    seen && by === 'me' ? '· Seen' : null,
    by === 'me' ? icon('check') : null,
  );
}

/**
 * @param {Entry} entry
 * @param {Actions} actions
 */
function refusal(entry, actions) {
  const button = (/** @type {string} */ name, /** @type {(entry: Entry) => void} */ work) =>
    h('button', { class: 'link', type: 'button', onclick: () => work(entry) }, name);
  return h(
    'div',
    { class: 'meta refused' },
    h('span', {}, icon('alert'), `Not sent: ${entry.refused}`),
    // What is too long would be refused again.
    bytesOf(entry.content) > LONGEST ? null : button('Try again', actions.retry),
    button('Edit', actions.edit),
    button('Delete', actions.remove),
  );
}
