// Waiting between attempts: longer each time, never in step with everybody else, and cut short on demand.

import '../parlance-socket.js';

/** What this page shares with the socket client: a classic script, which other sites load by a tag. */
const shared = globalThis.ParlanceSocket;

/** How long an answer to a short question may take when the connection is in doubt. */
export const PROBE_TIMEOUT = shared.PROBE_TIMEOUT;
export const watchConnectivity = shared.watchConnectivity;

const FIRST = 500;

/** How long to wait before attempt `failures + 1`; never less than the server asked for. */
export function backoff(failures, asked = 0) {
  return Math.max(shared.backoff(failures, FIRST), (asked ?? 0) + Math.random() * 250);
}

/** A wait that `nudge` ends early. */
export function createPause() {
  let end = null;
  return {
    wait(ms) {
      return new Promise((resolve) => {
        const timer = setTimeout(() => end?.(), ms);
        end = () => {
          clearTimeout(timer);
          end = null;
          resolve();
        };
      });
    },
    nudge() {
      end?.();
    },
  };
}
