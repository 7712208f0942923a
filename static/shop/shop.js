// Fills in which domain has to be registered for this page's widget, with a link to the registration.
import { $ } from '../shared/dom.js';
import { readableHost } from '../shared/hostname.js';

$('domain').textContent = readableHost(location.hostname);
$('register', HTMLAnchorElement).href = `../console/#/register/${location.hostname}`;
