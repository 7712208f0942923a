// Joining and leaving the open chat.
import { post } from '../shared/api.js';
import { confirm } from '../shared/confirm.js';
import { explain } from './error-text.js';

/**
 * Says what went wrong, where no form could.
 * @param {unknown} error
 */
export const tellFault = (error) => confirm({ title: 'That did not work', text: explain(error), no: 'Close' });

/**
 * @param {import('./model.js').Model} model
 * @param {number} id
 */
export async function joinChat(model, id) {
  try {
    await post(`/api/chats/${id}/join`);
  } catch (error) {
    await tellFault(error);
    return false;
  }
  model.takeDone({ id, member: true });
  model.room(id).stale = true;
  return true;
}

/**
 * @param {import('./model.js').Model} model
 * @param {number} id
 * @param {import('./read-marks.js').ReadMarks} readMarks
 */
export async function leaveChat(model, id, readMarks) {
  const entry = model.chats.get(id);
  if (!entry) return;
  const text = entry.open
    ? 'It leaves your list. Since it is open to everyone, you can join again at any time.'
    : 'It leaves your list, and only somebody inside can bring you back.';
  if (!(await confirm({ title: `Leave “${entry.title}”?`, text, yes: 'Leave' }))) return;
  await readMarks.settle(id);
  try {
    await post(`/api/chats/${id}/leave`);
  } catch (error) {
    await tellFault(error);
    return;
  }
  model.takeDone({ id, member: false, role: null, unread: 0 });
  if (!entry.open) model.chats.delete(id);
  location.hash = '#/';
}
