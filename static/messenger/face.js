// A person's face: a photo, or the initials in a colour of their own; and whether they are there.
import { h } from '../shared/dom.js';
import { hue, initials } from '../shared/format.js';

/**
 * @param {object} person
 * @param {number} person.id
 * @param {string} person.name
 * @param {string | null} [person.photo]
 * @param {boolean} [person.online]
 * @param {boolean} [person.small]
 * @param {(event: Event) => void} [person.press] what a press on it does
 */
export function drawFace({ id, name, photo, online, small, press }) {
  const classes = ['face', hue(id), small ? 'small' : '', online ? 'online' : ''].filter(Boolean).join(' ');
  const inside = photo ? picture(photo, name) : initials(name);
  if (!press) return h('span', { class: classes, 'aria-hidden': 'true' }, inside);
  return h('button', { class: classes, type: 'button', tabindex: '-1', 'aria-label': `About ${name}`, title: name, onclick: press }, inside);
}

/**
 * @param {string} photo
 * @param {string} name
 */
function picture(photo, name) {
  const image = h('img', { src: photo, alt: '', loading: 'lazy', decoding: 'async', referrerpolicy: 'no-referrer' });
  // An address that leads to no picture.
  image.addEventListener('error', () => image.replaceWith(initials(name)));
  return image;
}
