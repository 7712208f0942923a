// Node's usual parts: socket.io on better-sqlite3, with as good a group commit as one thread can make.
//
//   node server.mjs PORT DATABASE BCRYPT_COST
//
// Whatever has come in one turn of the event loop is written in one transaction; it is answered, and told
// to others, after that is flushed.

import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import bcrypt from "bcrypt";
import Database from "better-sqlite3";
import { Server } from "socket.io";

const [port, file, cost] = process.argv.slice(2);

const database = new Database(file);
database.pragma("journal_mode = wal");
database.pragma("synchronous = full");
database.exec(`
create table if not exists people (
    id integer primary key, external_id text unique, name text not null, photo text not null,
    password text, created_at integer not null);
create table if not exists logins (
    token text primary key, person_id integer not null, created_at integer not null) without rowid;
create table if not exists chats (id integer primary key, name text not null, created_at integer not null);
create table if not exists members (
    chat_id integer not null, person_id integer not null, primary key (chat_id, person_id)) without rowid;
create table if not exists messages (
    id integer primary key, chat_id integer not null, sender_id integer not null, kind text not null,
    content text not null, created_at integer not null);
create index if not exists messages_by_chat on messages (chat_id, id);`);

const findOrMakeUser = database
  .prepare(
    `insert into people (external_id, name, photo, created_at) values (?, ?, ?, ?)
     on conflict (external_id) do update set name = excluded.name, photo = excluded.photo returning id`,
  )
  .pluck();
const makeAccount = database.prepare(
  "insert into people (external_id, name, photo, password, created_at) values (?, ?, '', ?, ?)",
);
const findAccount = database.prepare("select id, password from people where external_id = ?");
const makeLogin = database.prepare("insert into logins (token, person_id, created_at) values (?, ?, ?)");
const makeChat = database.prepare("insert into chats (name, created_at) values (?, ?)");
const makeMember = database.prepare(
  "insert into members (chat_id, person_id) values (?, ?) on conflict do nothing",
);
const makeMessage = database.prepare(
  "insert into messages (chat_id, sender_id, kind, content, created_at) values (?, ?, ?, ?, ?)",
);
const begin = database.prepare("begin immediate");
const commit = database.prepare("commit");

// --- The group commit ---------------------------------------------------------------------------

let waiting = [];

function flush() {
  const jobs = waiting;
  waiting = [];
  begin.run();
  for (const job of jobs) {
    try {
      job.outcome = job.write(job.now.getTime());
    } catch (error) {
      job.error = error;
    }
  }
  commit.run();
  for (const { error, outcome, now, then } of jobs) {
    then(error, outcome, now.toISOString());
  }
}

/** Writes, and calls `then` with what was written once that is durable. */
function write(action, then) {
  if (waiting.length === 0) setImmediate(flush);
  waiting.push({ write: action, then, now: new Date() });
}

// --- Sockets ------------------------------------------------------------------------------------

const members = new Map();
const logins = new Map();

function dates(time) {
  return { created_at: time, modified_at: time, updated_at: time };
}

function createUser(socket, { user: { external_id, name, photo } }) {
  const action = (at) => findOrMakeUser.get(external_id, name, photo, at);
  write(action, (error, number, time) => {
    if (error) return socket.emit("create-user", { status: "error" });
    socket.join(`user:${number}`);
    const id = String(number);
    const user = { id, _id: id, external_id, name, photo, ...dates(time) };
    socket.emit("create-user", { status: "ok", user });
  });
}

function createChat(io, socket, { chat: { name }, users }) {
  const action = (at) => {
    const chat = makeChat.run(name, at).lastInsertRowid;
    for (const user of users) makeMember.run(chat, Number(user));
    return chat;
  };
  write(action, (error, number, time) => {
    if (error) return socket.emit("create-chat", { status: "error" });
    const id = String(number);
    members.set(id, new Set(users));
    io.in(users.map((user) => `user:${user}`)).socketsJoin(`chat:${id}`);
    socket.emit("create-chat", { status: "ok", chat: { id, _id: id, name, users, ...dates(time) } });
  });
}

function newMessage(io, { chat, user, message: { value, type } }, answer) {
  const refuse = () => answer?.({ status: "error", error: [{ message: "there is no such chat" }] });
  if (!members.get(chat.id)?.has(user.id)) return refuse();
  const action = (at) => makeMessage.run(Number(chat.id), Number(user.id), type, value, at).lastInsertRowid;
  write(action, (error, number, time) => {
    if (error) return refuse();
    const id = String(number);
    const told = { status: "ok", id, _id: id, msg: value, type, user_id: user.id, chat_id: chat.id, ...dates(time) };
    answer?.(told);
    io.to(`chat:${chat.id}`).emit("new-message", told);
  });
}

// --- Accounts -----------------------------------------------------------------------------------

async function form(request) {
  let body = "";
  for await (const part of request) body += part;
  return new URLSearchParams(body);
}

function signedIn(response, status, person, token) {
  logins.set(token, person);
  response.writeHead(status, {
    "Content-Type": "application/json",
    "Set-Cookie": [`user_id=${person}; Path=/`, `token=${token}; HttpOnly; SameSite=Lax; Path=/`],
  });
  response.end('{"status":"ok"}');
}

async function register(request, response) {
  const asked = await form(request);
  const hash = await bcrypt.hash(asked.get("password"), Number(cost));
  const token = randomBytes(16).toString("hex");
  const action = (at) => {
    const name = asked.get("name");
    const person = makeAccount.run(`account:${name}`, name, hash, at).lastInsertRowid;
    makeLogin.run(token, person, at);
    return person;
  };
  write(action, (error, person) => {
    if (error) response.writeHead(409).end();
    else signedIn(response, 201, person, token);
  });
}

async function logIn(request, response) {
  const asked = await form(request);
  const account = findAccount.get(`account:${asked.get("name")}`);
  if (!account || !(await bcrypt.compare(asked.get("password"), account.password))) {
    response.writeHead(400).end();
    return;
  }
  const token = randomBytes(16).toString("hex");
  const action = (at) => makeLogin.run(token, account.id, at);
  write(action, () => signedIn(response, 200, account.id, token));
}

const routes = {
  "GET /health/live": (_, response) => response.end("ok"),
  "POST /api/reg": register,
  "POST /api/login": logIn,
};

const server = createServer((request, response) => {
  const route = routes[`${request.method} ${request.url}`];
  if (route) route(request, response);
  else response.writeHead(404).end();
});
const io = new Server(server, {
  serveClient: false,
  connectionStateRecovery: { maxDisconnectionDuration: 120_000, skipMiddlewares: true },
});
io.on("connection", (socket) => {
  const token = socket.handshake.auth.token ?? socket.handshake.query.token;
  if (logins.has(token)) socket.join(`user:${logins.get(token)}`);
  socket.on("create-user", (asked) => createUser(socket, asked));
  socket.on("create-chat", (asked) => createChat(io, socket, asked));
  socket.on("new-message", (asked, answer) => newMessage(io, asked, answer));
});
server.listen(Number(port), "127.0.0.1");
