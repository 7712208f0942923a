// Runs a command beside a server of its own; SUPPORT_URL and SUPPORT_URL_2 are its two ports.

import { spawn } from "node:child_process";

import { Server } from "./clients.mjs";

const server = await new Server().start();
const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, {
  stdio: "inherit",
  env: { ...process.env, SUPPORT_URL: server.urls[0], SUPPORT_URL_2: server.urls[1] },
});
const code = await new Promise((resolve) => child.once("exit", resolve));
await server.stop();
process.exit(code ?? 1);
