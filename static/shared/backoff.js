// Backoff between attempts: exponential, with jitter, and a wait that can be ended early.
import '../parlance-socket.js';

/** Shared with the socket client, which is a classic script because other sites load it by a script tag. */
const shared = globalThis.ParlanceSocket;

/** Timeout in milliseconds of a short request when the connection may be dead. */
export const PROBE_TIMEOUT = shared.PROBE_TIMEOUT;
export const watchConnectivity = shared.watchConnectivity;

const FIRST_WAIT = 500;

/**
 * How long to wait before attempt `failures + 1`, in milliseconds; at least the server's Retry-After.
 * @param {number} failures
 * @param {number | null} [asked]
 */
export function backoff(failures, asked) {
  return Math.max(shared.backoff(failures, FIRST_WAIT), (asked ?? 0) + Math.random() * 250);
}

/** A wait that `nudge` ends early. */
export function createPause() {
  /** @type {(() => void) | null} */
  let end = null;
  return {
    /** @param {number} ms */
    wait(ms) {
      return /** @type {Promise<void>} */ (
        new Promise((resolve) => {
          const timer = setTimeout(() => end?.(), ms);
          end = () => {
            clearTimeout(timer);
            end = null;
            resolve();
          };
        })
      );
    },
    nudge() {
      end?.();
    },
  };
}
