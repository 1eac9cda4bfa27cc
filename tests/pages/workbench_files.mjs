// Changes files with the workbench: new mappings, recipes, conflicts, reverts, and caught events that become samples.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { click, given, inBrowser, open, press, shows } from './harness.mjs'
import { LEAD, accept, chord, ready, replaceFile, toLine } from './workbench.mjs'

const file = (name) => join(given.folder, name)
const lead = () => readFileSync(file(LEAD), 'utf8')
const isDirty = (page) => page.waitForSelector('#files [aria-selected="true"] .unsaved')
const isSaved = (page) => page.waitForFunction(() => !document.querySelector('#files .unsaved'))
const within = (page, selector) => page.waitForSelector(`dialog[open] ${selector}`)

/** Clicks on a button; something happens between pressing and releasing it. */
async function pressWhile(page, name, happens) {
  await page.locator(`::-p-aria([name="${name}"][role="button"])`).hover()
  await page.mouse.down()
  await happens()
  await page.mouse.up()
}

async function conflicts(page) {
  const before = lead()
  await toLine(page, 2)
  await page.keyboard.type(' Mine.')
  await isDirty(page)
  replaceFile(file(LEAD), before.replace('calls become', 'calls BECOME'))
  await press(page, 'Take theirs')
  await isSaved(page)
  const taken = lead()

  await toLine(page, 2)
  await page.keyboard.type(' Mine.')
  await isDirty(page)
  replaceFile(file(LEAD), before)
  await pressWhile(page, 'Show both', async () => {
    const isAsked = page.waitForResponse((answer) => answer.url().includes('/api/samples'))
    replaceFile(file(LEAD), `${before}\n`)
    await isAsked
  })
  await shows(page, 'Leads. Mine.', { within: 'dialog[open]' })
  await click(page, 'dialog[open] .primary')
  await shows(page, 'Saved lead.yaml')
  const kept = lead()
  replaceFile(file(LEAD), before)
  await page.waitForFunction(() => document.querySelector('#editor').shadowRoot.querySelector('.cm-content').textContent.includes('become Leads.sfmap'))
  return { taken: taken.split('\n')[1], kept: kept.split('\n')[1] }
}

async function reverts(page) {
  const before = lead()
  await press(page, 'Revert to HEAD')
  await shows(page, 'is as in HEAD')
  await shows(page, 'same', { within: '#samples' })
  await press(page, 'Undo')
  await isSaved(page)
  return lead() === before
}

async function recipe(page) {
  await press(page, 'Recipes')
  const search = await within(page, 'input[type=search]')
  await search.type('domain of the e-mail')
  await page.$eval('dialog[open] input[type=search]', (one) => (one.value = ''))
  await search.type('internal')
  await page.waitForFunction(() => document.querySelectorAll('dialog[open] .recipes li').length === 1)
  await press(page, 'Insert: Internal people left out')
  await page.keyboard.type('initech.com')
  await page.keyboard.press('Escape')
  await page.waitForFunction(() => [...document.querySelectorAll('#samples tr')].some((row) => /peter.*skipped/s.test(row.textContent)))
  await chord(page, 'Control', 's')
  await shows(page, 'Saved lead.yaml')
  const saved = lead().split('\n').find((line) => line.startsWith('when:'))

  await press(page, 'Recipes')
  await (await within(page, 'input[type=search]')).type('webinar')
  await press(page, 'Insert: Campaign member')
  await (await within(page, 'input[type=text]')).type('webinar')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.querySelector('#files [aria-selected="true"]')?.textContent.startsWith('webinar.yaml'))
  await chord(page, 'Control', 's')
  await shows(page, 'Saved webinar.yaml')
  return { saved, webinar: readFileSync(file('mappings/webinar.yaml'), 'utf8') }
}

async function newMapping(page) {
  await press(page, 'New mapping')
  const name = await within(page, 'input')
  const object = await within(page, 'input[list="known-objects"]')
  await name.type('person')
  await object.type('Contact')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.querySelector('#files [aria-selected="true"]')?.textContent.startsWith('person.yaml'))
  await page.keyboard.type('Ema')
  await accept(page, 'Email')
  await toLine(page, 9)
  await page.keyboard.type('Ema')
  await accept(page, 'Email')
  await page.keyboard.type('email')
  await accept(page, 'traits.email')
  await shows(page, 'upsert Contact', { within: '#fields' })
  await chord(page, 'Control', 's')
  await shows(page, 'Saved person.yaml')
  return readFileSync(file('mappings/person.yaml'), 'utf8')
}

async function caught(page) {
  await click(page, '#caught')
  await shows(page, 'came@example.com', { within: '#samples' })
  await click(page, '#samples [data-open]')
  await shows(page, 'came@example.com', { within: '#fields' })
  await press(page, 'Save event')
  await click(page, 'dialog[open] .primary')
  await shows(page, 'Saved to')
  await page.waitForFunction(() => document.querySelector('#samples [aria-current="true"]')?.textContent.includes('came@example.com'))
  return readFileSync(file('tests/events/samples.ndjson'), 'utf8').includes('came@example.com')
}

const TASKS = { conflicts, reverts, recipe, newMapping, caught }

await inBrowser(async (browser) => {
  const found = {}
  for (const [name, task] of Object.entries(TASKS)) {
    const page = await open(browser)
    await ready(page)
    found[name] = await task(page)
    await page.close()
  }
  found.isThere = existsSync(file('mappings/person.yaml'))
  return found
})
