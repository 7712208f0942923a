// Storage that survives the page: localStorage, or memory where that is full or forbidden.
//
// Tabs run in processes of their own and see each other's writes a moment later. Reading a list, changing it and writing
// it back therefore loses what another tab wrote in between, and a lock does not help: it may be granted before the write
// arrives. So each value that tabs change independently has a key of its own, and is written as a whole.

/** What could not be written. @type {Map<string, unknown>} */
const memory = new Map();

/**
 * @template T
 * @param {string} key
 * @param {T} otherwise the default when nothing readable is stored
 * @returns {T}
 */
export function read(key, otherwise) {
  if (memory.has(key)) return /** @type {T} */ (memory.get(key));
  try {
    const text = localStorage.getItem(key);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

/**
 * @param {string} key
 * @param {unknown} value `undefined` removes the key
 */
export function write(key, value) {
  memory.delete(key);
  try {
    if (value === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    if (value !== undefined) memory.set(key, value);
  }
}

/**
 * All keys that begin with `prefix`.
 * @param {string} prefix
 */
export function keys(prefix) {
  const found = new Set(memory.keys());
  try {
    for (const key of Object.keys(localStorage)) found.add(key);
  } catch {
    // Only memory is available.
  }
  return [...found].filter((key) => key.startsWith(prefix));
}

/**
 * Calls `listener` when another tab changes a key that begins with `prefix`. Returns a function that removes it.
 * @param {string} prefix
 * @param {() => void} listener
 */
export function watch(prefix, listener) {
  const onStorage = (/** @type {StorageEvent} */ event) => {
    // A null key means that the storage was cleared.
    if (event.key === null || event.key.startsWith(prefix)) listener();
  };
  window.addEventListener('storage', onStorage);
  return () => window.removeEventListener('storage', onStorage);
}
