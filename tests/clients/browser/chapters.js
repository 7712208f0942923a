// Tests that tell one story: once a chapter fails, those after it say nothing.
import { test } from 'node:test';

export function chapters() {
  let broken = false;
  return (name, work) =>
    test(name, async (context) => {
      if (broken) {
        context.skip('an earlier chapter failed');
        return;
      }
      broken = true;
      await work(context);
      broken = false;
    });
}
