// Decoding of Punycode host names (RFC 3492): `xn--mnchen-3ya.example` is shown as `münchen.example`.

const BASE = 36;
const LOWEST = 1;
const HIGHEST = 26;
const SKEW = 38;
const DAMP = 700;

/**
 * @param {number} delta
 * @param {number} points
 * @param {boolean} first
 */
function adapted(delta, points, first) {
  let rest = first ? Math.floor(delta / DAMP) : delta >> 1;
  rest += Math.floor(rest / points);
  let steps = 0;
  for (; rest > ((BASE - LOWEST) * HIGHEST) >> 1; steps += BASE) rest = Math.floor(rest / (BASE - LOWEST));
  return steps + Math.floor(((BASE - LOWEST + 1) * rest) / (rest + SKEW));
}

/** @param {string} label */
function decoded(label) {
  const dash = label.lastIndexOf('-');
  const output = dash > 0 ? Array.from(label.slice(0, dash)) : [];
  let [code, index, bias] = [128, 0, 72];
  for (let at = dash > 0 ? dash + 1 : 0; at < label.length;) {
    const before = index;
    let weight = 1;
    for (let step = BASE; ; step += BASE) {
      const digit = 'abcdefghijklmnopqrstuvwxyz0123456789'.indexOf(label[at]);
      at += 1;
      if (digit < 0) throw new RangeError(label);
      index += digit * weight;
      const least = Math.min(HIGHEST, Math.max(LOWEST, step - bias));
      if (digit < least) break;
      weight *= BASE - least;
    }
    const length = output.length + 1;
    bias = adapted(index - before, length, before === 0);
    code += Math.floor(index / length);
    index %= length;
    output.splice(index, 0, String.fromCodePoint(code));
    index += 1;
  }
  return output.join('');
}

/** `xn--mnchen-3ya.example` as `münchen.example`; what cannot be decoded is left unchanged. @param {string} host */
export function readableHost(host) {
  const labels = host.split('.').map((label) => {
    if (!/^xn--/iu.test(label)) return label;
    try {
      const text = decoded(label.slice(4).toLowerCase());
      // Only what encodes to the same name again, so that no name is shown as another.
      return new URL(`http://${text}`).hostname === label.toLowerCase() ? text : label;
    } catch {
      return label;
    }
  });
  return labels.join('.');
}
