// Says which domain has to be registered so that this page's guests find somebody, and where.
import { $ } from '../shared/dom.js';
import { readableHost } from '../shared/hostname.js';

$('domain').textContent = readableHost(location.hostname);
$('register', HTMLAnchorElement).href = `../console/#/register/${location.hostname}`;
