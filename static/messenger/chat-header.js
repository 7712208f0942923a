// The head of the open chat, and what stands where there is nothing to read.
import { ApiError } from '../shared/api.js';
import { $, setText, show } from '../shared/dom.js';
import { plural } from '../shared/format.js';
import { lastSeen, typingText } from './people.js';

/** @typedef {import('./model.js').Chat} Chat */

/**
 * @param {import('./model.js').Model} model
 * @param {Chat | null} entry
 * @param {{missing: boolean, title?: string}} state whether there is no such chat, and what it was called if there was one
 */
export function renderHeader(model, entry, { missing, title = 'Chat not found' }) {
  setText($('room-title'), entry?.title ?? (missing ? title : 'Chat'));
  const typing = entry ? typingText(model.presence.typists(entry.id).map((id) => model.name(id))) : '';
  setText($('room-sub'), typing || (entry ? subtitle(model, entry) : ''));
  $('room-sub').classList.toggle('typing', typing !== '');
  show($('details-open'), Boolean(entry) && !missing);
  show($('search-here'), Boolean(entry?.member) && !missing);
  show($('composer'), Boolean(entry?.member) && !missing);
  show($('joining'), Boolean(entry && !entry.member) && !missing);
}

/**
 * @param {import('./model.js').Model} model
 * @param {Chat} entry
 */
function subtitle(model, entry) {
  if (entry.direct) return whereabouts(model, entry.person_id);
  const kind = entry.open ? 'Open to everyone' : 'Private';
  const count = typeof entry.members_count === 'number' ? `${plural(entry.members_count, 'member', 'members')} · ` : '';
  return `${count}${kind}${entry.description ? ` · ${entry.description}` : ''}`;
}

/**
 * @param {import('./model.js').Model} model
 * @param {number | null | undefined} person
 */
function whereabouts({ presence }, person) {
  const online = presence.isOnline(person);
  if (!person || online === null) return 'Only the two of you';
  return lastSeen({ online, last_seen: presence.seen.get(person) }) || 'Not here now';
}

/**
 * @param {object} state
 * @param {import('./room.js').Room} state.room
 * @param {Chat | null} state.entry
 * @param {unknown} state.fault
 * @param {boolean} state.waiting whether something is on its way
 * @param {string} [state.why] why the chat is gone
 */
export function renderBeginning({ room, entry, fault, waiting, why = 'This chat is not here any more, or never was.' }) {
  let text = '';
  if (isMissing(fault)) text = why;
  else if (!room.ready && fault) text = 'The messages cannot be loaded just now. They will come as soon as the server answers.';
  else if (!room.ready) text = 'Loading messages…';
  else if (room.messages.length === 0 && !waiting) {
    text = entry?.member ? firstWords(entry) : 'Nothing said yet. Join to be the first.';
  } else if (!room.more) text = 'This is where the chat begins.';
  setText($('beginning'), text);
  show($('beginning'), text !== '');
  $('beginning').classList.toggle('large', room.messages.length === 0);
}

/** Who begins a chat that nobody else can find needs others first. @param {Chat} entry */
function firstWords(entry) {
  const alone = !entry.open && !entry.direct && entry.members_count === 1;
  if (alone) return 'Only you are here so far. Add people, or invite them by a link, with the last button above.';
  return 'Nothing said yet. Write the first message below.';
}

/** Whether an error means that there is no such chat. @param {unknown} fault */
export const isMissing = (fault) => fault instanceof ApiError && fault.status === 404;
