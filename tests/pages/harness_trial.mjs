// Looks at a page as it is, and walks it.
import { inBrowser, look, open, tabStops } from './harness.mjs'

await inBrowser(async (browser) => ({
  wrong: await look(browser, { start: async () => {} }),
  stops: await tabStops(await open(browser)),
}))
