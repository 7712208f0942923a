// A person's face: a photo, or the initials in a colour of their own; and whether they are there.
import { h } from '../shared/dom.js';
import { hue, initials } from '../shared/format.js';

/** A larger picture would take the memory of a whole page to draw. */
const MOST_PIXELS = 4_096;

/** Whether this server lets the page show pictures from elsewhere. */
let photosShown = false;

/** @param {boolean} shown */
export function showPhotos(shown) {
  photosShown = shown;
}

/** Whether the photo of such an address can be seen here. @param {string | null | undefined} photo */
export const isShown = (photo) => photosShown && Boolean(photo?.startsWith('https://'));

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
  const inside = [initials(name), photo && isShown(photo) ? picture(photo) : null];
  if (!press) return h('span', { class: classes, 'aria-hidden': 'true' }, ...inside);
  return h('button', { class: classes, type: 'button', tabindex: '-1', 'aria-label': `About ${name}`, title: name, onclick: press }, ...inside);
}

/** Over the initials, which stay where it cannot be loaded. @param {string} photo */
function picture(photo) {
  const image = h('img', { src: photo, alt: '', width: '42', height: '42', loading: 'lazy', decoding: 'async', referrerpolicy: 'no-referrer' });
  image.addEventListener('load', () => {
    if (Math.max(image.naturalWidth, image.naturalHeight) > MOST_PIXELS) image.remove();
    else image.classList.add('loaded');
  });
  image.addEventListener('error', () => image.remove());
  return image;
}
