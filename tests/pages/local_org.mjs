// The pages of the local org: looked at in every state, and walked by keyboard.
import { browserName, click, focused, given, inBrowser, look, open, tabStops, url } from './harness.mjs'

const at = (path) => async (page) => page.goto(new URL(path, url).href, { waitUntil: 'load' })
const list = `/objects/${given.object}`

const SLOW = 'button[role=switch][aria-label^=slow]'

const STATES = {
  overview: at('/'),
  list: at(list),
  columns: async (page) => {
    await at(list)(page)
    await click(page, '.columns summary')
  },
  found: at(`${list}?q=nobody`),
  record: at(`${list}/${given.id}`),
  call: at(`/calls/${given.call}`),
  jobs: at('/jobs'),
  faults: at('/faults/switches'),
  connect: at('/connect'),
  help: async (page) => {
    await at('/calls')(page)
    await page.keyboard.press('?')
    await page.waitForSelector('dialog[open]')
  },
}

/** From the list to a record, its call, and a fault that is switched on, without a mouse. */
async function walk(browser) {
  const page = await open(browser, { path: list })
  await page.evaluate(() => document.querySelector('[data-open]').focus())
  await page.keyboard.press('j')
  await page.keyboard.press('ArrowDown')
  const third = await focused(page)
  await page.keyboard.press('Enter')
  await page.waitForSelector('#history')
  const record = await page.title()
  await at('/faults/switches')(page)
  await page.focus(SLOW)
  await page.keyboard.press('Enter')
  await page.waitForSelector(`${SLOW}[aria-checked=true]`)
  await page.focus(SLOW)
  await page.keyboard.press(' ')
  await page.waitForSelector(`${SLOW}[aria-checked=false]`)
  await page.keyboard.press('o')
  await page.keyboard.type(given.empty.slice(0, 4))
  const found = await page.$$eval('.side [data-objects] li:not([hidden])', (items) => items.map((one) => one.innerText.trim()))
  await at(list)(page) // last: in Firefox, Tab goes on into the window's own buttons
  return { third, record, found, stops: await tabStops(page) }
}

await inBrowser(async (browser) => {
  if (given.walks) return walk(browser)
  const states = browserName === 'firefox' ? { list: STATES.list } : STATES
  return look(browser, states)
})
