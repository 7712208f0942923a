// The real binary on a free port and its own data, which it keeps over a restart.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { slowPath } from './slow.js';

const PATIENCE = 120_000;
/** Below those that systems give to connections: such a port stays free while a server is restarted. */
const PORTS = { from: 20_000, to: 32_000 };

async function freePort() {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    const probe = createServer().listen(port, '127.0.0.1');
    const took = await once(probe, 'listening').then(
      () => true,
      () => false,
    );
    if (!took) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
}

export class Server {
  static async start(settings = {}) {
    const server = new Server();
    server.folder = await mkdtemp(join(tmpdir(), 'parlance-browser-'));
    server.inner = await freePort();
    server.path = await slowPath(server.inner);
    server.port = server.path.port;
    server.url = `http://127.0.0.1:${server.port}`;
    server.settings = settings;
    await server.start();
    return server;
  }

  async start() {
    this.words = '';
    this.process = spawn(process.env.PARLANCE_BIN, {
      cwd: this.folder,
      env: this.environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk) => {
      this.words = (this.words + chunk).slice(-20_000);
    };
    this.process.stdout.on('data', keep);
    this.process.stderr.on('data', keep);
    this.gone = once(this.process, 'exit');
    await this.answering();
  }

  environment() {
    return {
      PATH: process.env.PATH,
      ROCKET_ADDRESS: '127.0.0.1',
      ROCKET_PORT: String(this.inner),
      ROCKET_SOCKET_PORT: '0',
      ROCKET_DATABASES: `{chat={url="sqlite://${join(this.folder, 'chat.db')}"}}`,
      ROCKET_BCRYPT_COST: '4',
      ROCKET_RATE_LIMITS: 'false',
      // The pages of a folder instead of those in the binary, while working on them.
      ...(process.env.PARLANCE_STATIC && { ROCKET_STATIC_DIR: process.env.PARLANCE_STATIC }),
      ...this.settings,
    };
  }

  /** Runs another command of the binary beside the server, with a line on its standard input. */
  async run(words, line) {
    const { folder: cwd } = this;
    const command = spawn(process.env.PARLANCE_BIN, words, { cwd, env: this.environment(), stdio: ['pipe', 'ignore', 'pipe'] });
    let said = '';
    command.stderr.on('data', (chunk) => {
      said += chunk;
    });
    command.stdin.end(`${line}\n`);
    const [code] = await once(command, 'exit');
    if (code !== 0) throw new Error(`parlance ${words.join(' ')}: ${said}`);
  }

  /** Asks until the server answers, whatever it says. */
  async answering() {
    const until = Date.now() + PATIENCE;
    for (;;) {
      try {
        await fetch(`${this.url}/api/me`);
        return;
      } catch {
        if (this.process.exitCode !== null || Date.now() > until) {
          throw new Error(`The server does not start:\n${this.words}`);
        }
        await pause(50);
      }
    }
  }

  /** Does something while the server is not there. */
  async stopped(work) {
    await this.kill('SIGTERM');
    await work();
    await this.start();
  }

  /** Writes to the database past the server, which must not be there. Python, because Node has no SQLite of its own. */
  async write(statements) {
    const script = [
      'import json, sqlite3, sys',
      'connection = sqlite3.connect(sys.argv[1])',
      'for statement in json.load(sys.stdin): connection.execute(statement)',
      'connection.commit()',
    ].join('\n');
    const python = spawn('python3', ['-c', script, join(this.folder, 'chat.db')], { stdio: ['pipe', 'ignore', 'pipe'] });
    let said = '';
    python.stderr.on('data', (chunk) => {
      said += chunk;
    });
    python.stdin.end(JSON.stringify(statements));
    const [code] = await once(python, 'exit');
    if (code !== 0) throw new Error(`the database was not written: ${said}`);
  }

  async kill(signal) {
    this.process.kill(signal);
    await this.gone;
  }

  async end() {
    if (this.process.exitCode === null && this.process.signalCode === null) await this.kill('SIGTERM');
    this.path.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
