// Sites with live support, and apps: whose they are, how much happens there, and stopping them.
import { post } from '../shared/api.js';
import { confirm } from '../shared/confirm.js';
import { h } from '../shared/dom.js';
import { briefly, plural } from '../shared/format.js';

/**
 * @typedef {object} Tenant
 * @property {number} id
 * @property {'site' | 'app'} kind
 * @property {string} name
 * @property {string[]} domains
 * @property {{id: number, name: string, email: string | null}[]} owners
 * @property {number} people
 * @property {number} chats
 * @property {number} messages
 * @property {string} created_at
 * @property {string | null} suspended_at
 */

/** @type {import('./section.js').Section} */
export const tenantsSection = {
  title: 'Sites and apps',
  lead: 'Web sites with live support, and applications that embed chat or use it as a service. Whatever is suspended is refused everywhere, and loses nothing.',
  path: '/api/admin/tenants',
  key: 'tenants',
  empty: 'There are no sites and no apps.',
  row: (tenant, view) => row(tenant, view),
};

/**
 * @param {Tenant} tenant
 * @param {import('./section.js').SectionView} view
 */
function row(tenant, view) {
  const owners = tenant.owners.map(({ email, name }) => email ?? name).join(', ');
  const counted = [plural(tenant.people, 'person', 'people'), plural(tenant.chats, 'chat', 'chats'), plural(tenant.messages, 'message', 'messages')];
  const label = tenant.suspended_at ? 'Resume' : 'Suspend';
  const button = h(
    'button',
    { class: tenant.suspended_at ? 'button small' : 'button small danger-quiet', type: 'button', 'aria-label': `${label} ${tenant.name}` },
    label,
  );
  button.addEventListener('click', () => turn(tenant, view, button));
  return h(
    'li',
    { class: 'row' },
    h(
      'div',
      { class: 'row-words' },
      h(
        'p',
        { class: 'row-title', dir: 'auto' },
        tenant.name,
        h('span', { class: 'tag' }, tenant.kind === 'site' ? 'Site' : 'App'),
        tenant.suspended_at ? h('span', { class: 'tag bad' }, `Suspended ${briefly(tenant.suspended_at)}`) : null,
      ),
      h('p', { class: 'row-sub' }, [owners, tenant.domains.join(', ')].filter(Boolean).join(' · ')),
      h('p', { class: 'row-sub' }, counted.join(' · ')),
    ),
    button,
  );
}

/**
 * @param {Tenant} tenant
 * @param {import('./section.js').SectionView} view
 * @param {HTMLElement} button
 */
async function turn(tenant, view, button) {
  if (tenant.suspended_at) {
    await view.act(button, () => post(`/api/admin/tenants/${tenant.id}/resume`), `${tenant.name} goes on.`);
    return;
  }
  const sure = await confirm({
    title: `Suspend ${tenant.name}?`,
    text: `All its ${plural(tenant.people, 'person is', 'people are')} cut off at once, with its owners, until you resume it.`,
    yes: 'Suspend',
  });
  if (sure) await view.act(button, () => post(`/api/admin/tenants/${tenant.id}/suspend`), `${tenant.name} is suspended.`);
}
