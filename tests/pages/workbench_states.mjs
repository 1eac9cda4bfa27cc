// Every state of the workbench.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { click, given, inBrowser, look, press, shows } from './harness.mjs'
import { LEAD, chord, completions, lineWith, pane, ready, replaceFile, toLine } from './workbench.mjs'

const sample = async (page, title) => {
  await pane(page, 'samples')
  const key = await page.$$eval('#samples [data-open]', (rows, part) => rows.find((row) => row.textContent.includes(part)).dataset.key, title)
  await click(page, `#samples [data-key="${key}"]`)
  await pane(page, 'record')
}
const answer = (page, path, respond) =>
  page.setRequestInterception(true).then(() =>
    page.on('request', (request) => (new URL(request.url()).pathname === path ? respond(request) : request.continue())),
  )
const refuse = (request) =>
  request.respond({ status: 422, contentType: 'application/json', body: JSON.stringify({ error: 'The sample cannot be read: line 3 is no JSON' }) })
const again = (page) => page.reload({ waitUntil: 'load' })

const states = {
  async record(page) {
    await ready(page)
    await pane(page, 'record')
    await shows(page, 'Rating')
  },
  async row(page) {
    await ready(page)
    await pane(page, 'record')
    await click(page, '[data-field="0 Title"]')
    await page.waitForSelector('.tried')
  },
  async samples(page) {
    await ready(page)
    await pane(page, 'samples')
  },
  async skipped(page) {
    await ready(page)
    await sample(page, 'bob@example.com')
    await shows(page, 'Skipped')
  },
  async unread(page) {
    await ready(page)
    await pane(page, 'record')
    await click(page, '#tab-unread')
    await shows(page, 'Map it')
  },
  async event(page) {
    await ready(page)
    await pane(page, 'record')
    await click(page, '#tab-event')
    await press(page, 'Change and try')
  },
  async mistakes(page) {
    await ready(page)
    await toLine(page, lineWith('AnnualRevenue'))
    for (const line of ['Ratng: traits.rating', 'Nick: traits.name | last_nam']) {
      await page.keyboard.press('Enter')
      await page.keyboard.type(line)
      await page.keyboard.press('Escape') // Enter would take what is offered
    }
    await shows(page, 'last_nam', { within: '#mistakes' })
  },
  async completion(page) {
    await ready(page)
    await toLine(page, lineWith('AnnualRevenue'))
    await page.keyboard.press('Enter')
    await chord(page, 'Control', 'Space')
    await completions(page)
  },
  async recipes(page) {
    await ready(page)
    await pane(page, 'mapping')
    await click(page, '#recipes')
    await shows(page, 'Owner by country')
  },
  async new_mapping(page) {
    await ready(page)
    await click(page, '#new-mapping')
    await shows(page, 'Which events')
  },
  async help(page) {
    await ready(page)
    await page.focus('#main')
    await page.keyboard.type('?')
    await page.waitForSelector('#help[open]')
  },
  async conflict(page) {
    await ready(page)
    await toLine(page, 2)
    await page.keyboard.type(' Really.')
    const file = join(given.folder, LEAD)
    const before = readFileSync(file, 'utf8')
    replaceFile(file, before.replace('max: 80, required: true', 'max: 60, required: true'))
    await press(page, 'Show both')
    await shows(page, 'Keep mine', { within: 'dialog[open]' })
    return () => replaceFile(file, before)
  },
  async nothing_found(page) {
    await ready(page)
    await pane(page, 'samples')
    await page.type('#search', 'zzz')
    await shows(page, 'Nothing matches')
  },
  async no_caught(page) {
    await ready(page)
    await pane(page, 'samples')
    await click(page, '#caught')
    await shows(page, 'No events caught')
  },
  async loading(page) {
    await answer(page, '/api/samples', () => {})
    await again(page)
    await pane(page, 'samples')
    await page.waitForSelector('.skeleton')
  },
  async error(page) {
    await answer(page, '/api/render', refuse)
    await again(page)
    await pane(page, 'record')
    await shows(page, 'Try again')
  },
  async disconnected(page) {
    await answer(page, '/api/stream', (request) => request.abort())
    await again(page)
    await shows(page, 'Not connected')
  },
}

const chosen = Object.fromEntries(Object.entries(states).filter(([name]) => !given.only || given.only.includes(name)))
await inBrowser((browser) => look(browser, chosen))
