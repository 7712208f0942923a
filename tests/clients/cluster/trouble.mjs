// What is done to the servers, to PostgreSQL and to NATS while clients write and listen.

import { pause, until } from './ground.mjs';
import { now } from './ledger.mjs';

/** How many messages are acknowledged after each step before the next. */
const PROGRESS = 10;
/** How long a server is away that was killed. */
const AWAY = 600;

const between = (from, to) => from + (to - from) * Math.random();

export class Trouble {
  /** How often there was what. */
  counts = { in_a_batch: 0, outside_batches: 0, kills: 0, stops: 0, cuts: 0, delays: 0, upgrades: 0, restarts_of_postgresql: 0, kills_of_nats: 0, failed_starts: 0 };

  constructor(ground, crowd, steps, bounds) {
    Object.assign(this, { ground, crowd, steps, bounds });
  }

  /** Waits as long as this run does. */
  until(what, isTrue) {
    return until(what, isTrue, this.bounds.late);
  }

  step(text) {
    this.steps.step(text);
  }

  /** Returns once more messages were acknowledged. */
  async progress() {
    const enough = this.crowd.accepted() + PROGRESS;
    await this.until('messages are acknowledged', () => this.crowd.accepted() >= enough);
  }

  /**
   * Does something to a server when its next batch has the log's lock. If none comes soon this fails; a large run, where it may have
   * been told nothing to write, does it all the same once the server says that it is well.
   */
  async inABatch(node, what, act) {
    const { batch, isStrict } = this.bounds;
    const isInABatch = await node.way.atLock(act, batch);
    const silent = `server ${node.name} has written nothing for ${batch / 1_000} s`;
    if (!isInABatch) {
      if (isStrict) throw new Error(silent);
      await this.until(`${silent}, and is ready`, () => node.isReady());
      act();
    }
    this.counts[isInABatch ? 'in_a_batch' : 'outside_batches'] += 1;
    this.step(`${node.name} ${what}, ${isInABatch ? 'in a batch' : `for ${silent}`}`);
  }

  async startAgain(node) {
    const failed = node.failedStarts;
    node.start();
    await node.ready();
    this.counts.failed_starts += node.failedStarts - failed;
    this.step(`${node.name} is there again`);
    await this.progress();
  }

  /** Kills a server with -9, and starts it again. */
  async kill(node, isInABatch) {
    this.counts.kills += 1;
    if (isInABatch) await this.inABatch(node, 'is killed', () => node.signal('SIGKILL'));
    else {
      await pause(between(0, 500));
      this.step(`${node.name} is killed`);
      node.signal('SIGKILL');
    }
    await node.ended;
    await pause(AWAY);
    await this.startAgain(node);
  }

  /** Stops a server in the middle of a batch for so long. */
  async stop(node, time) {
    this.counts.stops += 1;
    await this.inABatch(node, 'is stopped', () => node.signal('SIGSTOP'));
    await pause(time);
    node.signal('SIGCONT');
    this.step(`${node.name} goes on`);
    await this.progress();
  }

  /** Cuts a server off from PostgreSQL, in the middle of a batch or at any time. */
  async cut(node, isInABatch) {
    this.counts.cuts += 1;
    if (isInABatch) return this.inABatch(node, 'is cut off', () => node.way.cut());
    node.way.cut();
    return this.step(`${node.name} is cut off`);
  }

  /** Gives it the database back; with `broken` its connections are gone. */
  mend(node, how) {
    node.way.mend(how);
    this.step(`${node.name} has the database again`);
  }

  async cutFor(node, time, { inABatch, broken }) {
    await this.cut(node, inABatch);
    await pause(time);
    this.mend(node, { broken });
    await this.progress();
  }

  /** A server is far from the database for a while. */
  async delay(node, time) {
    this.counts.delays += 1;
    node.way.delay(40);
    this.step(`${node.name} is 80 ms away from the database`);
    await pause(time);
    await this.progress();
    node.way.delay(0);
  }

  async restartPostgres() {
    this.counts.restarts_of_postgresql += 1;
    this.step('PostgreSQL is stopped');
    await this.ground.postgres.stop();
    await pause(1_000);
    await this.ground.postgres.start();
    this.step('PostgreSQL is there again');
    await this.progress();
  }

  /** Stops a server as for an upgrade, and starts it again. */
  async upgrade(node) {
    this.counts.upgrades += 1;
    const began = now();
    this.step(`${node.name} is asked to end`);
    await node.end('SIGTERM');
    if (node.process.exitCode !== 0) throw new Error(`server ${node.name} has ended badly: ${node.lastWords()}`);
    this.step(`${node.name} has ended, after ${Math.round(now() - began)} ms`);
    await this.startAgain(node);
  }

  /** All servers hear each other, or none does. */
  async allHear(hear) {
    for (const node of this.ground.nodes) {
      await this.until(`server ${node.name} ${hear ? 'hears' : 'hears nothing'}`, async () => (await node.hears()) === hear);
    }
  }

  /** Kills NATS for so long: everybody serves without it. */
  async killNats(time) {
    const { ground } = this;
    this.counts.kills_of_nats += 1;
    await this.allHear(true);
    ground.nats.stop();
    this.step('NATS is killed');
    await this.allHear(false);
    await this.progress();
    await pause(time);
    const ready = await Promise.all(ground.nodes.map((node) => node.isReady()));
    if (!ready.every(Boolean)) throw new Error('a server does not serve without NATS');
    ground.nats.start();
    this.step('NATS is there again');
    await this.progress();
  }

  /** The next of a long row: one server is killed, and now and then something else happens to one. */
  async next(turn) {
    const { nodes, nats } = this.ground;
    const node = nodes[turn % nodes.length];
    const kill = () => this.kill(node, Math.random() < 0.5);
    // The number of these is none of the servers', so that each of them meets everything.
    const others = [
      () => this.stop(node, between(800, 6_500)),
      () => this.cutFor(node, between(1_000, 5_000), { inABatch: true, broken: false }),
      () => this.delay(node, between(1_000, 3_000)),
      () => this.cutFor(node, between(1_000, 5_000), { inABatch: false, broken: true }),
    ];
    if (nats) others.push(() => this.killNats(between(200, 3_000)));
    const every = 4;
    if (turn % every !== every - 1) return kill();
    return others[Math.floor(turn / every) % others.length]();
  }
}
