// The colour scheme, set before the first paint. A classic script, since modules run too late for that.
(function () {
  'use strict';
  var root = document.documentElement;
  var KEY = 'parlance.theme';

  function kept() {
    try {
      var value = localStorage.getItem(KEY);
      return value === 'light' || value === 'dark' ? value : 'system';
    } catch {
      return 'system';
    }
  }

  /** @param {string} theme */
  function show(theme) {
    if (theme === 'system') root.removeAttribute('data-theme');
    else root.setAttribute('data-theme', theme);
  }

  root.classList.add('js');
  show(kept());
  window.addEventListener('storage', function (event) {
    if (event.key === KEY) show(kept());
  });
  window.parlanceTheme = {
    get: kept,
    set: function (theme) {
      try {
        if (theme === 'system') localStorage.removeItem(KEY);
        else localStorage.setItem(KEY, theme);
      } catch {
        // Without storage the choice lasts until the page is closed.
      }
      show(theme);
    },
  };
})();
