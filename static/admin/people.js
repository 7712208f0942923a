// People: finding, making, inviting, promoting, deactivating.
import { call, get, post } from '../shared/api.js';
import { confirm } from '../shared/confirm.js';
import { $, busy, formError, h, input, onSubmit } from '../shared/dom.js';
import { briefly, hue, initials, plural } from '../shared/format.js';
import { explain } from '../messenger/error-text.js';
import { closeDetails, facts, openDetails, runInDetails, showLink, when } from './details.js';

/**
 * @typedef {object} Person
 * @property {number} id
 * @property {string} name
 * @property {string | null} email
 * @property {'messenger' | 'service' | null} account
 * @property {boolean} has_password
 * @property {boolean} second_factor
 * @property {boolean} administrator
 * @property {string} created_at
 * @property {string | null} deactivated_at
 * @property {string | null} last_seen
 * @property {number} logins
 */

/** @type {import('./section.js').Section} */
export const peopleSection = {
  title: 'People',
  lead: 'Everybody who has an account here. Open somebody to see what can be done.',
  path: '/api/admin/people',
  key: 'people',
  finder: 'Find people by name',
  only: true,
  empty: 'Nobody is here.',
  row: (person, view) => row(person, view),
  actions: (view) => [
    h('button', { class: 'button small', type: 'button', onclick: (/** @type {Event} */ event) => invite(view, event) }, 'Invite'),
    h('button', { class: 'button small primary', type: 'button', onclick: openMake }, 'New account'),
  ],
};

/**
 * @param {Person} person
 * @param {import('./section.js').SectionView} view
 */
function row(person, view) {
  const seen = person.last_seen ? `last seen ${briefly(person.last_seen)}` : 'not signed in';
  const tags = [
    person.administrator ? h('span', { class: 'tag' }, 'Administrator') : null,
    person.deactivated_at ? h('span', { class: 'tag bad' }, 'Deactivated') : null,
    person.account === 'service' ? h('span', { class: 'tag' }, 'Chat service') : null,
  ];
  return h(
    'li',
    { class: 'row' },
    h('span', { class: `face ${hue(person.id)}`, 'aria-hidden': 'true' }, initials(person.name)),
    h(
      'div',
      { class: 'row-words' },
      h('p', { class: 'row-title', dir: 'auto' }, person.name, ...tags),
      h('p', { class: 'row-sub' }, [person.email, seen].filter(Boolean).join(' · ')),
    ),
    h('button', { class: 'button small', type: 'button', 'aria-label': `Open ${person.name}`, onclick: () => open(person, view) }, 'Open'),
  );
}

/**
 * @param {Person} person
 * @param {import('./section.js').SectionView} view
 */
function open(person, view) {
  const base = `/api/admin/people/${person.id}`;
  /** @type {HTMLElement[]} */
  const body = [
    facts([
      ['Number', String(person.id)],
      ['E-mail', person.email],
      ['Signs in', person.account === 'service' ? 'by e-mail, to the chat service' : 'by name'],
      ['Second factor', person.second_factor ? 'on' : null],
      ['Since', when(person.created_at)],
      ['Last seen', when(person.last_seen)],
      ['Signed in', plural(person.logins, 'time', 'times')],
      ['Deactivated', when(person.deactivated_at)],
    ]),
  ];
  const again = async () => {
    if ($('details', HTMLDialogElement).open) open((await get(base)).body, view);
    await view.refresh();
  };
  if (person.account === 'messenger') body.push(renameForm(person, base, again));
  openDetails({ title: person.name, body, actions: actions(person, base) }, { again });
}

/**
 * @param {Person} person
 * @param {string} base
 * @returns {import('./details.js').Action[]}
 */
function actions(person, base) {
  /** @type {import('./details.js').Action[]} */
  const found = [];
  const removal = { label: 'Delete', kind: /** @type {const} */ ('danger'), work: () => remove(person, base) };
  if (person.deactivated_at) {
    return [{ label: 'Let in again', work: async () => (await post(`${base}/reactivate`)) && `${person.name} may sign in again.` }, removal];
  }
  if (person.logins > 0) {
    found.push({ label: 'Sign out everywhere', work: async () => (await post(`${base}/logout`)) && `${person.name} is signed out everywhere.` });
  }
  if (person.account) {
    found.push({ label: 'Link for a new password', work: () => passwordLink(person, base) });
  }
  if (person.second_factor) {
    found.push({ label: 'End the second factor', work: () => resetFactor(person, base) });
  }
  if (person.account === 'messenger') {
    found.push({ label: person.administrator ? 'Administrator no more' : 'Make administrator', work: () => office(person, base) });
  }
  found.push({ label: 'Deactivate', kind: 'danger', work: () => deactivate(person, base) }, removal);
  return found;
}

/**
 * @param {Person} person
 * @param {string} base
 */
async function remove(person, base) {
  const sure = await confirm({
    title: `Delete ${person.name}?`,
    text: `The account is gone for good and everywhere at once. What ${person.name} wrote stays, without the name, which is free again.`,
    yes: 'Delete account',
  });
  if (!sure) return null;
  await call('DELETE', base);
  closeDetails();
  return `${person.name} is deleted.`;
}

/**
 * @param {Person} person
 * @param {string} base
 */
async function resetFactor(person, base) {
  const sure = await confirm({
    title: `End the second factor of ${person.name}?`,
    text: `Do so when ${person.name} has lost the phone and the recovery codes, and you are sure who asks. The password alone then signs in, until ${person.name} turns it on again.`,
    yes: 'End it',
  });
  if (!sure) return null;
  await call('DELETE', `${base}/second-factor`);
  return `${person.name} has no second factor any more.`;
}

/**
 * The form by which a person gets another name.
 * @param {Person} person
 * @param {string} base
 * @param {() => Promise<void>} again
 */
function renameForm(person, base, again) {
  const form = h(
    'form',
    { class: 'inline-form', 'aria-label': 'Another name' },
    h(
      'div',
      { class: 'field' },
      h('label', { for: 'rename' }, 'Another name'),
      h('input', { id: 'rename', name: 'name', value: person.name, autocomplete: 'off', required: true, maxlength: '64' }),
    ),
    h('button', { class: 'button', type: 'submit' }, 'Rename'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const button = form.querySelector('button');
    const name = input(form, 'name').value.trim();
    const work = async () => (await call('PATCH', base, { form: { name } })) && `${person.name} is called ${name} now.`;
    if (button) runInDetails(button, work, again);
  });
  return form;
}

/**
 * @param {Person} person
 * @param {string} base
 */
async function passwordLink(person, base) {
  const { body } = await post(`${base}/password-link`);
  showLink(`A new password for ${person.name}`, `Give this link to ${person.name}.`, body.url, body.expires_at);
  return null;
}

/**
 * @param {Person} person
 * @param {string} base
 */
async function office(person, base) {
  const sure = await confirm(
    person.administrator
      ? { title: `Take ${person.name}'s office?`, text: `${person.name} stays here, and administers no more.`, yes: 'Take it' }
      : {
          title: `Make ${person.name} an administrator?`,
          text: `${person.name} can then do all that you can do on this page, also to you.`,
          yes: 'Make administrator',
        },
  );
  if (!sure) return null;
  await call('PATCH', base, { form: { administrator: String(!person.administrator) } });
  return person.administrator ? `${person.name} is no administrator any more.` : `${person.name} is an administrator now.`;
}

/**
 * @param {Person} person
 * @param {string} base
 */
async function deactivate(person, base) {
  const sure = await confirm({
    title: `Deactivate ${person.name}?`,
    text: `${person.name} is signed out everywhere at once and cannot sign in. What they wrote stays, and so does their name.`,
    yes: 'Deactivate',
  });
  if (!sure) return null;
  await post(`${base}/deactivate`);
  return `${person.name} is deactivated.`;
}

/**
 * @param {import('./section.js').SectionView} view
 * @param {Event} event
 */
function invite(view, event) {
  return busy(/** @type {HTMLElement} */ (event.currentTarget), async () => {
    try {
      const { body } = await post('/api/admin/invitations');
      showLink('An invitation', 'A person who has this link can make an account, even while registration is closed.', body.url, body.expires_at);
    } catch (error) {
      view.failed(error);
    }
  });
}

function openMake() {
  const form = $('make-form', HTMLFormElement);
  form.reset();
  formError(form, null);
  $('make', HTMLDialogElement).showModal();
  input(form, 'name').focus();
}

/** Wires the form for a new account once. @param {import('./section.js').SectionView} view */
export function wirePeople(view) {
  const form = $('make-form', HTMLFormElement);
  const work = async () => {
    const name = input(form, 'name').value.trim();
    const email = input(form, 'email').value.trim();
    const { body } = await post('/api/admin/people', email ? { name, email } : { name });
    $('make', HTMLDialogElement).close();
    await view.refresh();
    showLink(`${name} has an account`, `Give this link to ${name}, who sets a password by it.`, body.url, body.expires_at);
  };
  onSubmit(form, work, (error) => formError(form, explain(error), input(form, 'name')));
}
