// What the operations page says once its service has ended, and that it goes on by itself.
import { barriers, inBrowser, open, picture } from './harness.mjs'

await inBrowser(async (browser) => {
  const page = await open(browser, { path: '/' })
  const says = (words) => page.waitForFunction((text) => document.getElementById('live-words')?.textContent === text, {}, words)
  await says('Live')
  await page.evaluate(() => {
    // A stream that breaks, as when the service ends: nothing can be reached for a while.
    const real = window.EventSource
    window.EventSource = class extends real {
      constructor() {
        super('/no-such-stream')
      }
    }
    window.setTimeout(() => (window.EventSource = real), 1500)
    document.dispatchEvent(new Event('visibilitychange'))
  })
  await says('Not connected, trying again')
  const found = await barriers(page)
  await picture(page, 'operations-not-connected')
  await says('Live')
  return found
})
