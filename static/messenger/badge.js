// How much is unread, told where one sees it without looking at the page: its title, its icon, the icon of the app.

const BODY = 'M10 6h22a8 8 0 0 1 8 8v9a8 8 0 0 1-8 8H20l-9 8v-8.1A8 8 0 0 1 4 23v-9a8 8 0 0 1 6-8z';

/** @param {number} count */
export function iconWith(count) {
  const text = count > 99 ? '99+' : String(count);
  const size = [22, 18, 14][Math.min(text.length, 3) - 1];
  const badge = `<circle cx="34" cy="34" r="14" fill="#c0332a"/><text x="34" y="34" fill="#fff" font-family="sans-serif" font-weight="700" font-size="${size}" text-anchor="middle" dominant-baseline="central">${text}</text>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><path fill="#24695a" d="${BODY}"/><path fill="none" stroke="#fff" stroke-width="3.4" stroke-linecap="round" d="M13 16h18M13 23h11"/>${badge}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** The icon without a badge, as the page names it. @type {string | null} */
let plain = null;
let shown = 0;

/**
 * @param {number} count
 * @param {string} name what the page shows
 */
export function showBadge(count, name) {
  document.title = count ? `(${count > 99 ? '99+' : count}) ${name}` : name;
  if (count === shown) return;
  shown = count;
  const link = document.querySelector('link[rel=icon]');
  if (!(link instanceof HTMLLinkElement)) return;
  plain ??= link.href;
  link.href = count ? iconWith(count) : plain;
  const told = count ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.();
  told?.catch(() => {});
}
