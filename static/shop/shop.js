// Fills in which domain has to be registered for this page's widget, with a link to the registration; and says so at the top
// while nobody has registered it.
import { $, setText, show } from '../shared/dom.js';
import { readableHost } from '../shared/hostname.js';

const register = `../console/#/register/${location.hostname}`;
for (const id of ['domain', 'missing-domain']) setText($(id), readableHost(location.hostname));
for (const id of ['register', 'missing-register']) $(id, HTMLAnchorElement).href = register;

/** The widget comes with a script of its own, before this one or after it. */
const loaded = globalThis.ParlanceWidget ? Promise.resolve() : new Promise((resolve) => addEventListener('load', resolve, { once: true }));

await loaded;
const open = await globalThis.ParlanceWidget?.ready;
show($('missing'), open === false);
show($('about'), open !== false);
