// Everybody hears everybody: in each place where several APIs meet, one says something by each, and all others hear it
// by each, once, in order and word for word. What they heard is printed as a matrix.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Server } from '../openapi/server.mjs';
import { Matrix } from './matrix.mjs';
import { backOffice, conversation, home, room } from './places.mjs';

// The places have nothing in common but the server, and mostly wait.
describe('everybody hears everybody', { concurrency: true }, () => {
  let server;

  before(async () => {
    const admin = { ROCKET_ADMIN_EMAIL: process.env.ADMIN_EMAIL, ROCKET_ADMIN_PASSWORD: process.env.ADMIN_PASSWORD };
    server = await Server.start({ ROCKET_RATE_LIMITS: 'false', ROCKET_VERIFY_ALLOW: '["127.0.0.0/8"]', ...admin });
    server.url = `http://${server.address}`;
  });

  after(() => server?.stop());

  for (const open of [conversation, backOffice, home, room]) {
    test(open.title, async () => {
      const place = await open(server);
      const matrix = new Matrix(place);
      try {
        await matrix.begin();
        await matrix.speak();
        await matrix.allAtOnce();
        for (const sender of place.senders) await matrix.types(sender);
        await matrix.isQuiet();
      } finally {
        await place.close();
        console.log(matrix.printed());
      }
      assert.deepEqual(matrix.faults, []);
    });
  }
});
