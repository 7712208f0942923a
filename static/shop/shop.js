// Says which domain has to be registered so that this page's guests find somebody, and where.
document.getElementById('domain').textContent = location.hostname;
document.getElementById('register').href = `/console/#/register/${location.hostname}`;
