// Node's own server doing what examples/socketio_lab.rs does: what passes against it and fails against
// ours is our mistake. Called as `node reference.mjs lab|recovery PORT`.

import { createServer } from "node:http";
import { Server } from "socket.io";

const [kind, port] = process.argv.slice(2);
const http = createServer();

function lab(recovery) {
  const io = new Server(http, {
    pingInterval: 500,
    pingTimeout: 5000,
    allowEIO3: true,
    connectionStateRecovery: recovery ? { maxDisconnectionDuration: 60_000 } : undefined,
  });

  io.on("connection", (socket) => {
    const answer = (args, reply) => {
      const ack = typeof args.at(-1) === "function" ? args.pop() : undefined;
      reply(ack, args);
    };
    socket.emit("welcome", { recovered: socket.recovered });
    socket.on("echo", (...args) =>
      answer(args, (ack, rest) => (ack ? ack(...rest) : socket.emit("echo", ...rest))),
    );
    socket.on("sum", (a, b, ack) => ack(a + b));
    socket.on("upper", (text) => socket.emit("upper", text.toUpperCase()));
    socket.on("reverse", (bytes, ack) => ack(Buffer.from(bytes).reverse()));
    socket.on("file", ({ name, data }, ack) => ack({ name, size: data.length, head: data.subarray(0, 4) }));
    socket.on("pack", (count) => {
      const parts = Array.from({ length: count }, (_, at) => Buffer.from([at]));
      socket.emit("pack", "text", { parts }, Buffer.alloc(0));
    });
    socket.on("ask", (...args) => {
      socket.timeout(5000).emit("question", ...args, (error, ...answer) =>
        socket.emit(error ? "unanswered" : "answered", ...answer),
      );
    });
    socket.on("ask-in-vain", (ms) => {
      socket.timeout(ms).emit("question-in-vain", (error) => socket.emit("unanswered", Boolean(error)));
    });
    socket.on("whoami", (ack) => {
      const { query, headers, auth } = socket.handshake;
      ack({ id: socket.id, query, lab: headers["x-lab"] ?? null, auth });
    });
    socket.on("join", async (room, ack) => {
      await socket.join(room);
      ack([...socket.rooms].filter((name) => name !== socket.id));
    });
    socket.on("leave", async (room, ack) => {
      await socket.leave(room);
      ack([...socket.rooms].filter((name) => name !== socket.id));
    });
    socket.on("say", (room, ...args) => socket.to(room).emit("said", ...args));
    socket.on("shout", (room, ...args) => io.to(room).emit("said", ...args));
    socket.on("say-except", (room, except, ...args) => io.to(room).except(except).emit("said", ...args));
    socket.on("poll-room", async (room, ack) => {
      const answers = await io.to(room).timeout(5000).emitWithAck("vote");
      ack(answers.sort());
    });
    socket.on("volatile", (text) => socket.volatile.emit("volatile", text));
    socket.on("burst", (count, ack) => {
      for (let at = 0; at < count; at++) socket.emit("burst", at, at % 10 === 0 ? Buffer.from([at % 256]) : null);
      ack?.(count);
    });
    const numbers = [];
    socket.on("number", (number) => numbers.push(number));
    socket.on("numbers", (ack) => ack(numbers));
    socket.on("big", (size, ack) => ack("x".repeat(size), Buffer.alloc(size, 7)));
    socket.on("kick", () => socket.disconnect());
    socket.on("hang-up", () => socket.disconnect(true));
    socket.on("drop", () => socket.conn.close());
    socket.on("watch", (ack) => {
      socket.join("watchers");
      ack();
    });
    socket.on("disconnect", (reason) => io.to("watchers").emit("left", socket.id, reason));
  });

  io.of("/admin").use((socket, next) => {
    const token = socket.handshake.auth.token;
    if (token === "letmein") return next();
    const error = new Error("that is not the word");
    error.data = { code: 403, given: token ?? null };
    next(error);
  });
  io.of("/admin").on("connection", (socket) => {
    socket.on("echo", (...args) => args.pop()(...args));
  });
  io.of("/closed").use((_, next) => next(new Error("we are closed")));
  io.of(/^\/team-\d+$/).on("connection", (socket) => {
    socket.on("where", (ack) => ack(socket.nsp.name));
  });
}

lab(kind === "recovery");
http.listen(Number(port), "127.0.0.1");
