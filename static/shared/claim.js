// Which of several tabs was first. IndexedDB decides it, because its transactions are serialized over all tabs of an
// origin; localStorage guarantees no order between tabs, not even under a lock, and locks exist only where there is TLS.

const DATABASE = 'parlance';
const STORE = 'claims';
/** Timeout in milliseconds for the database. */
const TIMEOUT = 3_000;

/** @type {Promise<IDBDatabase> | null} */
let opening = null;

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error('another version of the database is open'));
  });
  return opening;
}

/**
 * Runs `work` on the store, in a transaction of its own, and returns what it passes to `done`.
 * @template T
 * @param {(store: IDBObjectStore, done: (result: T) => void) => void} work
 * @param {T} otherwise the result when no database is available
 * @returns {Promise<T>}
 */
async function transact(work, otherwise) {
  let result = otherwise;
  const run = async () => {
    const transaction = (await open()).transaction(STORE, 'readwrite');
    work(transaction.objectStore(STORE), (value) => {
      result = value;
    });
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
    return result;
  };
  try {
    return await Promise.race([run(), new Promise((resolve) => setTimeout(() => resolve(otherwise), TIMEOUT))]);
  } catch {
    return otherwise;
  }
}

/**
 * The value of the tab that was the first to claim `name` during the last `lasting` milliseconds: perhaps `value`.
 * @template T
 * @param {string} name
 * @param {T} value
 * @param {number} lasting
 * @returns {Promise<T>}
 */
export function claim(name, value, lasting) {
  return transact((store, done) => {
    const request = store.get(name);
    request.onsuccess = () => {
      const first = request.result;
      const age = first ? Date.now() - first.at : Infinity;
      if (age >= 0 && age < lasting) {
        done(first.value);
      } else {
        store.put({ value, at: Date.now() }, name);
        done(value);
      }
    };
  }, value);
}

/**
 * Gives up a claim, whichever tab made it.
 * @param {string} name
 */
export function release(name) {
  return transact((store) => {
    store.delete(name);
  }, undefined);
}
