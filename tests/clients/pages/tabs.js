// Two tabs of one browser as far as storage goes: each has a view of its own, which hears of the other's writes later.

/** One tab's view of localStorage. Its entries are its own properties, as they are in browsers. */
class View {
  /** @type {(key: string, value: string | null) => void} */
  #tell;

  constructor(tell) {
    this.#tell = tell;
  }

  getItem(key) {
    return Object.hasOwn(this, key) ? this[key] : null;
  }

  setItem(key, value) {
    this[key] = value;
    this.#tell(key, value);
  }

  removeItem(key) {
    delete this[key];
    this.#tell(key, null);
  }
}

export class Tabs {
  constructor(count = 2) {
    this.onTheWay = [];
    this.windows = Array.from({ length: count }, () => new EventTarget());
    this.views = this.windows.map((_, tab) => new View((key, value) => this.onTheWay.push({ tab, key, value })));
  }

  /** Runs `work`, which must not wait, in a tab. */
  in(tab, work) {
    globalThis.window = this.windows[tab];
    Object.defineProperty(globalThis, 'localStorage', { value: this.views[tab], configurable: true });
    return work();
  }

  /** Every tab hears what the others have written so far, in order. */
  deliver() {
    for (const { tab: writer, key, value } of this.onTheWay.splice(0)) {
      this.views.forEach((view, tab) => {
        if (tab === writer) return;
        if (value === null) delete view[key];
        else view[key] = value;
        const event = Object.assign(new Event('storage'), { key });
        this.in(tab, () => this.windows[tab].dispatchEvent(event));
      });
    }
  }
}
