// A server of a test's own, on a free port and in a folder of its own.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const LATE = 60_000;

/** A port below those that systems give to connections: nobody else gets it between this and the server's start. */
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer().listen(port, '127.0.0.1');
    const free = await new Promise((done) => server.once('listening', () => done(true)).once('error', () => done(false)));
    if (!free) continue;
    await new Promise((done) => server.close(done));
    return port;
  }
}

export class Server {
  /** Starts one. @param {Record<string, string>} settings */
  static async start(settings = {}) {
    const server = new Server();
    server.folder = await mkdtemp(join(tmpdir(), 'parlance-events-'));
    server.port = await freePort();
    server.address = `127.0.0.1:${server.port}`;
    const env = {
      ...process.env,
      ROCKET_PORT: String(server.port),
      ROCKET_SOCKET_PORT: '0',
      ROCKET_BCRYPT_COST: '4',
      ROCKET_ADMIN_EMAIL: 'admin@example.com',
      ROCKET_ADMIN_PASSWORD: 'correct horse',
      ...settings,
    };
    const program = resolve(process.env.PARLANCE_BIN);
    server.process = spawn(program, { cwd: server.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    server.log = '';
    for (const stream of [server.process.stdout, server.process.stderr]) stream.on('data', (data) => (server.log += data));
    const end = Date.now() + LATE;
    for (;;) {
      try {
        const { ok } = await fetch(`http://${server.address}/health/ready`);
        if (ok) return server;
      } catch {
        // Not yet.
      }
      if (Date.now() > end || server.process.exitCode !== null) throw new Error(`the server does not answer: ${server.log}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  async stop() {
    const ended = new Promise((done) => this.process.once('exit', done));
    this.process.kill();
    await ended;
    await rm(this.folder, { recursive: true, force: true });
  }
}
