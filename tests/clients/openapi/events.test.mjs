// The AsyncAPI document, validated, and every example in it, replayed: by bash and curl as they stand there, and by
// a socket.io-client program. All that is answered and received is held against the schemas.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { promisify } from 'node:util';

import { Parser } from '@asyncapi/parser';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { io } from 'socket.io-client';

import { Server } from './server.mjs';

const run = promisify(execFile);
const WRITTEN = '127.0.0.1:8000';
const MARK = '=== ';
const LATE = 60_000;
const text = await readFile('generated/asyncapi.json', 'utf8');
const document = JSON.parse(text);
const { channels, operations } = document;
const dialects = Object.keys(channels).filter((name) => channels[name]['x-conversation']);

/** Every object of a schema has no more keys than it names. */
function closed(schema) {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== 'object') return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return copy.properties && copy.type === 'object' ? { ...copy, additionalProperties: false } : copy;
}

const ajv = new Ajv({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema({ $id: 'asyncapi', components: closed(document.components) });
const compiled = new Map();

/** What of a value is not as one of these messages says. */
function breach(value, messages) {
  const faults = messages.map(({ payload }) => {
    const key = JSON.stringify(payload);
    if (!compiled.has(key)) {
      const schema = JSON.parse(key.replaceAll('"#/components/', '"asyncapi#/components/'));
      compiled.set(key, ajv.compile(closed(schema)));
    }
    const validate = compiled.get(key);
    return validate(value) ? undefined : ajv.errorsText(validate.errors);
  });
  if (faults.length > 0 && faults.every(Boolean)) return `${JSON.stringify(value)}: ${faults.join('; or ')}`;
  return faults.length > 0 ? undefined : 'nothing is said of it';
}

/** The messages that a client can receive under a name. */
function received(dialect, name) {
  const { messages } = channels[dialect];
  const isMeant = (known) => known === name || (known.includes('{') && name.startsWith(known.split('{')[0]));
  const told = Object.entries(messages).filter(([key, message]) => /-(push|reply)$/.test(key) && isMeant(message.name));
  const all = told.map(([, message]) => message);
  return all.length > 0 ? [...all, messages.refusal] : [];
}

/** A dialect's examples, in the order in which they make a conversation. */
function conversation(dialect) {
  const { messages } = channels[dialect];
  return channels[dialect]['x-conversation'].map((key) => ({
    ...operations[`${dialect}-${key}`],
    name: messages[key].name,
    answer: messages[`${key}-reply`],
  }));
}

/** Runs a script in bash as it stands, but for the server's address; what came after each mark. */
async function bash(server, script) {
  const here = `set -euo pipefail\n${script}`.replaceAll(WRITTEN, server.address);
  const { stdout } = await run('bash', ['-c', here], { cwd: server.folder, timeout: LATE });
  return stdout.split(MARK).slice(1).map((part) => part.slice(part.indexOf('\n') + 1));
}

test('the document is valid AsyncAPI', async () => {
  const { document: parsed, diagnostics } = await new Parser().parse(text);
  assert.ok(parsed, JSON.stringify(diagnostics));
  // That there is a newer version of AsyncAPI is no fault of a document in this one.
  const left = diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version');
  assert.deepEqual(left, []);
  assert.equal(parsed.allOperations().length, Object.keys(operations).length);
});

for (const dialect of dialects) {
  test(`${dialect}: every example by curl`, async () => {
    const server = await Server.start();
    try {
      const events = conversation(dialect);
      const steps = events.map(({ name, 'x-curl': curl }) => `printf '\\n${MARK}%s\\n' ${name}\n${curl}`);
      const printed = await bash(server, [channels[dialect]['x-preparation'], ...steps].join('\n'));
      assert.equal(printed.length, events.length);
      events.forEach(({ name, answer }, index) => {
        const { event, data, emitted = [] } = JSON.parse(printed[index]);
        assert.equal(event, name);
        assert.equal(breach(data, [answer]), undefined, name);
        for (const other of emitted) assert.equal(breach(other.data, received(dialect, other.event)), undefined, other.event);
      });
    } finally {
      await server.stop();
    }
  });

  test(`${dialect}: the examples make one program, in their order`, () => {
    const { 'x-connection': connection } = channels[dialect];
    const code = [connection.replace(/^import.*$/m, ''), ...conversation(dialect).map((event) => event['x-socket.io-client'])];
    // It need not run: what is declared twice is a mistake before that.
    const Program = (async () => {}).constructor;
    assert.doesNotThrow(() => new Program('io', code.join('\n')));
  });

  test(`${dialect}: every example by socket.io-client, and every push`, async () => {
    const server = await Server.start();
    const sockets = [];
    try {
      const variables = await prepared(server, dialect);
      const heard = new Heard(dialect);
      const connect = (code) => {
        const socket = evaluated(code.replace(/^import.*$/m, '').replaceAll(WRITTEN, server.address), { io, ...variables }, 'socket');
        sockets.push(socket);
        heard.follow(socket);
        return socket;
      };
      const listener = connect(others[dialect].connection);
      await others[dialect].begin(listener, variables);
      const socket = connect(channels[dialect]['x-connection']);
      for (const { name, answer, 'x-socket.io-client': code, 'x-reply': reply, 'x-keeps': keeps } of conversation(dialect)) {
        const told = await evaluated(code, { socket, ...variables }, [reply, ...keeps].join(', '), true);
        assert.equal(breach(told[reply], [answer]), undefined, name);
        for (const kept of keeps) variables[kept] = told[kept];
      }
      const refused = await socket.emitWithAck(...others[dialect].wrong);
      assert.equal(breach(refused, [channels[dialect].messages.refusal]), undefined);
      const pushes = Object.entries(channels[dialect].messages).filter(([key]) => key.endsWith('-push'));
      await heard.all(pushes.map(([, { name }]) => name));
      assert.deepEqual(heard.faults, []);
    } finally {
      for (const socket of sockets) socket.close();
      await server.stop();
    }
  });
}

test('messenger: every event, by the request that leads to it', async () => {
  const { messages, 'x-causes': names, 'x-listening': listening } = channels.messenger;
  const cause = (name) => operations[`messenger-${name}`]['x-curl'];
  const server = await Server.start();
  let stream;
  try {
    const variables = Object.entries(await prepared(server, 'messenger')).map(([name, value]) => `${name}=${value}`);
    stream = new Stream(server, listening);
    // Signals are told to who listens in that moment: once one is heard, all are that come after.
    while (!stream.has('typing')) {
      await bash(server, [...variables, cause('typing')].join('\n'));
      await stream.news();
    }
    const others = names.filter((name) => name !== 'typing');
    await bash(server, [...variables, ...others.map(cause)].join('\n'));
    await stream.all(names);
    for (const event of stream.events) assert.equal(breach(event, [messages[event.type]]), undefined, event.type);
  } finally {
    stream?.close();
    await server.stop();
  }
});

/** What a stream that curl reads has told. */
class Stream {
  events = [];
  #waiting = () => {};

  constructor(server, command) {
    this.curl = spawn('bash', ['-c', `exec ${command.replaceAll(WRITTEN, server.address)}`], { cwd: server.folder });
    let rest = '';
    this.curl.stdout.on('data', (chunk) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      const told = lines.filter((line) => line.startsWith('data:'));
      this.events.push(...told.map((line) => JSON.parse(line.slice('data:'.length))));
      this.#waiting();
    });
  }

  has(name) {
    return this.events.some(({ type }) => type === name);
  }

  /** Waits until something more was told, or for a while. */
  async news() {
    let timer;
    await new Promise((resolve) => {
      this.#waiting = resolve;
      timer = setTimeout(resolve, 500);
    });
    clearTimeout(timer);
  }

  /** Waits until there was one of each name. */
  async all(names) {
    const missing = () => names.filter((name) => !this.has(name));
    const end = Date.now() + LATE;
    while (missing().length > 0) {
      assert.ok(Date.now() < end, `not told: ${missing()}`);
      await this.news();
    }
  }

  close() {
    this.curl.kill();
  }
}

/** Who else is there, and an event that is refused. */
const others = {
  embed: {
    connection: 'const socket = io("http://127.0.0.1:8000", { auth: { key, twin: 1 }, forceNew: true });',
    begin: (socket) => socket.emitWithAck('create-user', { user: { external_id: 'u-2', name: 'Bo', photo: '' } }),
    wrong: ['create-chat', { chat: {} }],
  },
  support: {
    connection: 'const socket = io("http://127.0.0.1:8000", { auth: { token: owner }, forceNew: true });',
    begin: (socket) => socket.emitWithAck('getActiveChats', {}),
    wrong: ['newMessage', { chatId: '7', token: 'nobody', message: 'Hello' }],
  },
  service: {
    connection: 'const socket = io("http://127.0.0.1:8000", { auth: { token: bo }, forceNew: true });',
    begin: (socket) => socket.emitWithAck('join', 'usr-1-2'),
    wrong: ['join', 'no such room'],
  },
};

/** What sockets have received. */
class Heard {
  faults = [];
  #names = new Set();
  #waiting = () => {};

  constructor(dialect) {
    this.dialect = dialect;
  }

  follow(socket) {
    socket.onAny((name, data) => {
      const fault = breach(data, received(this.dialect, name));
      if (fault) this.faults.push(`${name}: ${fault}`);
      this.#names.add(name.replace(/\d+/, '{chat}'));
      this.#waiting();
    });
  }

  /** Waits until there was one of each name. */
  async all(names) {
    const missing = () => names.filter((name) => !this.#names.has(name));
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not received: ${missing()}`)), LATE);
    });
    const done = new Promise((resolve) => {
      this.#waiting = () => missing().length === 0 && resolve();
      this.#waiting();
    });
    await Promise.race([done, late]).finally(() => clearTimeout(timer));
  }
}

/** The variables of a dialect's preparation, filled. */
async function prepared(server, dialect) {
  const preparation = channels[dialect]['x-preparation'];
  const names = [...preparation.matchAll(/(?:^|\s)([a-z]+)=/gm)].map(([, name]) => name);
  const told = names.map((name) => `printf '${MARK}\\n%s' "$${name}"`);
  const values = await bash(server, [preparation, 'printf "\\n"', ...told].join('\n'));
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}

/** Runs code that knows these variables; the values of some that it has declared. */
function evaluated(code, variables, wanted, isLater = false) {
  const Kind = isLater ? (async () => {}).constructor : Function;
  const result = isLater ? `{ ${wanted} }` : wanted;
  const names = Object.keys(variables).filter((name) => !new RegExp(`const ${name}\\b`).test(code));
  return new Kind(...names, `${code}\nreturn ${result};`)(...names.map((name) => variables[name]));
}
