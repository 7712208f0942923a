// Small windows over the page, and the form for a new chat.
import { Refusal, post } from './api.js';
import { $, firstFault, formError } from './dom.js';
import { ask } from './ask.js';
import { inWords } from './refusals.js';

/** Wires the sheets once. `made(id)` is called with a new chat; `find(title)` gives the id of an open chat of that title. */
export function prepareSheets({ made, find }) {
  for (const button of document.querySelectorAll('[data-close]')) {
    button.addEventListener('click', () => button.closest('dialog').close());
  }
  for (const sheet of document.querySelectorAll('dialog')) {
    sheet.addEventListener('click', (event) => {
      if (event.target === sheet) sheet.close();
    });
  }

  const form = $('chat-form');
  form.noValidate = true;
  const open = () => {
    form.reset();
    formError(form, null);
    $('chat-dialog').showModal();
    form.elements.title.focus();
  };
  $('new-chat').addEventListener('click', open);
  $('blank-new').addEventListener('click', open);

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const fault = firstFault(form);
    const title = form.elements.title.value;
    if (fault || title.trim() === '') {
      formError(form, 'Please give the chat a title.', form.elements.title);
      return;
    }
    const button = form.querySelector('[type=submit]');
    if (button.getAttribute('aria-disabled') === 'true') return;
    button.setAttribute('aria-disabled', 'true');
    formError(form, null);
    try {
      const { headers } = await post('/api/chats', new FormData(form));
      const id = Number(headers.get('Location')?.match(/(\d+)$/)?.[1]);
      $('chat-dialog').close();
      await made(id, title.trim());
    } catch (error) {
      const taken = error instanceof Refusal && error.status === 409 ? find(title) : null;
      if (taken) {
        $('chat-dialog').close();
        location.hash = `#/chats/${taken}`;
        await ask({ title: 'That chat exists already', text: `Somebody started “${title.trim()}” before. Here it is.`, no: 'Go on' });
        return;
      }
      formError(form, inWords(error), form.elements.title);
    } finally {
      button.removeAttribute('aria-disabled');
    }
  });
}
