// What processes have used: read from /proc, so that what a killed one used is known as well.

import { readFileSync, readdirSync } from 'node:fs';

/** Of a second; the same on every Linux that runs this. */
const TICK = 1 / 100;

/** The parent of a process, and the seconds of CPU that it and those of its children used that have ended. */
function stat(pid) {
  try {
    // The name, in parentheses, may contain anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
    const seconds = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * TICK, 0);
    return { parent: Number(fields[1]), seconds };
  } catch {
    return undefined;
  }
}

/** Seconds of CPU that a process and its children have used. */
export function cpu(pid) {
  const own = stat(pid)?.seconds ?? 0;
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return all.reduce((sum, name) => {
    const { parent, seconds } = stat(name) ?? {};
    return parent === pid ? sum + seconds : sum;
  }, own);
}

/** The most memory that a process has had, in MiB. */
export function peak(pid) {
  try {
    const [, kibibytes] = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmHWM:\s+(\d+) kB$/m);
    return Number(kibibytes) / 1024;
  } catch {
    return 0;
  }
}

/** What one thing has used in all its lives. */
export class Meter {
  seconds = 0;
  memory = 0;

  /** A life is about to end. */
  read(pid) {
    if (!pid) return;
    this.seconds += cpu(pid);
    this.memory = Math.max(this.memory, peak(pid));
  }
}
