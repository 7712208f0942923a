// Requests to the server, and the two ways they can go wrong: refused, or not answered.
import { at } from '../shared/server.js';

/** The server answered, and said no. */
export class Refusal extends Error {
  constructor(status, body, retryAfter) {
    super(typeof body?.error === 'string' ? body.error : `The server answered ${status}.`);
    this.name = 'Refusal';
    this.status = status;
    this.code = body?.code ?? '';
    this.body = body ?? {};
    /** Milliseconds the server asks us to wait, or null. */
    this.retryAfter = retryAfter;
  }

  /** True when asking again later may well succeed. */
  get passing() {
    return this.status >= 500 || this.status === 429 || this.status === 408;
  }
}

/** No answer at all: the server is down, or the network is. */
export class Unreachable extends Error {
  constructor(cause) {
    super('The server cannot be reached.', { cause });
    this.name = 'Unreachable';
  }
}

function retryAfterMs(headers) {
  const seconds = Number(headers.get('Retry-After'));
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null;
}

/**
 * Asks the server. `form` (an object or FormData) is sent urlencoded; `signal` calls the request off;
 * `timeout` is how many milliseconds an answer may take.
 */
export async function call(method, path, { form, headers = {}, signal, timeout = 20_000 } = {}) {
  const limit = AbortSignal.timeout(timeout);
  const options = {
    method,
    headers: { Accept: 'application/json', ...headers },
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
    credentials: 'same-origin',
    cache: 'no-store',
  };
  if (form) options.body = new URLSearchParams(form instanceof FormData ? form : Object.entries(form));

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
  // A proxy in front of a server that is away answers for it: the same as no answer.
  if (response.status === 502 || response.status === 504) throw new Unreachable();
  if (!response.ok) throw new Refusal(response.status, body, retryAfterMs(response.headers));
  return { status: response.status, body, headers: response.headers };
}

/** When further attempts of a hedged request begin. */
const HEDGES = [0, 1_000, 2_000, 3_000];

/**
 * For a moment of doubt: browsers send on connections they kept, which may be dead without knowing it. So the same request
 * goes out again on further ones while the first still waits, and whichever is answered first counts.
 * `attempt(signal)` must do no harm when it arrives more than once.
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

export const get = (path, options) => call('GET', path, options);
export const post = (path, form, options) => call('POST', path, { form: form ?? {}, ...options });

/** The id of who is signed in, from the cookie that pages may read; null when nobody is. */
export function cookiePerson() {
  const match = /(?:^|;\s*)user_id=([^;]+)/.exec(document.cookie);
  return match ? decodeURIComponent(match[1]) : null;
}
