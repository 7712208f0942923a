// Says which domain has to be registered so that this page's guests find somebody, and where.
import { shown } from '../widget/domain.js';

document.getElementById('domain').textContent = shown(location.hostname);
document.getElementById('register').href = `../console/#/register/${location.hostname}`;
