// Walks the workbench by keyboard alone, and edits, jumps, saves and accepts with it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { focused, given, inBrowser, open, shows, tabStops } from './harness.mjs'
import { LEAD, accept, chord, completions, flashes, inEditor, lineWith, ready, toLine } from './workbench.mjs'

const onDisk = () => readFileSync(join(given.folder, LEAD), 'utf8')
const text = (page, place) => page.$eval(place, (one) => one.innerText)

await inBrowser(async (browser) => {
  let page = await open(browser)
  await ready(page)
  const found = {}

  found.start = await focused(page)
  await page.keyboard.press('Escape')
  await page.keyboard.press('Tab')
  found.left = (await focused(page))?.role !== 'textbox'
  await page.focus('.skip-link')
  found.stops = await tabStops(page, {
    before: async (_, stop) => {
      if (stop.role === 'textbox') await page.keyboard.press('Escape')
    },
  })

  await page.close() // the last Tab has left it

  page = await open(browser)
  await ready(page)
  found.panes = []
  await page.focus('#main')
  for (let turn = 0; turn < 3; turn += 1) {
    await page.keyboard.press('F6')
    found.panes.push(await page.evaluate(() => document.activeElement?.closest('.pane')?.id))
  }

  // Samples: j and k choose, / searches, c shows those that changed.
  await page.focus('#main')
  await page.keyboard.press('j')
  await shows(page, 'peter.gibbons', { within: '#fields' })
  await page.keyboard.press('k')
  await shows(page, 'Cruz y Hijos', { within: '#fields' })
  await page.keyboard.press('c')
  await page.waitForFunction(() => document.querySelectorAll('#samples tbody tr').length < 8)
  await page.keyboard.press('c')
  await page.keyboard.press('/')
  found.search = (await focused(page))?.name
  await page.keyboard.type('signed')
  await page.waitForFunction(() => document.querySelectorAll('#samples tbody tr').length === 1)
  await chord(page, 'Control', 'a')
  await page.keyboard.press('Delete')

  // From a row to its rule, and back.
  await page.focus('#fields [data-open][tabindex="0"]')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  await page.waitForSelector('.tried')
  await flashes(page, 'LastName', () => page.keyboard.press('Enter'))
  found.jumped = (await focused(page))?.role
  await chord(page, 'Control', 'Enter')
  await page.waitForFunction(() => document.activeElement?.getAttribute('data-field') === '0 LastName')

  // A mistake, F8, a fix; then a rule by completion alone.
  await toLine(page, lineWith('AnnualRevenue'))
  await page.keyboard.type('\nSalutatoin: traits.title')
  await page.keyboard.press('Escape')
  await shows(page, 'Salutatoin', { within: '#mistakes' })
  await flashes(page, 'Salutatoin', () => page.keyboard.press('F8'))
  await page.focus('#mistakes .fix')
  await page.keyboard.press('Enter')
  await shows(page, 'a second time', { within: '#mistakes' })
  await chord(page, 'Control', 'z')
  await chord(page, 'Control', 'z')
  await toLine(page, lineWith('AnnualRevenue'))
  await page.keyboard.press('Enter')
  await page.keyboard.type('sta')
  found.fields = (await completions(page)).slice(0, 4)
  await page.keyboard.type('tus')
  await accept(page, 'Status')
  await inEditor(page, (root) => root.querySelector('.cm-tooltip-autocomplete li .cm-completionLabel')?.textContent.startsWith('traits.'))
  await page.keyboard.type('plan')
  await accept(page, 'traits.plan')
  await page.keyboard.type(' | ')
  found.filters = (await completions(page)).slice(0, 3)
  await page.keyboard.type('upp')
  await accept(page, 'upper')
  await shows(page, 'PRO', { within: '#fields' })

  // What no rule reads, mapped; then the file is saved and the snapshots are accepted.
  await page.focus('#main')
  await page.keyboard.press('u')
  await shows(page, 'Map it', { within: '#unread' })
  found.unread = await text(page, '#unread .path')
  await page.focus('#unread button')
  await page.keyboard.press('Enter')
  found.mapped = (await completions(page)).slice(0, 3)
  await page.keyboard.press('Escape')
  await chord(page, 'Control', 'z')
  await shows(page, 'No mistakes', { within: '#mistakes' })
  await chord(page, 'Control', 's')
  await shows(page, 'Saved lead.yaml')
  found.saved = onDisk().split('\n').filter((line) => line.includes('traits.plan'))
  await page.waitForSelector('#accept:not([hidden])')
  await page.focus('#main')
  await page.keyboard.press('a')
  await page.waitForSelector('dialog[open]')
  await page.keyboard.press('Enter')
  await page.waitForSelector('#accept[hidden]', { timeout: 60_000 })

  await page.keyboard.press('?')
  await page.waitForSelector('#help[open]')
  await page.keyboard.press('Escape')
  await page.keyboard.press('e')
  found.end = await focused(page)
  return found
})
