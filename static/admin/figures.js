// Figures of the server.
import { get } from '../shared/api.js';
import { h } from '../shared/dom.js';
import { inFull } from '../shared/format.js';

const number = new Intl.NumberFormat();
const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** @param {number} bytes */
function size(bytes) {
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** @param {number} seconds */
function duration(seconds) {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min`;
}

/** @type {import('./section.js').Section} */
export const figuresSection = {
  title: 'Figures',
  lead: 'What this server holds and does right now.',
  draw: async () => {
    const { body } = await get('/api/admin/figures');
    /** @type {[string, string][]} */
    const figures = [
      ['People', number.format(body.people)],
      ['Administrators', number.format(body.administrators)],
      ['Deactivated', number.format(body.people_deactivated)],
      ['Chats', number.format(body.chats)],
      ['Messages', number.format(body.messages)],
      ['Logins', number.format(body.logins)],
      ['Sockets', number.format(body.sockets)],
      ['Waits and streams', number.format(body.waiting)],
      ['Sites and apps', number.format(body.tenants)],
      ['Their messages', number.format(body.tenants_messages)],
      ['Database', `${size(body.database_bytes)}, ${body.database}`],
      ['Version', body.version],
      ['Running for', duration(body.uptime_seconds)],
      ['Started', inFull(body.started_at)],
    ];
    return [h('dl', { class: 'figures' }, ...figures.map(([name, value]) => h('div', { class: 'figure' }, h('dt', {}, name), h('dd', {}, value))))];
  },
};
