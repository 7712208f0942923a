// One chat through four APIs at once, each in a pane of its own.
import { $, onSubmit, formError, show } from '../shared/dom.js';
import { embed, messenger, service, support } from './clients.js';
import { Pane } from './pane.js';
import { setUp } from './setup.js';

/** @param {import('./setup.js').Demo} demo */
function openPanes({ chat, ann, bo, cy, gus }) {
  const names = new Map([ann, bo, cy, gus].map(({ id, name }) => [id, name]));
  show($('panes'), true);
  const panes = [
    {
      key: 'support',
      title: 'live support',
      how: 'The guest: Socket.IO, the token of a guest. This API has no word for edits.',
      me: gus,
      connect: support,
    },
    {
      key: 'messenger',
      title: 'the messenger',
      how: 'An owner: plain HTTP and a long-poll, a personal access token.',
      me: ann,
      connect: messenger,
    },
    {
      key: 'embed',
      title: 'embedded chat',
      how: 'An owner: Socket.IO, acting for a user.',
      me: bo,
      connect: embed,
    },
    {
      key: 'service',
      title: 'the chat service',
      how: 'An owner: Socket.IO, in a room that was joined by its name.',
      me: cy,
      connect: service,
    },
  ].map((kind) => new Pane({ ...kind, names, connect: (listener) => kind.connect(chat, kind.me, listener) }));
  panes[0].field.focus();
}

const form = $('begin', HTMLFormElement);
onSubmit(
  form,
  async () => {
    const demo = await setUp();
    show(form, false);
    openPanes(demo);
  },
  (error) => formError(form, error instanceof Error ? error.message : 'That did not work.'),
);
