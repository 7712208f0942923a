// What this browser keeps between visits. Storage may be full or forbidden: then memory has to do.
import { BASE } from './place.js';

const memory = new Map();

/** Storage belongs to a whole host, which may serve several of these under different prefixes. */
const SCOPE = BASE.pathname === '/' ? '' : `${BASE.pathname} `;

/** The key under which `storage` events tell of changes to `key`. */
export const stored = (key) => SCOPE + key;

export function read(name, otherwise) {
  const key = stored(name);
  try {
    const text = localStorage.getItem(key);
    return text === null ? (memory.get(key) ?? otherwise) : JSON.parse(text);
  } catch {
    return memory.get(key) ?? otherwise;
  }
}

export function write(name, value) {
  const key = stored(name);
  try {
    if (value === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
    memory.delete(key);
  } catch {
    memory.set(key, value);
  }
}

/** Runs `work` in one tab at a time, where the browser can promise that. */
export function alone(name, work) {
  if (!navigator.locks) return work();
  return navigator.locks.request(stored(name), work);
}
