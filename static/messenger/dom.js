// Building page parts. Text only ever goes in as text.

const SVG = 'http://www.w3.org/2000/svg';

export const $ = (id) => document.getElementById(id);

/** `h('li', {class: 'chat', 'aria-label': name}, child, 'text')`; a property that starts with `on` is a listener. */
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

const ICONS = {
  clock: 'M12 7v5l3 2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  alert: 'M12 7v6M12 16.5v.5M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z',
};

export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', 'icon');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function show(element, visible) {
  if (element.hidden === visible) element.hidden = !visible;
}

/** Whether a key sends what is written: Enter, but not the one that ends an IME composition, which Safari tells by its code alone. */
export function sends(event) {
  return event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}

/**
 * Makes `parent`'s children those of `items`, touching only what differs. An item is
 * {key, print, make}: the same key and print keep their element, and with it focus and selection.
 */
export function reconcile(parent, items) {
  const old = new Map(Array.from(parent.children, (child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    let element = old.get(item.key);
    if (element && element.dataset.print !== item.print) {
      const focused = element.contains(document.activeElement);
      const made = stamped(item);
      if (place === element) place = made;
      element.replaceWith(made);
      if (focused) (made.matches('a,button') ? made : made.querySelector('a,button'))?.focus();
      element = made;
    }
    old.delete(item.key);
    element ??= stamped(item);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  for (const gone of old.values()) gone.remove();
}

function stamped(item) {
  const element = item.make();
  element.dataset.key = item.key;
  element.dataset.print = item.print;
  return element;
}

let speaking = null;

/** Says something to those who listen to the page rather than look at it. */
export function speak(text) {
  clearTimeout(speaking);
  const region = $('spoken');
  region.textContent = '';
  speaking = setTimeout(() => {
    region.textContent = text;
  }, 60);
}

/** Shows what is wrong with a form beside its button, and puts the cursor where it can be mended. */
export function formError(form, text, field) {
  const line = form.querySelector('.form-error');
  line.textContent = text ?? '';
  line.hidden = !text;
  for (const input of form.elements) input.removeAttribute('aria-invalid');
  if (!text) return;
  const wrong = field ?? null;
  if (wrong) {
    wrong.setAttribute('aria-invalid', 'true');
    wrong.focus();
  }
}

/** The first field the browser itself objects to, in words. */
export function firstFault(form) {
  for (const input of form.elements) {
    if (!input.willValidate || input.validity.valid) continue;
    const label = form.querySelector(`label[for="${input.id}"]`)?.textContent ?? 'This field';
    if (input.validity.valueMissing) return { field: input, text: `${label} is missing.` };
    if (input.validity.typeMismatch) return { field: input, text: `That does not look like an e-mail address.` };
    if (input.validity.tooShort) return { field: input, text: `${label} needs at least ${input.minLength} characters.` };
    return { field: input, text: input.validationMessage };
  }
  return null;
}
