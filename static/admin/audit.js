// What administrators did.
import { h } from '../shared/dom.js';
import { inFull } from '../shared/format.js';

/** @type {Record<string, string>} */
const ACTS = {
  create: 'made the account',
  invite: 'made an invitation',
  revoke_invitation: 'took an invitation back',
  rename: 'renamed',
  sign_out: 'signed out everywhere',
  end_login: 'ended a login of',
  password_link: 'made a link for a new password of',
  set_password: 'set a new password of',
  reset_second_factor: 'ended the second factor of',
  promote: 'made an administrator of',
  demote: 'took the office of',
  deactivate: 'deactivated',
  reactivate: 'let in again',
  delete: 'deleted',
  take_down: 'took down',
  suspend: 'suspended',
  resume: 'resumed',
  set_registration: 'changed registration to',
  create_webhook: 'registered',
  change_webhook: 'changed',
  delete_webhook: 'deleted',
};

/** @type {import('./section.js').Section} */
export const auditSection = {
  title: 'Audit',
  lead: 'Every act of an administrator, the newest first. Nobody can change what stands here.',
  path: '/api/admin/audit',
  key: 'audit',
  empty: 'Nothing was done yet.',
  row: (entry) => {
    const who = entry.by?.name ?? 'On the machine, somebody';
    const act = ACTS[entry.act] ?? entry.act;
    return h(
      'li',
      { class: 'row' },
      h(
        'div',
        { class: 'row-words' },
        h('p', { class: 'row-title', dir: 'auto' }, `${who} ${act} ${object(entry)}`.trim()),
        h('p', { class: 'row-sub' }, [inFull(entry.at), entry.address && `from ${entry.address}`, detail(entry)].filter(Boolean).join(' · ')),
      ),
    );
  },
};

/** What was acted on. @param {any} entry */
function object({ act, target, detail: said }) {
  if (act === 'set_registration') return said;
  if (target.kind === 'invitation') return `(number ${target.id})`;
  if (target.kind === 'message') return `message ${target.id}`;
  const name = target.name ?? `number ${target.id}`;
  return target.kind === 'person' ? name : `${target.kind} ${name}`;
}

/** What else there is to say. @param {any} entry */
const detail = ({ act, detail: said }) => (act === 'set_registration' ? null : said);
