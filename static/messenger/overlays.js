// What lies over the page: panels, dialogs, menus. None stays over another place than the one it was opened at.

const opened = () => /** @type {HTMLDialogElement[]} */ ([...document.querySelectorAll('dialog[open]')]);

/** Closes all of them, the last one first; whether there were any. */
export function closeOverlays() {
  const all = opened();
  for (const dialog of all.reverse()) dialog.close();
  return all.length > 0;
}

/** Which entry of the history this is, where the browser tells it. @returns {number | undefined} */
const entry = () => /** @type {any} */ (globalThis).navigation?.currentEntry?.index;

/**
 * Calls `route` when the address of the page changes. One step back closes what lies over the page first, and leaves the page
 * where it is.
 * @param {() => void} route
 */
export function followAddress(route) {
  let at = entry();
  window.addEventListener('hashchange', () => {
    const before = at;
    at = entry();
    const back = at !== undefined && before !== undefined && at === before - 1;
    if (closeOverlays() && back) history.forward();
    else route();
  });
}

/**
 * Goes to a place of this page, with nothing over it; done once it is shown.
 * @param {string} hash
 * @returns {Promise<void>}
 */
export function goTo(hash) {
  closeOverlays();
  if (location.hash === hash) return Promise.resolve();
  const there = new Promise((resolve) => addEventListener('hashchange', () => resolve(undefined), { once: true }));
  location.hash = hash;
  return there;
}
