// Random identifiers, for what a server or another tab has to tell apart.

/** `bytes` random bytes in hexadecimal; also where the page came without TLS. */
export function randomId(bytes = 16) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const TAB = 'parlance.tab';

/** The identifier of this tab. A page that is loaded again in the tab has the same one. */
export function tabId() {
  try {
    const known = sessionStorage.getItem(TAB) ?? randomId(8);
    sessionStorage.setItem(TAB, known);
    return known;
  } catch {
    // Storage may be forbidden; then every page counts as a tab of its own.
    return randomId(8);
  }
}
