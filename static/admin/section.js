// One section of the page: a list that loads page by page, or something of its own.
import { ApiError, get } from '../shared/api.js';
import { $, busy, setText, show, speak } from '../shared/dom.js';
import { explain } from '../messenger/error-text.js';

const SEARCH_AFTER = 250;
const PAGE = 50;

/**
 * @typedef {object} Section
 * @property {string} title
 * @property {string} lead
 * @property {string} [path] of a list
 * @property {string} [key] under which the answer has the list
 * @property {(entry: any, view: SectionView) => HTMLElement} [row]
 * @property {string} [empty]
 * @property {string} [finder] what is searched for; without it nothing can be
 * @property {boolean} [only] whether people can be narrowed down
 * @property {(view: SectionView) => HTMLElement[]} [actions]
 * @property {(view: SectionView) => Promise<HTMLElement[]>} [draw] what stands in place of a list
 */

export class SectionView {
  /** @param {{ended: () => void}} options `ended` is called when the login is over */
  constructor({ ended }) {
    this.ended = ended;
    /** @type {Section | null} */
    this.section = null;
    this.generation = 0;
    /** @type {number | null} */
    this.last = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.searching = undefined;
    $('section-more').addEventListener('click', () => busy($('section-more'), () => this.load()));
    $('section-retry').addEventListener('click', () => busy($('section-retry'), () => this.refresh()));
    $('finder-query').addEventListener('input', () => {
      clearTimeout(this.searching);
      this.searching = setTimeout(() => this.refresh(), SEARCH_AFTER);
    });
    $('finder').addEventListener('submit', (event) => {
      event.preventDefault();
      this.refresh();
    });
    for (const radio of document.querySelectorAll('input[name=only]')) radio.addEventListener('change', () => this.refresh());
  }

  /** @param {Section} section */
  open(section) {
    this.section = section;
    setText($('section-title'), section.title);
    setText($('section-lead'), section.lead);
    document.title = `${section.title} · Administration · Parlance`;
    $('section-actions').replaceChildren(...(section.actions?.(this) ?? []));
    show($('finder'), Boolean(section.finder));
    show($('finder-only'), Boolean(section.only));
    setText($('finder-label'), section.finder ?? '');
    const query = $('finder-query', HTMLInputElement);
    query.value = '';
    query.placeholder = section.finder ?? '';
    const all = document.querySelector('input[name=only][value=""]');
    if (all instanceof HTMLInputElement) all.checked = true;
    this.tell(null);
    $('section-body').replaceChildren();
    this.refresh();
  }

  /** Says what was done. @param {string | null} text */
  tell(text) {
    setText($('section-notice'), text ?? '');
    show($('section-notice'), Boolean(text));
  }

  /** Loads the section from its beginning. */
  async refresh() {
    this.last = null;
    await this.load();
  }

  /** Loads what comes next; what was asked for before is not waited for. */
  async load() {
    const { section } = this;
    if (!section) return;
    this.generation += 1;
    const { generation } = this;
    try {
      const nodes = section.draw ? { own: await section.draw(this) } : { page: await get(this.address(section)) };
      if (generation !== this.generation) return;
      show($('section-error'), false);
      if (nodes.own) this.showOwn(nodes.own);
      else this.showPage(section, nodes.page.body);
    } catch (error) {
      if (generation === this.generation) this.failed(error);
    }
  }

  /** @param {Section} section */
  address(section) {
    const query = new URLSearchParams({ limit: String(PAGE) });
    const searched = $('finder-query', HTMLInputElement).value.trim();
    if (section.finder && searched) query.set('query', searched);
    const only = document.querySelector('input[name=only]:checked');
    if (section.only && only instanceof HTMLInputElement && only.value) query.set('only', only.value);
    if (this.last !== null) query.set('before', String(this.last));
    return `${section.path}?${query}`;
  }

  /** @param {HTMLElement[]} nodes */
  showOwn(nodes) {
    $('section-body').replaceChildren(...nodes);
    show($('section-empty'), false);
    show($('section-more'), false);
  }

  /**
   * @param {Section} section
   * @param {any} body
   */
  showPage(section, body) {
    /** @type {any[]} */
    const entries = body[section.key ?? ''] ?? [];
    const rows = entries.map((entry) => /** @type {NonNullable<Section['row']>} */ (section.row)(entry, this));
    const list = $('section-body').querySelector('ul');
    if (this.last !== null && list) {
      list.append(...rows);
      rows[0]?.querySelector('button')?.focus();
    } else {
      const fresh = document.createElement('ul');
      fresh.className = 'rows';
      fresh.append(...rows);
      $('section-body').replaceChildren(...(rows.length > 0 ? [fresh] : []));
      const searched = $('finder-query', HTMLInputElement).value.trim() !== '';
      const nothing = searched ? 'Nothing found.' : (section.empty ?? 'Nothing here yet.');
      setText($('section-empty'), nothing);
      show($('section-empty'), rows.length === 0);
      if (searched) speak(rows.length === 0 ? nothing : `${rows.length} found`);
    }
    this.last = entries.at(-1)?.id ?? this.last;
    show($('section-more'), body.has_more === true);
  }

  /** @param {unknown} error */
  failed(error) {
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
      this.ended();
      return;
    }
    setText($('section-error-text'), explain(error));
    show($('section-error'), true);
  }

  /**
   * Does something, says so, and shows the section as it is then; says what went wrong instead.
   * @param {HTMLElement} button
   * @param {() => Promise<unknown>} work
   * @param {string} done
   */
  async act(button, work, done) {
    await busy(button, async () => {
      try {
        await work();
      } catch (error) {
        this.tell(null);
        this.failed(error);
        return;
      }
      this.tell(done);
      await this.refresh();
      $('section-title').focus();
    });
  }
}
