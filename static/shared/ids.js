// Random identifiers for requests, messages and tabs.

/** `bytes` random bytes in hexadecimal; also on pages without TLS. */
export function randomId(bytes = 16) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const TAB = 'parlance.tab';

/** The identifier of this tab. A reload keeps it. */
export function tabId() {
  try {
    const known = sessionStorage.getItem(TAB) ?? randomId(8);
    sessionStorage.setItem(TAB, known);
    return known;
  } catch {
    // Without storage every page load counts as a tab of its own.
    return randomId(8);
  }
}
