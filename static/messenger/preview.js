// What is being written, drawn as it will be seen.
import { $, show } from '../shared/dom.js';
import { drawBody } from './message-body.js';

export class Preview {
  /** @param {HTMLTextAreaElement} box */
  constructor(box) {
    this.box = box;
    this.on = false;
  }

  toggle() {
    this.on = !this.on;
    this.render();
    this.box.focus({ preventScroll: true });
  }

  end() {
    this.on = false;
    this.render();
  }

  render() {
    show($('preview'), this.on);
    if (!this.on) return;
    const { value } = this.box;
    $('preview-words').replaceChildren(
      ...(value.trim() === '' ? ['What you write is shown here as it will be seen.'] : drawBody(value, { unfolded: true, unfold: () => {} })).filter(
        (part) => part !== null && part !== undefined,
      ),
    );
  }
}
