// Says which domain has to be registered so that this page's guests find somebody.
document.getElementById('domain').textContent = location.hostname;
