// Administration: signing in, and one section at a time.
import { ApiError, get, post } from '../shared/api.js';
import { $, busy, setText, show, wireCloseButtons, wireThemeChoice } from '../shared/dom.js';
import { explain } from '../messenger/error-text.js';
import { auditSection } from './audit.js';
import { chatsSection } from './chats.js';
import { figuresSection } from './figures.js';
import { loginsSection } from './logins.js';
import { peopleSection, wirePeople } from './people.js';
import { registrationSection } from './registration.js';
import { openSignIn, refuse } from './sign-in.js';
import { SectionView } from './section.js';
import { tenantsSection } from './tenants.js';

/** @typedef {import('./section.js').Section} Section */

/** @type {Record<string, Section>} */
const SECTIONS = {
  people: peopleSection,
  chats: chatsSection,
  tenants: tenantsSection,
  logins: loginsSection,
  registration: registrationSection,
  audit: auditSection,
  figures: figuresSection,
};

/** Ends the login of this browser, and begins the page anew. */
async function leave() {
  try {
    await post('/api/logout');
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) {
      setText($('section-error-text'), explain(error));
      show($('section-error'), true);
      $('settings', HTMLDialogElement).close();
      return;
    }
  }
  location.reload();
}

/** @param {{id: number, name: string}} me */
function openApp(me) {
  show($('entry'), false);
  show($('app'), true);
  setText($('who'), me.name);
  wireCloseButtons();
  wireThemeChoice($('settings', HTMLDialogElement));
  $('settings-open').addEventListener('click', () => $('settings', HTMLDialogElement).showModal());
  $('logout').addEventListener('click', () => busy($('logout'), leave));
  $('skip').addEventListener('click', (event) => {
    event.preventDefault();
    $('section').focus();
  });
  const view = new SectionView({ ended: () => location.reload() });
  wirePeople(view);

  /** @param {boolean} byHand whether somebody followed a link, and is led to what it opened */
  function route(byHand) {
    const name = /^#\/([a-z]+)/u.exec(location.hash)?.[1] ?? 'people';
    const known = Object.hasOwn(SECTIONS, name) ? name : 'people';
    for (const link of document.querySelectorAll('.admin-nav a')) {
      if (link.getAttribute('href') === `#/${known}`) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    view.open(SECTIONS[known]);
    if (byHand) $('section-title').focus();
  }

  window.addEventListener('hashchange', () => route(true));
  route(false);
}

async function begin() {
  try {
    const { body: me } = await get('/api/me');
    try {
      await get('/api/admin/registration');
      openApp(me);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 403)) throw error;
      refuse(me.name, leave);
    }
  } catch (error) {
    const stranger = error instanceof ApiError && error.status === 401;
    openSignIn({ notice: stranger ? null : explain(error), entered: () => location.reload() });
  }
}

begin();
