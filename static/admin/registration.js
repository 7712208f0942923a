// Who may sign up, and the invitations that are out.
import { call, get } from '../shared/api.js';
import { confirm } from '../shared/confirm.js';
import { h } from '../shared/dom.js';
import { inFull } from '../shared/format.js';

/** @type {[string, string, string][]} */
const MODES = [
  ['open', 'Open', 'Anybody may make an account.'],
  ['invitation', 'By invitation', 'Who has an invitation may make an account, and the page says so.'],
  ['closed', 'Closed', 'No account is offered. Who has an invitation may make one nevertheless.'],
];

/** @param {string} mode */
const nameOf = (mode) => (MODES.find(([word]) => word === mode)?.[1] ?? mode).toLowerCase();

/** @type {import('./section.js').Section} */
export const registrationSection = {
  title: 'Registration',
  lead: 'Who may make an account. What you choose holds at once, and over restarts.',
  draw: async (view) => {
    const [{ body: registration }, { body: sent }] = await Promise.all([get('/api/admin/registration'), get('/api/admin/invitations?limit=200')]);
    return [modes(registration, view), ...invitations(sent.invitations ?? [], view)];
  },
};

/**
 * @param {{registration: string, default: string, chosen: string | null}} registration
 * @param {import('./section.js').SectionView} view
 */
function modes(registration, view) {
  const preset = `As in the settings: ${nameOf(registration.default)}.`;
  const choices = [...MODES, /** @type {[string, string, string]} */ (['default', 'As the settings say', preset])];
  const chosen = registration.chosen ?? 'default';
  const group = h('fieldset', { class: 'options' }, h('legend', { class: 'sr-only' }, 'Who may make an account'));
  for (const [mode, title, text] of choices) {
    const radio = h('input', { type: 'radio', name: 'registration', value: mode, checked: mode === chosen });
    radio.addEventListener('change', () =>
      view.act(radio, () => call('PUT', '/api/admin/registration', { form: { registration: mode } }), `Registration: ${title.toLowerCase()}.`),
    );
    group.append(h('label', { class: 'option' }, radio, h('span', {}, h('b', {}, title), ' ', h('span', { class: 'hint' }, text))));
  }
  return group;
}

/**
 * @param {{id: number, made_by: {name: string}, created_at: string, expires_at: string}[]} sent
 * @param {import('./section.js').SectionView} view
 */
function invitations(sent, view) {
  const title = h('h3', { class: 'sub-title' }, 'Invitations');
  if (sent.length === 0) return [title, h('p', { class: 'row-sub' }, 'No invitation is out. You make one among the people.')];
  const rows = sent.map(({ id, made_by: by, created_at: made, expires_at: expires }) => {
    const button = h('button', { class: 'button small danger-quiet', type: 'button', 'aria-label': `Take back invitation ${id}` }, 'Take back');
    button.addEventListener('click', async () => {
      const sure = await confirm({ title: 'Take this invitation back?', text: 'Nobody can make an account by it any more.', yes: 'Take back' });
      if (sure) await view.act(button, () => call('DELETE', `/api/admin/invitations/${id}`), 'The invitation is taken back.');
    });
    return h(
      'li',
      { class: 'row' },
      h(
        'div',
        { class: 'row-words' },
        h('p', { class: 'row-title' }, `Invitation ${id}, by ${by.name}`),
        h('p', { class: 'row-sub' }, `since ${inFull(made)}, good until ${inFull(expires)}`),
      ),
      button,
    );
  });
  return [title, h('ul', { class: 'rows' }, ...rows)];
}
