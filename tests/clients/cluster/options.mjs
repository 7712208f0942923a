// What a run is asked for; without any option the small one that tests/run takes.

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

/** Of how many clients there is one of each kind, and so how many of a larger crowd are in a chat. */
export const OF_A_CHAT = 43;
/** What --spoil can do, see mirrors.mjs and site.mjs. */
const SPOILED = ['drop', 'double', 'swap', 'alter', 'lose'];

/**
 * What a run insists on, in milliseconds where it is a time: `late` is how long anything that must happen may take, `told` the last
 * message to everybody, `back` a server that has its database again, `answer` whether a login is good, and `batch` within what time a
 * server writes something. `again` is how often something is asked once more that a server refuses for a while, and `refused` how much
 * later a server may accept that a login has ended while it lets nobody in.
 *
 * The small run bears nothing: little happens at a time.
 */
const SMALL = { isStrict: true, late: 60_000, told: 20_000, back: 30_000, answer: 5_000, batch: 3_000, again: 0, refused: 0 };
/** A larger one keeps all processors busy for long, so that anything may take its time there; what it bears it counts. */
const LARGE = { isStrict: false, late: 120_000, told: 120_000, back: 60_000, answer: 15_000, batch: 5_000, again: 60, refused: 15_000 };

const KNOWN = {
  clients: { type: 'string' },
  messages: { type: 'string' },
  minutes: { type: 'string', default: '1440' },
  chats: { type: 'string' },
  rate: { type: 'string' },
  every: { type: 'string', default: '5' },
  bus: { type: 'string', default: 'postgresql' },
  nats: { type: 'boolean', default: false },
  threads: { type: 'string' },
  summary: { type: 'string' },
  spoil: { type: 'string' },
};

class Usage extends Error {}

function count(values, name, least) {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < least) throw new Usage(`--${name} ${values[name]}: not a whole number from ${least} on`);
  return value;
}

function among(values, name, all) {
  if (!all.includes(values[name])) throw new Usage(`--${name} ${values[name]}: it is one of ${all.join(', ')}`);
  return values[name];
}

/** Reads the words of a command line. */
export function read(words) {
  let values;
  try {
    ({ values } = parseArgs({ args: words, options: KNOWN }));
  } catch (error) {
    throw new Usage(error.message);
  }
  const bounds = values.clients === undefined && values.messages === undefined ? SMALL : LARGE;
  values.clients ??= String(OF_A_CHAT);
  values.messages ??= '0';
  const clients = count(values, 'clients', 2);
  values.chats ??= String(Math.ceil(clients / OF_A_CHAT));
  const chats = count(values, 'chats', 1);
  if (clients < 2 * chats) throw new Usage(`--chats ${chats}: each needs one client who writes and one who listens`);
  values.threads ??= String(Math.min(chats, availableParallelism()));
  if (values.nats) values.bus = 'nats';
  return {
    bounds,
    clients,
    chats,
    messages: count(values, 'messages', 0),
    minutes: count(values, 'minutes', 1),
    rate: values.rate === undefined ? undefined : count(values, 'rate', 1),
    every: count(values, 'every', 1) * 1_000,
    overNats: among(values, 'bus', ['postgresql', 'nats']) === 'nats',
    threads: Math.min(chats, count(values, 'threads', 1)),
    summary: values.summary,
    spoil: values.spoil === undefined ? undefined : among(values, 'spoil', SPOILED),
  };
}

/** Those of this process; a mistake in them ends it. */
export function ofProcess() {
  try {
    return read(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof Usage)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}
