// One chat's messages as page parts: days, groups of one sender, what waits to be sent.
import { h, icon } from './dom.js';
import { LONGEST, bytesOf, dayKey, dayName, hue, inFull, initials, pieces, timeOfDay } from './words.js';

const GROUP_GAP = 5 * 60_000;

/** The items for `reconcile`. `divider` is the id of the first message that was unread when the chat was opened. */
export function messageItems({ model, room, waiting, divider, trying, actions }) {
  const known = new Set(room.messages.map((message) => message.client_id).filter(Boolean));
  const lines = [
    ...room.messages.map((message) => ({ message, time: message.time, sender: message.sender_id })),
    ...waiting
      .filter((entry) => !known.has(entry.client_id))
      .map((entry) => ({ entry, time: entry.written, sender: model.me.id })),
  ];
  const items = [];
  lines.forEach((line, at) => {
    const before = lines[at - 1];
    const after = lines[at + 1];
    if (!before || dayKey(before.time) !== dayKey(line.time)) items.push(dayItem(line.time));
    if (line.message && line.message.id === divider) items.push(dividerItem());
    const first = !together(before, line, divider);
    const last = !after || !together(line, after, divider);
    items.push(line.message ? messageItem(model, line.message, first, last) : entryItem(line.entry, { first, last, trying, actions }));
  });
  return items;
}

function together(before, line, divider) {
  return (
    before !== undefined &&
    before.sender === line.sender &&
    dayKey(before.time) === dayKey(line.time) &&
    Date.parse(line.time) - Date.parse(before.time) < GROUP_GAP &&
    line.message?.id !== divider
  );
}

function dayItem(time) {
  const name = dayName(time);
  return {
    key: `day ${dayKey(time)}`,
    print: name,
    make: () => h('li', { class: 'day' }, h('span', {}, name)),
  };
}

function dividerItem() {
  return { key: 'new', print: '', make: () => h('li', { class: 'divider' }, h('span', {}, 'New')) };
}

function messageItem(model, message, first, last) {
  const mine = message.sender_id === model.me.id;
  const name = model.name(message.sender_id);
  return {
    key: mine && message.client_id ? `mine ${message.client_id}` : `message ${message.id}`,
    print: JSON.stringify([message.id, name, first, last, message.edited_at, message.deleted_at]),
    make: () => {
      const gone = Boolean(message.deleted_at);
      const text = gone ? [h('em', {}, 'This message was deleted')] : written(message.content);
      const edited = message.edited_at && !gone ? 'Edited · ' : '';
      return h(
        'li',
        { class: shape(mine, first, last) + (gone ? ' gone' : '') },
        mine ? null : h('span', { class: `face small ${hue(message.sender_id)}`, 'aria-hidden': 'true' }, first ? initials(name) : ''),
        h(
          'div',
          { class: 'said' },
          first && !mine ? h('p', { class: `from ${hue(message.sender_id)}`, 'aria-hidden': 'true', dir: 'auto' }, name) : null,
          h(
            'div',
            { class: 'bubble', dir: 'auto', title: inFull(message.time) },
            h('span', { class: 'sr-only' }, `${mine ? 'You' : name}, ${timeOfDay(message.time)}: `),
            text,
          ),
          last
            ? h(
                'p',
                { class: 'meta', 'aria-hidden': 'true' },
                edited,
                h('time', { datetime: message.time }, timeOfDay(message.time)),
                mine ? icon('check') : null,
              )
            : null,
        ),
      );
    },
  };
}

function entryItem(entry, { first, last, trying, actions }) {
  const state = entry.refused ? 'failed' : 'pending';
  return {
    key: `mine ${entry.client_id}`,
    print: JSON.stringify([state, entry.refused, first, last, trying]),
    make: () =>
      h(
        'li',
        { class: `${shape(true, first, last)} ${state}` },
        h(
          'div',
          { class: 'said' },
          h(
            'div',
            { class: 'bubble', dir: 'auto' },
            h('span', { class: 'sr-only' }, entry.refused ? 'You, not sent: ' : 'You, waiting to be sent: '),
            written(entry.content),
          ),
          entry.refused ? refusal(entry, actions) : waitingLine(trying, last),
        ),
      ),
  };
}

function waitingLine(trying, last) {
  if (!last) return null;
  return h('p', { class: 'meta', 'aria-hidden': 'true' }, trying ? 'Sending' : 'Waiting to be sent', icon('clock'));
}

function refusal(entry, actions) {
  return h(
    'div',
    { class: 'meta refused' },
    h('span', {}, icon('alert'), `Not sent: ${entry.refused}`),
    bytesOf(entry.content) > LONGEST
      ? null
      : h('button', { class: 'link', type: 'button', onclick: () => actions.again(entry.client_id) }, 'Try again'),
    h('button', { class: 'link', type: 'button', onclick: () => actions.edit(entry.client_id) }, 'Edit'),
    h('button', { class: 'link', type: 'button', onclick: () => actions.remove(entry.client_id) }, 'Delete'),
  );
}

function shape(mine, first, last) {
  return `message ${mine ? 'mine' : 'theirs'}${first ? ' first' : ''}${last ? ' last' : ''}`;
}

function written(content) {
  return pieces(content).map((piece) =>
    piece.link ? h('a', { href: piece.link, target: '_blank', rel: 'noopener noreferrer' }, piece.text) : piece.text,
  );
}
