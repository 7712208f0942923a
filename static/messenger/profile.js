// What I say of myself: name, address, photo; and the end of the account.
import { ApiError, call } from '../shared/api.js';
import { confirm } from '../shared/confirm.js';
import { $, busy, firstFault, formError, h, setText } from '../shared/dom.js';
import { drawFace, isShown } from './face.js';
import { explain } from './error-text.js';
import { withPassword } from './password-again.js';
import { errorLine, labelled, openSheet } from './sheet.js';

/** @param {import('./model.js').Me} me */
function photoHint(me) {
  if (!me.external_photos) return 'The address of a picture. This server shows initials here; other programs may show the picture.';
  return 'The https address of a picture; without one you are your initials. Where the picture is learns the network address of everybody who sees it.';
}

export class Profile {
  /**
   * @param {import('./model.js').Model} model
   * @param {(notice: string) => void} left called when the account is gone
   */
  constructor(model, left) {
    this.model = model;
    this.left = left;
    $('profile-open').addEventListener('click', () => this.open());
    this.render();
  }

  /** Who I am, at the top of the account dialog. */
  render() {
    const { me } = this.model;
    setText($('who-name'), me.name);
    setText($('who-email'), me.email ?? '');
    $('who-face').replaceChildren(drawFace({ id: me.id, name: me.name, photo: this.model.photo(me.id) }));
  }

  open() {
    const { me } = this.model;
    const sheet = openSheet('Your profile');
    const name = h('input', { name: 'name', required: true, maxlength: '64', value: me.name, autocomplete: 'username', spellcheck: 'false' });
    const email = h('input', { name: 'email', type: 'email', required: true, value: me.email ?? '', autocomplete: 'email' });
    const photo = h('input', { name: 'photo', type: 'url', value: this.model.photo(me.id) ?? '', placeholder: 'https://…', autocomplete: 'photo' });
    const done = h('p', { class: 'hint', role: 'status' });
    const save = h('button', { class: 'button primary', type: 'submit' }, 'Save');
    const form = h(
      'form',
      { class: 'stack', novalidate: true, 'aria-label': 'Profile' },
      labelled('Name', name, 'You sign in with it, and everybody sees it. It changes everywhere at once.'),
      labelled('E-mail', email),
      labelled('Photo', photo, photoHint(me)),
      errorLine(),
      h('div', { class: 'row-end' }, done, save),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      busy(save, () => this.save(form, done));
    });
    const more = h(
      'div',
      { class: 'choice row-split' },
      h('a', { class: 'button', href: 'api/me/export', download: 'parlance-export.ndjson' }, 'Download my data'),
      h('button', { class: 'button danger-quiet', type: 'button', onclick: () => this.remove() }, 'Delete my account'),
    );
    sheet.body.append(form, more);
    name.focus();
  }

  /**
   * @param {HTMLFormElement} form
   * @param {HTMLElement} done
   */
  async save(form, done) {
    const { me } = this.model;
    const fault = firstFault(form);
    formError(form, fault?.text, fault?.field);
    setText(done, '');
    if (fault) return;
    const fields = /** @type {Record<string, string>} */ (Object.fromEntries(new FormData(form)));
    /** @type {any} */
    let body;
    try {
      const saved = await withPassword(
        'Change your profile',
        async (proof) => {
          ({ body } = await call('PATCH', '/api/me', { form: { ...fields, ...proof } }));
        },
        'Save',
      );
      if (!saved) return;
      this.model.addPeople([{ id: body.id, name: body.name, photo: body.photo ?? null }]);
      Object.assign(this.model.me, { name: body.name, email: body.email });
      this.model.changed();
      this.render();
      const unseen = body.photo && me.external_photos && !isShown(body.photo);
      setText(done, unseen ? 'Saved. Only a photo with an https address is seen here.' : 'Saved.');
    } catch (error) {
      formError(form, explain(error));
    }
  }

  async remove() {
    const text = 'What you wrote stays, under the name “deleted”. Your name becomes free, and you are signed out everywhere. This cannot be undone.';
    if (!(await confirm({ title: 'Delete your account?', text, yes: 'Delete my account' }))) return;
    const sheet = openSheet('Delete your account');
    const password = h('input', { name: 'password', type: 'password', required: true, autocomplete: 'current-password' });
    const button = h('button', { class: 'button danger', type: 'submit' }, 'Delete my account for good');
    const form = h('form', { class: 'stack', novalidate: true }, labelled('Your password', password), errorLine(), h('div', { class: 'row-end' }, button));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      busy(button, () => this.end(form));
    });
    sheet.body.append(form);
    password.focus();
  }

  /** @param {HTMLFormElement} form */
  async end(form) {
    try {
      await call('DELETE', '/api/me', { form: new FormData(form) });
      this.left('Your account is deleted.');
    } catch (error) {
      formError(form, explain(error), error instanceof ApiError ? /** @type {HTMLInputElement} */ (form.elements.namedItem('password')) : null);
    }
  }
}
