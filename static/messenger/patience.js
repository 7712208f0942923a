// Waiting between attempts: longer each time, never in step with everybody else, and cut short on demand.

const FIRST = 500;
const LONGEST = 15_000;

/** How long to wait before attempt `failures + 1`; never less than the server asked for. */
export function backoff(failures, asked = 0) {
  const ceiling = Math.min(LONGEST, FIRST * 2 ** Math.min(failures, 10));
  const spread = ceiling / 2 + (Math.random() * ceiling) / 2;
  return Math.max(spread, (asked ?? 0) + Math.random() * 250);
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
