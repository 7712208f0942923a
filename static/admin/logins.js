// Who is signed in, and ending a login.
import { call } from '../shared/api.js';
import { confirm } from '../shared/confirm.js';
import { h } from '../shared/dom.js';
import { briefly, inFull } from '../shared/format.js';

/** @type {import('./section.js').Section} */
export const loginsSection = {
  title: 'Signed in',
  lead: 'Every browser and program that is signed in, the newest first.',
  path: '/api/admin/logins',
  key: 'logins',
  empty: 'Nobody is signed in.',
  row: (login, view) => {
    const button = h('button', { class: 'button small', type: 'button', 'aria-label': `Sign out ${login.person.name} there` }, 'Sign out');
    button.addEventListener('click', async () => {
      const sure = await confirm({
        title: `Sign ${login.person.name} out there?`,
        text: 'This one browser or program has to sign in again.',
        yes: 'Sign out',
      });
      if (sure) await view.act(button, () => call('DELETE', `/api/admin/logins/${login.id}`), `${login.person.name} is signed out there.`);
    });
    const used = login.connected ? 'connected now' : `last used ${briefly(login.used_at)}`;
    return h(
      'li',
      { class: 'row' },
      h(
        'div',
        { class: 'row-words' },
        h('p', { class: 'row-title', dir: 'auto' }, login.person.name, login.connected ? h('span', { class: 'tag' }, 'Connected') : null),
        h('p', { class: 'row-sub' }, [`since ${inFull(login.created_at)}`, used, login.address].filter(Boolean).join(' · ')),
        login.client ? h('p', { class: 'row-sub' }, login.client) : null,
      ),
      button,
    );
  },
};
