// What a run has seen, in a few lines and as JSON.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const sum = (sites, read) => sites.reduce((total, site) => total + read(site), 0);
const round = (value, digits = 1) => Number(value.toFixed(digits));

/** The counts of all chats, by what is counted. */
function counted(sites, of) {
  const total = {};
  for (const site of sites) for (const [what, count] of Object.entries(site[of])) total[what] = (total[what] ?? 0) + count;
  return total;
}

function quantiles(values) {
  const sorted = Float64Array.from(values).sort();
  const of = (share) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { p50: of(0.5), p90: of(0.9), p99: of(0.99), max: of(1) };
}

/** How often there was which answer that acknowledged nothing, in all chats. */
export function refusals(sites) {
  const all = new Map();
  for (const [words, times] of sites.flatMap((site) => site.refusals)) all.set(words, (all.get(words) ?? 0) + times);
  return [...all].sort(([, one], [, other]) => other - one);
}

/** Adds up what was found in the chats. */
export function summary(sites, options, crowd, { seconds, troubles, used, faults }) {
  return {
    bus: options.overNats ? 'nats' : 'postgresql',
    clients: crowd.writing + crowd.listening,
    writing: crowd.writing,
    listening: crowd.listening,
    chats: options.chats,
    threads: options.threads,
    spoiled: options.spoil,
    seconds: round(seconds),
    sent: sum(sites, ({ said }) => said),
    tries: sum(sites, ({ tries }) => tries),
    acknowledged: sum(sites, ({ acknowledged }) => acknowledged),
    in_the_log: sum(sites, ({ inTheLog }) => inTheLog),
    delivered: sum(sites, ({ delivered }) => delivered),
    log: counted(sites, 'log'),
    mirrors: counted(sites, 'mirrors'),
    milliseconds_behind: round(Math.max(...sites.map(({ behind }) => behind))),
    faults: faults + sum(sites, (site) => site.faults),
    troubles,
    milliseconds_to_acknowledge: quantiles(sites.flatMap(({ latencies }) => latencies)),
    sockets: Object.fromEntries(['recovered', 'anew', 'early'].map((what) => [what, sum(sites, (site) => site[what])])),
    cpu_seconds: Object.fromEntries(Object.entries(used).map(([name, { seconds: of }]) => [name, round(of)])),
    peak_mib: Object.fromEntries(Object.entries(used).map(([name, { memory }]) => [name, round(memory, 0)])),
  };
}

const words = (counts) => Object.entries(counts).map(([what, count]) => `${count} ${what}`).join(', ');

/** The same for people. */
export function text(all) {
  const rate = round(all.acknowledged / all.seconds, 0);
  const { p50, p90, p99, max } = all.milliseconds_to_acknowledge;
  return `
${all.clients} clients (${all.writing} write, ${all.listening} listen) in ${all.chats} chats, bus ${all.bus}, ${all.threads} threads of clients
${all.sent} messages sent in ${all.tries} tries, ${all.acknowledged} acknowledged in ${all.seconds} s (${rate} a second), ${all.in_the_log} in the log, ${all.delivered} delivered, the last ${all.milliseconds_behind} ms after the log was read
of the log, at each server: ${words(all.log)}
of the mirrors:             ${words(all.mirrors)}
faults of any kind: ${all.faults}${all.spoiled ? ` (spoiled on purpose: ${all.spoiled})` : ''}
done to servers: ${words(all.troubles)}
acknowledged within ${p50} ms (p50), ${p90} ms (p90), ${p99} ms (p99), ${max} ms (max)
sockets that listen: recovered ${all.sockets.recovered} times, begun anew ${all.sockets.anew} times; ${all.sockets.early} events came before the answer to CONNECT
CPU seconds: ${words(all.cpu_seconds)}
peak MiB: ${words(all.peak_mib)}
`.trimStart();
}

/** Writes it to FILE.json and FILE.txt. */
export function write(file, all) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.json`, `${JSON.stringify(all, null, 2)}\n`);
  writeFileSync(`${file}.txt`, text(all));
}
