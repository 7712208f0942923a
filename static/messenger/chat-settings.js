// What I have set for a chat, for myself alone: told to the server, and shown at once.
import { call } from '../shared/api.js';
import { tellFault } from './membership.js';

/**
 * @param {import('./model.js').Model} model
 * @param {number} chat
 * @param {Record<string, string>} change
 */
export async function setForMe(model, chat, change) {
  try {
    await call('PATCH', `/api/chats/${chat}/settings`, { form: change });
  } catch (error) {
    await tellFault(error);
    return;
  }
  const pinned = 'pinned' in change ? { pinned: change.pinned === 'true' } : {};
  const muted = 'muted_until' in change ? { muted_until: change.muted_until || null } : {};
  model.takeDone(/** @type {any} */ ({ id: chat, ...change, ...pinned, ...muted }));
}
