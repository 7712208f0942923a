// The guest's chat on any site, by one script tag:
//
//   <script src="https://chat.example/widget.js" async></script>
//
// Attributes, all optional: data-server (where Parlance is; else where this file came from), data-domain (else the
// page's host), data-color, data-side ("left" or "right"), and the words, see widget/words.js.
//
// This script stays small: it makes the page's handle on the widget at once, and brings the rest as modules.
(() => {
  'use strict';

  const tag = document.currentScript;
  if (!(tag instanceof HTMLScriptElement) || globalThis.ParlanceWidget) return;

  const brought = import(new URL('widget/main.js', tag.src).href).then(({ start }) => start(tag));
  brought.catch((error) => console.error('Parlance: the chat cannot be loaded.', error));
  // What is called before the widget is there waits for it; where the widget stays away it does nothing.
  const later = (/** @type {'open' | 'close' | 'reset'} */ name) => () =>
    brought.then(
      (widget) => widget?.[name](),
      () => {},
    );

  globalThis.ParlanceWidget = { open: later('open'), close: later('close'), reset: later('reset') };
})();
