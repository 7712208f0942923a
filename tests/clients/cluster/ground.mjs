// Three servers on one PostgreSQL behind nginx, on free ports and in a folder of their own.
//
// nginx has the configuration of docs/compose.yaml, but for ports: what that file says is what is tested here.

import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { freePort } from '../openapi/server.mjs';
import { Meter } from './usage.mjs';
import { Way } from './way.mjs';

const ROOT = resolve(import.meta.dirname, '../../..');
/** How long anything that must happen may take. */
const LATE = 60_000;
/** When to start a server again that gave up. */
const AGAIN = 500;
/** What a server says that gave up because it reached no database in time. */
const NO_DATABASE = /the database (\S+ cannot be opened|is busy)/;
const NAMES = ['one', 'two', 'three'];

export const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Returns once something is true; `what` it is. */
export async function until(what, isTrue, late = LATE) {
  const end = Date.now() + late;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${late / 1000} s`);
    await pause(20);
  }
}

/** The number of a process that is in the first line of a file. */
function processOf(file) {
  try {
    return Number(readFileSync(file, 'utf8').split('\n')[0]);
  } catch {
    return undefined;
  }
}

/** PostgreSQL, by tests/postgres. */
class Postgres {
  #script = join(ROOT, 'tests/postgres');
  used = new Meter();

  constructor(folder) {
    this.folder = join(folder, 'postgres');
  }

  async start() {
    const { stdout } = await promisify(execFile)(this.#script, ['start', this.folder]);
    this.url = new URL(stdout.trim());
  }

  /** What the one that runs has used is told too. */
  measure() {
    this.used.read(processOf(join(this.folder, 'data/postmaster.pid')));
  }

  /** At once, as a crash would. */
  async stop() {
    this.measure();
    await promisify(execFile)(this.#script, ['stop', this.folder]);
  }

  /** The same, while nothing else happens. */
  close() {
    execFileSync(this.#script, ['stop', this.folder]);
  }
}

/** NATS, by tests/nats: at the same port each time. */
class Nats {
  #script = join(ROOT, 'tests/nats');
  used = new Meter();

  constructor(folder) {
    this.folder = join(folder, 'nats');
  }

  start() {
    this.url = execFileSync(this.#script, ['start', this.folder], { encoding: 'utf8' }).trim();
  }

  measure() {
    this.used.read(processOf(join(this.folder, 'pid')));
  }

  /** At once, as a crash would. */
  stop() {
    this.measure();
    execFileSync(this.#script, ['stop', this.folder]);
  }
}

/** One of the servers. */
class Node {
  used = new Meter();
  failedStarts = 0;

  constructor(name, folder, port, way, { url, nats, bounds }) {
    Object.assign(this, { name, folder, port, way, bounds });
    this.url = `http://127.0.0.1:${port}`;
    this.log = join(folder, `${name}.log`);
    const database = new URL(url);
    database.port = String(way.port);
    this.settings = {
      ROCKET_ADDRESS: '127.0.0.1',
      ROCKET_PORT: String(port),
      ROCKET_SOCKET_PORT: '0',
      ROCKET_NODE_ADDRESS: '127.0.0.1',
      ROCKET_IP_HEADER: 'X-Real-IP',
      ROCKET_EMBED_OPEN: 'false',
      ROCKET_RATE_LIMITS: 'false',
      ROCKET_BCRYPT_COST: '4',
      ROCKET_SOCKET_PING_INTERVAL: '3s',
      ROCKET_SOCKET_PING_TIMEOUT: '4s',
      // Statements are in what is sent, and not names for them.
      ROCKET_DATABASES: `{chat={url="${database}?sslmode=disable&statement-cache-capacity=0"}}`,
      ...(nats && { ROCKET_NATS_URL: nats.url }),
    };
  }

  start() {
    const log = openSync(this.log, 'a');
    const others = Object.entries(process.env).filter(([key]) => !key.startsWith('ROCKET_'));
    const env = { ...Object.fromEntries(others), ...this.settings };
    this.process = spawn(resolve(process.env.PARLANCE_BIN), { cwd: this.folder, env, stdio: ['ignore', log, log] });
    this.ended = new Promise((done) => this.process.once('exit', done));
  }

  async isReady() {
    try {
      return (await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(2_000) })).ok;
    } catch {
      return false;
    }
  }

  /** Returns once it is ready. */
  async ready() {
    const isReady = async () => {
      if (this.process.exitCode !== null) await this.#startOnceMore();
      return this.isReady();
    };
    await until(`server ${this.name} is ready`, isReady, this.bounds.late);
  }

  /** A large run starts one again that reached no database in time, as a service manager would; any other end is a failure. */
  async #startOnceMore() {
    const isForAWhile = !this.bounds.isStrict && NO_DATABASE.test(this.lastWords(1));
    if (!isForAWhile) throw new Error(`server ${this.name} has ended: ${this.lastWords()}`);
    console.log(`server ${this.name} has ended: ${this.lastWords(1)}`);
    this.failedStarts += 1;
    await pause(AGAIN);
    this.start();
  }

  /** Whether it hears what the others say. */
  async hears() {
    const { parts } = await (await fetch(`${this.url}/health`)).json();
    return parts.bus.state === 'ok';
  }

  get hasEnded() {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  measure() {
    if (!this.hasEnded) this.used.read(this.process.pid);
  }

  signal(signal) {
    if (this.hasEnded) throw new Error(`server ${this.name} has ended by itself: ${this.lastWords()}`);
    if (signal === 'SIGKILL' || signal === 'SIGTERM') this.measure();
    this.process.kill(signal);
  }

  /** Ends it by a signal, and waits for that. */
  async end(signal) {
    this.signal(signal);
    await this.ended;
  }

  /** The last lines of its log. */
  lastWords(count = 30) {
    return readFileSync(this.log, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  }
}

/** The balancer's configuration in docs/compose.yaml, without the indentation that YAML wants. */
function balancer() {
  const lines = readFileSync(join(ROOT, 'docs/compose.yaml'), 'utf8').split('\n');
  const indent = (line) => line.length - line.trimStart().length;
  const head = lines.findIndex((line) => line.trim() === 'content: |');
  const rest = lines.slice(head + 1);
  const end = rest.findIndex((line) => line !== '' && indent(line) <= indent(lines[head]));
  return rest.slice(0, end).join('\n').replaceAll('$$', '$');
}

/** The same for servers and ports of this machine. */
export function configuration(folder, nodes, ports) {
  let text = balancer();
  const put = (written, here) => {
    if (!text.includes(written)) throw new Error(`docs/compose.yaml no longer says ${written}`);
    text = text.replace(written, here);
  };
  for (const node of nodes) put(`server ${node.name}:8000`, `server 127.0.0.1:${node.port}`);
  put('listen 80;', ports.map((port) => `listen 127.0.0.1:${port};`).join(' '));
  const own = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
  return `daemon off;
${process.getuid() === 0 ? 'user root;' : ''}
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log;
worker_rlimit_nofile 16384;
events { worker_connections 8192; }
http {
    log_format told '$msec $status $upstream_addr $upstream_status $request_time "$request_method $request_uri"';
    access_log ${folder}/access.log told;
    ${own.join('\n    ')}
    ${text}
}
`;
}

/** The balancer's program. */
export const nginx = () => ['/usr/sbin/nginx', '/usr/local/sbin/nginx'].find((path) => existsSync(path)) ?? 'nginx';

export class Ground {
  /** Whether something was found whose cause may be in the logs. */
  isKept = Boolean(process.env.CLUSTER_KEEP);

  /** With NATS servers tell each other by it what is new; `bounds` are those of options.mjs. */
  static async make({ overNats, bounds }) {
    const ground = new Ground();
    ground.folder = mkdtempSync(join(tmpdir(), 'parlance-cluster-'));
    // PostgreSQL runs as another user when we are root, and must reach its folder.
    chmodSync(ground.folder, 0o711);
    for (const signal of ['SIGTERM', 'SIGINT']) {
      process.once(signal, () => {
        ground.close();
        process.exit(1);
      });
    }
    try {
      await ground.#start(overNats, bounds);
    } catch (error) {
      ground.close();
      throw error;
    }
    return ground;
  }

  async #start(overNats, bounds) {
    const { folder } = this;
    this.postgres = new Postgres(folder);
    await this.postgres.start();
    if (overNats) {
      this.nats = new Nats(folder);
      this.nats.start();
    }
    this.nodes = [];
    for (const name of NAMES) {
      const way = await Way.to(Number(this.postgres.url.port));
      this.nodes.push(new Node(name, folder, await freePort(), way, { url: this.postgres.url, nats: this.nats, bounds }));
    }
    const [first, ...others] = this.nodes;
    // The first one makes the tables, and the others need not wait for that one after the other.
    first.start();
    await first.ready();
    for (const node of others) node.start();
    await Promise.all(others.map((node) => node.ready()));
    const port = await freePort();
    this.url = `http://127.0.0.1:${port}`;
    writeFileSync(join(folder, 'nginx.conf'), configuration(folder, this.nodes, [port]));
    const log = openSync(join(folder, 'nginx.log'), 'a');
    this.nginx = spawn(nginx(), ['-c', join(folder, 'nginx.conf')], { stdio: ['ignore', log, log] });
    await until('nginx answers', async () => {
      if (this.nginx.exitCode !== null) throw new Error(readFileSync(join(folder, 'nginx.log'), 'utf8'));
      return fetch(`${this.url}/health`).then(({ ok }) => ok, () => false);
    });
  }

  /** What servers, balancer and databases have used up to now, and this process with all clients; to be asked once. */
  used() {
    const { nodes, postgres, nats } = this;
    for (const one of [...nodes, postgres, nats]) one?.measure();
    const balancer = new Meter();
    balancer.read(this.nginx.pid);
    const clients = new Meter();
    clients.read(process.pid);
    // Its children are told by themselves.
    const { user, system } = process.cpuUsage();
    clients.seconds = (user + system) / 1e6;
    const servers = Object.fromEntries(nodes.map(({ name, used }) => [name, used]));
    return { ...servers, postgresql: postgres.used, ...(nats && { nats: nats.used }), nginx: balancer, clients };
  }

  /** Ends all of it at once. */
  close() {
    for (const node of this.nodes ?? []) {
      node.process?.kill('SIGKILL');
      node.way.close();
    }
    // Its workers end with it.
    this.nginx?.kill('SIGTERM');
    if (this.nats?.url) this.nats.stop();
    this.postgres?.close();
    if (this.isKept) console.log(`The logs are in ${this.folder}.`);
    else rmSync(this.folder, { recursive: true, force: true });
  }
}
