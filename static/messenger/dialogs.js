// The dialogs over the messenger, and the form for a new chat.
import { ApiError, post } from '../shared/api.js';
import { confirm } from '../shared/confirm.js';
import { $, busy, firstFault, formError, input, wireCloseButtons, within } from '../shared/dom.js';
import { explain } from './error-text.js';

/**
 * Wires the dialogs once.
 * @param {object} options
 * @param {(id: number, title: string) => void} options.made called with a new chat
 * @param {(title: string) => number | null} options.find gives the id of an open chat of that title
 */
export function wireDialogs({ made, find }) {
  wireCloseButtons();
  for (const dialog of document.querySelectorAll('dialog')) {
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog) dialog.close();
    });
  }

  const form = $('chat-form', HTMLFormElement);
  const title = input(form, 'title');
  const dialog = $('chat-dialog', HTMLDialogElement);
  form.noValidate = true;
  const open = () => {
    form.reset();
    formError(form, null);
    dialog.showModal();
    title.focus();
  };
  $('new-chat').addEventListener('click', open);
  $('blank-new').addEventListener('click', open);

  async function create() {
    formError(form, null);
    try {
      const { headers } = await post('/api/chats', new FormData(form));
      const id = Number(headers.get('Location')?.match(/(\d+)$/)?.[1]);
      dialog.close();
      made(id, title.value.trim());
    } catch (error) {
      const taken = error instanceof ApiError && error.status === 409 ? find(title.value) : null;
      if (!taken) {
        formError(form, explain(error), title);
        return;
      }
      dialog.close();
      location.hash = `#/chats/${taken}`;
      await confirm({ title: 'That chat exists already', text: `Somebody started “${title.value.trim()}” before. Here it is.`, no: 'Go on' });
    }
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (firstFault(form) || title.value.trim() === '') formError(form, 'Please give the chat a title.', title);
    else busy(within(form, '[type=submit]'), create);
  });
}
