// Whether the operations page learns of events, and leaves a list alone that is being read.
import { click, given, inBrowser, open, shows } from './harness.mjs'

await inBrowser(async (browser) => {
  const page = await open(browser, { path: '/?tab=events' })
  const first = () => page.evaluate(() => document.querySelector('.events [data-open]')?.textContent ?? '')
  const send = (email) =>
    page.evaluate(
      (body) => fetch('/v1/identify', { method: 'POST', body }),
      JSON.stringify({ writeKey: given.key, messageId: email, traits: { email }, integrations: { Salesforce: true } }),
    )
  await page.waitForFunction(() => document.getElementById('live-words')?.textContent === 'Live')
  await send('one@b.co')
  await shows(page, 'one@b.co', { within: '.events' })
  await page.keyboard.press('j') // the list is in use from now on
  await send('two@b.co')
  await page.waitForFunction(() => !document.getElementById('newer')?.hidden)
  const kept = await first()
  const figure = await page.evaluate(() => document.querySelector('[data-key="figure-created"] b')?.textContent)
  await click(page, '#newer button')
  await shows(page, 'two@b.co', { within: '.events' })
  await page.keyboard.press('p')
  await page.waitForFunction(() => document.getElementById('live-words')?.textContent === 'Paused')
  return { kept, figure, newest: await first() }
})
