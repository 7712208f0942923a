// One tab at a time: by the browser's locks, or where it has none (a page without TLS) by a lease in the storage.

const LEASE = 4_000;
/** Longer than another tab needs to see what was written. */
const SETTLING = 60;
const AGAIN = 120;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function unique(bytes = 16) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Runs `work` in one tab at a time. */
export function alone(name, work) {
  return navigator.locks ? navigator.locks.request(name, work) : leased(name, work);
}

export async function leased(name, work) {
  const key = `${name} lease`;
  const mine = unique(8);
  const holder = () => {
    const lease = JSON.parse(localStorage.getItem(key) ?? 'null');
    return lease && lease.until > Date.now() && lease.until < Date.now() + 2 * LEASE ? lease.tab : null;
  };
  const hold = () => localStorage.setItem(key, JSON.stringify({ tab: mine, until: Date.now() + LEASE }));
  try {
    for (;;) {
      if (holder() === null) {
        hold();
        // Of several that write at once the last has it.
        await pause(SETTLING);
        if (holder() === mine) break;
      }
      await pause(AGAIN + Math.random() * AGAIN);
    }
  } catch {
    // Where nothing can be kept, tabs share nothing either.
    return work();
  }
  const renewal = setInterval(hold, LEASE / 4);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    if (holder() === mine) localStorage.removeItem(key);
  }
}
