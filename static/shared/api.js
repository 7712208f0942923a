// Requests to the server, and the two ways they can go wrong: refused, or not answered.
import { at } from './server.js';

/** The server answered with an error status. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {any} [body]
   * @param {number | null} [retryAfter] milliseconds to wait before the next request (Retry-After)
   */
  constructor(status, body, retryAfter = null) {
    super(typeof body?.error === 'string' ? body.error : `The server answered ${status}.`);
    this.name = 'ApiError';
    this.status = status;
    this.code = body?.code ?? '';
    /** @type {any} */
    this.body = body ?? {};
    this.retryAfter = retryAfter;
  }

  /** Whether a later retry may succeed. */
  get passing() {
    return this.status >= 500 || this.status === 429 || this.status === 408;
  }
}

/** No answer at all: the server is down, or the network is. */
export class Unreachable extends Error {
  /** @param {unknown} [cause] */
  constructor(cause) {
    super('The server cannot be reached.', { cause });
    this.name = 'Unreachable';
  }
}

/** @param {Headers} headers */
function retryAfterMs(headers) {
  const seconds = Number(headers.get('Retry-After'));
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null;
}

/**
 * @typedef {object} Options
 * @property {Record<string, string> | FormData} [form] is sent urlencoded
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal] aborts the request
 * @property {number} [timeout] how many milliseconds an answer may take
 * @property {boolean} [keepalive] it is sent although the page goes
 */

/** @typedef {{status: number, body: any, headers: Headers}} Answer */

/**
 * Sends a request and parses the answer.
 * @param {string} method
 * @param {string} path
 * @param {Options} [options]
 * @returns {Promise<Answer>}
 */
export async function call(method, path, { form, headers = {}, signal, timeout = 20_000, keepalive = false } = {}) {
  const limit = AbortSignal.timeout(timeout);
  /** @type {RequestInit} */
  const options = {
    method,
    headers: { Accept: 'application/json', ...headers },
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
    credentials: 'same-origin',
    cache: 'no-store',
    keepalive,
  };
  if (form) {
    const entries = /** @type {[string, string][]} */ (form instanceof FormData ? [...form] : Object.entries(form));
    options.body = new URLSearchParams(entries);
  }

  let response;
  let body;
  try {
    response = await fetch(at(path), options);
    const text = await response.text();
    try {
      body = text ? JSON.parse(text) : {};
    } catch {
      body = {};
    }
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable(error);
  }
  // A proxy answers for a server that is down: handled like no answer.
  if (response.status === 502 || response.status === 504) throw new Unreachable();
  if (!response.ok) throw new ApiError(response.status, body, retryAfterMs(response.headers));
  return { status: response.status, body, headers: response.headers };
}

/** When further attempts of a hedged request begin. */
const HEDGES = [0, 1_000, 2_000, 3_000];

/**
 * A hedged request, for when the connection may be dead: browsers reuse pooled connections without noticing that they are
 * broken. The same request is repeated on further connections while the first is pending; the first answer is used.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} attempt must be idempotent
 * @param {AbortSignal} signal
 */
export async function hedged(attempt, signal) {
  const others = new AbortController();
  const ended = AbortSignal.any([signal, others.signal]);
  const attempts = HEDGES.map(async (delay) => {
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    return attempt(ended);
  });
  try {
    return await Promise.race(attempts);
  } finally {
    others.abort();
  }
}

/**
 * @param {string} path
 * @param {Options} [options]
 */
export const get = (path, options) => call('GET', path, options);

/**
 * @param {string} path
 * @param {Options['form']} [form]
 * @param {Options} [options]
 */
export const post = (path, form, options) => call('POST', path, { form: form ?? {}, ...options });

/** The id of the signed-in person, from the cookie that scripts can read; null without a login. */
export function cookiePerson() {
  const match = /(?:^|;\s*)(?:__Host-)?user_id=([^;]+)/.exec(document.cookie);
  return match ? decodeURIComponent(match[1]) : null;
}
