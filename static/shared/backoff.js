// Waiting between attempts: longer each time, never in step with other clients, and cut short on demand.
import '../parlance-socket.js';

/** What the pages share with the socket client, which is a classic script: other sites load it by a tag. */
const shared = globalThis.ParlanceSocket;

/** How long an answer to a short request may take when the connection is in doubt. */
export const PROBE_TIMEOUT = shared.PROBE_TIMEOUT;
export const watchConnectivity = shared.watchConnectivity;

const FIRST_WAIT = 500;

/**
 * How long to wait before attempt `failures + 1`, in milliseconds; never less than the server asked for.
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
