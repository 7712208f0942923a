// What most tests begin with: a server, a browser, and people at it.
import { Person, openBrowser } from './person.js';
import { Server } from './server.js';

/** A phone in the dark, by touch. */
export const PHONE = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true, colorScheme: 'dark' };

/**
 * Starts a server and a browser, and has people open it: each by their name, or by that and the options of their page.
 * @param {Record<string, string | [string, object]>} people
 */
export async function openStage(people) {
  const stage = { server: await Server.start() };
  try {
    stage.browser = await openBrowser();
    for (const [key, person] of Object.entries(people)) {
      const [name, options] = Array.isArray(person) ? person : [person, {}];
      stage[key] = await Person.arrive(stage.browser, stage.server, name, options);
    }
    return stage;
  } catch (error) {
    await closeStage(stage);
    throw error;
  }
}

/** Ends both, as far as they were begun. */
export async function closeStage({ server, browser }) {
  await browser?.close();
  await server?.end();
}
