// The support widget for any site, by one script tag:
//
//   <script src="https://chat.example/widget.js" async></script>
//
// Attributes, all optional: data-server (Parlance's address; by default that of this file), data-domain (else the
// page's host), data-color, data-side ("left" or "right"), and the texts, see widget/texts.js.
//
// This script stays small: it defines `ParlanceWidget` at once and imports the rest as modules.
(() => {
  'use strict';

  const tag = document.currentScript;
  if (!(tag instanceof HTMLScriptElement) || globalThis.ParlanceWidget) return;

  const started = import(new URL('widget/main.js', tag.src).href).then(({ start }) => start(tag));
  started.catch((error) => console.error('Parlance: the chat cannot be loaded.', error));
  // Calls made before the widget has loaded wait for it.
  const later = (/** @type {'open' | 'close' | 'reset'} */ name) => () =>
    started.then(
      (widget) => widget?.[name](),
      () => {},
    );

  const ready = started.then(Boolean, () => false);

  globalThis.ParlanceWidget = { open: later('open'), close: later('close'), reset: later('reset'), ready };
})();
