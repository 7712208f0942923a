// A finger that rests on something opens its menu; what else the press would do does not come after it.

const HOLD_FOR_MENU = 450;
const MOVED = 10;
/** A click comes within this time after the finger has left, or not at all. */
const CLICK_WITHIN = 350;

/**
 * @param {HTMLElement} element
 * @param {(event: PointerEvent) => (() => void) | null} find what resting on this place does; nothing where it is null
 */
export function onHold(element, find) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let holding;
  const stop = () => clearTimeout(holding);
  element.addEventListener('pointerdown', (event) => {
    stop();
    const act = event.pointerType === 'mouse' ? null : find(event);
    if (!act) return;
    const { clientX: x, clientY: y } = event;
    holding = setTimeout(() => {
      swallowClick();
      act();
    }, HOLD_FOR_MENU);
    const moved = (/** @type {PointerEvent} */ later) => {
      if (Math.hypot(later.clientX - x, later.clientY - y) < MOVED) return;
      stop();
      element.removeEventListener('pointermove', moved);
    };
    element.addEventListener('pointermove', moved);
  });
  for (const type of ['pointerup', 'pointercancel', 'contextmenu']) element.addEventListener(type, stop);
}

/** The click of the finger that leaves acts on nothing: neither on what it rested on, nor on what has opened under it. */
function swallowClick() {
  const swallow = (/** @type {Event} */ event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  const end = () => {
    removeEventListener('click', swallow, { capture: true });
    removeEventListener('pointerdown', end, { capture: true });
  };
  addEventListener('click', swallow, { capture: true });
  // Another press is meant.
  addEventListener('pointerdown', end, { capture: true });
  for (const type of ['pointerup', 'pointercancel']) addEventListener(type, () => setTimeout(end, CLICK_WITHIN), { capture: true, once: true });
}
