// Whether what was acknowledged is there, and whether what a client was told is what is there: on plain lists, so that it can be
// shown to find what it is for (verify.test.mjs).

/** What can be wrong with what a client was told, as a summary counts it. */
export const OF_A_MIRROR = ['lost', 'doubled', 'outOfOrder', 'altered', 'foreign'];
/** The same for the log. */
export const OF_THE_LOG = ['unacknowledged', 'lost', 'doubled', 'outOfOrder', 'otherId', 'foreign'];

const lists = (names) => Object.fromEntries(names.map((name) => [name, []]));

/** Whether something is wrong. */
export const isWrong = (found) => Object.values(found).some((list) => list.length > 0);

/**
 * Compares what a client was told, in that order, with what is there: both lists of `{ id, text }`, the second by ascending ids.
 * Each message is there exactly once, as it is, and after all that are before it.
 */
export function ofMirror(told, log) {
  const at = new Map(log.map(({ id }, index) => [id, index]));
  const seen = new Uint8Array(log.length);
  const found = lists(OF_A_MIRROR);
  let newest = -1;
  for (const message of told) {
    const index = at.get(message.id);
    if (index === undefined) found.foreign.push(message);
    else if (seen[index]) found.doubled.push(message);
    else {
      seen[index] = 1;
      if (message.text !== log[index].text) found.altered.push(message);
      if (index < newest) found.outOfOrder.push(message);
      newest = Math.max(newest, index);
    }
  }
  found.lost = log.filter((_, index) => !seen[index]);
  return found;
}

/**
 * Compares a snapshot of a chat with what was said there: `posts` are `{ text, id, begun, acknowledged }`. Each that was
 * acknowledged is there exactly once, under the id that it was acknowledged by; nothing else is there; ids ascend; and what was
 * begun after something was acknowledged comes after it.
 */
export function ofLog(posts, snapshot) {
  const found = lists(OF_THE_LOG);
  const there = new Map();
  for (const message of snapshot) there.set(message.text, [...(there.get(message.text) ?? []), message]);
  for (const post of posts) {
    const messages = there.get(post.text) ?? [];
    there.delete(post.text);
    if (post.acknowledged === undefined) found.unacknowledged.push(post);
    if (messages.length === 0) found.lost.push(post);
    else if (messages.length > 1) found.doubled.push(post);
    else if (post.acknowledged !== undefined && post.id !== messages[0].id) found.otherId.push({ ...post, there: messages[0].id });
  }
  found.foreign = [...there.values()].flat();
  found.outOfOrder = [...descending(snapshot), ...overtaken(posts)];
  return found;
}

const descending = (snapshot) => snapshot.filter(({ id }, index) => index > 0 && id <= snapshot[index - 1].id);

/** Those with a higher id than something that was begun only after they had been acknowledged. */
function overtaken(posts) {
  const known = posts.filter(({ id, acknowledged }) => id !== undefined && acknowledged !== undefined);
  let begun = -Infinity;
  return known
    .sort((one, other) => one.id - other.id)
    .filter((post) => {
      const isOvertaken = post.acknowledged < begun;
      begun = Math.max(begun, post.begun);
      return isOvertaken;
    });
}
