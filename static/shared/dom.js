// Building and changing page parts. Text only ever goes in as text.

const SVG = 'http://www.w3.org/2000/svg';

/** @typedef {Node | string | null | undefined} Child */
/** @typedef {Child | Child[]} Children */

/**
 * The element with this id; the page's HTML must contain it.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [kind]
 * @returns {T}
 */
export function $(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof (kind ?? HTMLElement))) throw new TypeError(`#${id} is missing, or something else`);
  return /** @type {T} */ (element);
}

/**
 * The first element in `parent` that `selector` finds.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {ParentNode} parent
 * @param {string} selector
 * @param {new () => T} [kind]
 * @returns {T}
 */
export function within(parent, selector, kind) {
  const element = parent.querySelector(selector);
  if (!(element instanceof (kind ?? HTMLElement))) throw new TypeError(`${selector} is missing, or something else`);
  return /** @type {T} */ (element);
}

/**
 * The input of a form.
 * @param {HTMLFormElement} form
 * @param {string} name
 */
export function input(form, name) {
  return /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
}

/**
 * `h('li', {class: 'chat', 'aria-label': name}, child, 'text')`; a property that starts with `on` is a listener.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [properties]
 * @param {...Children} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/**
 * An icon of one path, hidden from screen readers.
 * @param {string} path
 * @param {Record<string, string>} [attributes]
 */
export function drawing(path, attributes = {}) {
  const svg = document.createElementNS(SVG, 'svg');
  for (const [name, value] of Object.entries({ viewBox: '0 0 24 24', 'aria-hidden': 'true', ...attributes })) svg.setAttribute(name, value);
  const line = document.createElementNS(SVG, 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}

const ICONS = {
  clock: 'M12 7v5l3 2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  alert: 'M12 7v6M12 16.5v.5M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z',
};

/** @param {keyof typeof ICONS} name */
export const icon = (name) => drawing(ICONS[name], { class: 'icon' });

/**
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {HTMLElement} element
 * @param {boolean} visible
 */
export function show(element, visible) {
  if (element.hidden === visible) element.hidden = !visible;
}

/** Whether a key belongs to the composition of a word (IME); Safari sets only the key code. @param {KeyboardEvent} event */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

/** Whether a key sends what is written. @param {KeyboardEvent} event */
export const isSend = (event) => event.key === 'Enter' && !event.shiftKey && !isComposing(event);

/**
 * @typedef {object} Item a child element as it is to be
 * @property {string} key the same key is the same element
 * @property {string} print another print is another content
 * @property {() => HTMLElement} make
 * @property {(element: HTMLElement) => void} [patch] changes the element of before; without it, it is made anew
 */

/**
 * Makes `parent`'s children those of `items`, touching only what differs: an element that stays keeps focus, selection and
 * the press that is under way on it. Children that are nobody's item stay.
 * @param {HTMLElement} parent
 * @param {Item[]} items
 */
export function reconcile(parent, items) {
  const children = /** @type {HTMLElement[]} */ (Array.from(parent.children)).filter((child) => child.dataset.key !== undefined);
  const old = new Map(children.map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    let element = old.get(item.key);
    if (element && element.dataset.print !== item.print) {
      const made = changed(element, item);
      if (place === element) place = made;
      element = made;
    }
    old.delete(item.key);
    element ??= stamped(item);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  for (const gone of old.values()) gone.remove();
}

/**
 * @param {HTMLElement} element
 * @param {Item} item
 */
function changed(element, item) {
  if (item.patch) {
    const { patch } = item;
    keepingFocus(element, () => patch(element));
    element.dataset.print = item.print;
    return element;
  }
  const made = stamped(item);
  const whole = element === activeBeside(element);
  const focus = whole ? () => made.focus({ preventScroll: true }) : focusLater(element, made);
  element.replaceWith(made);
  if (whole) made.tabIndex = element.tabIndex;
  focus();
  return made;
}

/** @param {Item} item */
function stamped(item) {
  const element = item.make();
  element.dataset.key = item.key;
  element.dataset.print = item.print;
  return element;
}

/**
 * Makes an element, in which nothing has listeners, the same as another one: a press that is under way stays one, since
 * what it began on is not taken away.
 * @param {Element} element
 * @param {Element} like
 */
export function become(element, like) {
  for (const { name } of [...element.attributes]) if (!like.hasAttribute(name) && !name.startsWith('data-')) element.removeAttribute(name);
  for (const { name, value } of like.attributes) if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  const old = [...element.childNodes];
  const wanted = [...like.childNodes];
  wanted.forEach((child, at) => {
    const before = old[at];
    if (before === undefined) element.append(child);
    else if (before.nodeName !== child.nodeName || isOther(before, child)) before.replaceWith(child);
    else if (before instanceof Element && child instanceof Element && !(before instanceof HTMLImageElement)) become(before, child);
    else if (before instanceof Text && before.data !== child.nodeValue) before.data = child.nodeValue ?? '';
  });
  for (const extra of old.slice(wanted.length)) extra.remove();
}

/** A picture that was loaded stays while it is the same. @param {Node} before @param {Node} after */
const isOther = (before, after) => before instanceof HTMLImageElement && after instanceof HTMLImageElement && before.src !== after.src;

const CONTROLS = 'a,button,input,select,textarea,summary';

/** @param {HTMLElement} parent */
const controlsOf = (parent) => /** @type {HTMLElement[]} */ ([...(parent.matches(CONTROLS) ? [parent] : []), ...parent.querySelectorAll(CONTROLS)]);

/** What a control is known by when it is made anew, whatever it counts. @param {HTMLElement} control */
function identityOf(control) {
  const { localName, className, dataset, textContent } = control;
  if (dataset.emoji) return dataset.emoji;
  const [name, value] = ['name', 'value'].map((each) => control.getAttribute(each));
  return [localName, className, name, control.matches('[type=radio]') ? value : '', name ? '' : textContent].join(' ');
}

/** What has the focus in the document or shadow tree of an element. @param {Node} element */
function activeBeside(element) {
  const root = element.getRootNode();
  return root instanceof Document || root instanceof ShadowRoot ? root.activeElement : null;
}

/**
 * What gives the focus to the control of `after` that corresponds to the one of `before` that has it now.
 * @param {HTMLElement} before
 * @param {HTMLElement} after
 */
function focusLater(before, after) {
  const active = activeBeside(before);
  if (!(active instanceof HTMLElement) || !before.contains(active)) return () => {};
  const [identity, place] = [identityOf(active), controlsOf(before).indexOf(active)];
  return () => {
    const now = activeBeside(after);
    if (now !== null && now !== document.body) return;
    const made = controlsOf(after);
    const same = active.isConnected ? active : (made.find((each) => identityOf(each) === identity) ?? made[place] ?? made.at(-1));
    same?.focus({ preventScroll: true });
  };
}

/**
 * Runs `work`, which makes parts of `parent` anew; the focus stays where it is.
 * @param {HTMLElement} parent
 * @param {() => void} work
 */
export function keepingFocus(parent, work) {
  const focus = focusLater(parent, parent);
  work();
  focus();
}

/**
 * Runs `work`, which may take the row away that has the focus: then the one that has come to its place gets it, or what stands
 * above the list.
 * @param {HTMLElement} list
 * @param {HTMLElement} heading
 * @param {() => void} work
 */
export function keepingPlace(list, heading, work) {
  const row = [...list.children].find((each) => each.contains(document.activeElement));
  const at = [...list.children].indexOf(/** @type {Element} */ (row));
  work();
  if (!row || list.contains(document.activeElement)) return;
  const next = list.children[Math.min(at, list.children.length - 1)];
  const control = next && controlsOf(/** @type {HTMLElement} */ (next)).at(-1);
  (control ?? heading).focus({ preventScroll: true });
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let speaking;

/** Announces a text to screen readers. @param {string} text */
export function speak(text) {
  clearTimeout(speaking);
  const region = $('spoken');
  region.textContent = '';
  speaking = setTimeout(() => {
    region.textContent = text;
  }, 60);
}

/** @typedef {HTMLInputElement | HTMLTextAreaElement} Field */

/**
 * Shows what is wrong with a form beside its button, and focuses the field to correct.
 * @param {HTMLFormElement} form
 * @param {string | null | undefined} text
 * @param {Field | null} [field]
 */
export function formError(form, text, field) {
  const line = within(form, '.form-error');
  line.textContent = text ?? '';
  line.hidden = !text;
  for (const each of form.elements) each.removeAttribute('aria-invalid');
  if (!text || !field) return;
  field.setAttribute('aria-invalid', 'true');
  field.focus();
}

/**
 * The first field that fails the browser's validation, with its message.
 * @param {HTMLFormElement} form
 * @returns {{field: Field, text: string} | null}
 */
export function firstFault(form) {
  for (const element of form.elements) {
    const field = /** @type {HTMLInputElement} */ (element);
    if (!field.willValidate || field.validity.valid) continue;
    const label = form.querySelector(`label[for="${field.id}"]`)?.textContent ?? 'This field';
    if (field.validity.valueMissing) return { field, text: `${label} is missing.` };
    if (field.validity.typeMismatch) return { field, text: 'That does not look like an e-mail address.' };
    if (field.validity.tooShort) return { field, text: `${label} needs at least ${field.minLength} characters.` };
    return { field, text: field.validationMessage };
  }
  return null;
}

/**
 * Runs an asynchronous action on click; further clicks are ignored until it has ended.
 * @param {HTMLElement} button
 * @param {() => Promise<unknown>} work
 */
export async function busy(button, work) {
  if (button.getAttribute('aria-disabled') === 'true') return;
  button.setAttribute('aria-disabled', 'true');
  try {
    await work();
  } finally {
    button.removeAttribute('aria-disabled');
  }
}

/** Makes every `data-close` button close the dialog it is in. */
export function wireCloseButtons() {
  for (const button of document.querySelectorAll('[data-close]')) {
    button.addEventListener('click', () => button.closest('dialog')?.close());
  }
}

/**
 * The choice between light and dark, in a settings dialog.
 * @param {HTMLElement} dialog
 */
export function wireThemeChoice(dialog) {
  for (const radio of dialog.querySelectorAll('input[name=theme]')) {
    if (!(radio instanceof HTMLInputElement)) continue;
    radio.checked = radio.value === globalThis.parlanceTheme.get();
    radio.addEventListener('change', () => globalThis.parlanceTheme.set(radio.value));
  }
}

/**
 * Does `work` when a form is sent without a fault that can be seen here.
 * @param {HTMLFormElement} form
 * @param {() => Promise<void>} work
 * @param {(error: unknown) => void} refused called with what goes wrong
 */
export function onSubmit(form, work, refused) {
  form.noValidate = true;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const fault = firstFault(form);
    formError(form, fault?.text, fault?.field);
    if (fault) return;
    busy(within(form, '[type=submit]'), async () => {
      try {
        await work();
      } catch (error) {
        refused(error);
      }
    });
  });
}
