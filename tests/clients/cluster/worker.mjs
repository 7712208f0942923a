// One thread of clients: those of some chats. It does what the thread says that began it, see crowd.mjs.

import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

import { Diary } from './ledger.mjs';
import { Site } from './site.mjs';

const { url, folder, number, chats, bounds, shared } = workerData;
const diary = new Diary(join(folder, `clients-${number}.log`));
const counts = new Int32Array(shared);
const sites = chats.map(({ chat, clients }) => new Site({ url, number: chat, clients, bounds }, diary, counts));

const each = (act) => Promise.all(sites.map(act));
const ORDERS = {
  open: () => each((site) => site.open()),
  begin: (apart) => each((site) => site.begin(apart)),
  spoil: (how) => sites[0].spoil(how),
  stop: () => each((site) => site.stop()),
  verify: (nodes) => each((site) => site.verify(nodes)),
};

parentPort.on('message', async ({ number: order, what, argument }) => {
  try {
    parentPort.postMessage({ number: order, result: await ORDERS[what](argument) });
  } catch (error) {
    parentPort.postMessage({ number: order, error: error.stack });
  }
});
