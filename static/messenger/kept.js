// What this browser keeps between visits. Storage may be full or forbidden: then memory has to do.

const memory = new Map();

export function read(key, otherwise) {
  try {
    const text = localStorage.getItem(key);
    return text === null ? (memory.get(key) ?? otherwise) : JSON.parse(text);
  } catch {
    return memory.get(key) ?? otherwise;
  }
}

export function write(key, value) {
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
  return navigator.locks.request(name, work);
}
