// What the tests of the workbench do on its page.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { click, given } from './harness.mjs'

export const LEAD = 'mappings/lead.yaml'

/** The page, once it shows a record and all fates. */
export async function ready(page) {
  await page.waitForSelector('#mistakes p, #mistakes li')
  await page.waitForSelector('#samples .dot')
  await page.waitForSelector('#fields table, #fields .reason, #fields .empty')
}

/** Shows a pane where the window shows one at a time. */
export async function pane(page, name) {
  if (await page.$eval(`#tab-${name}`, (tab) => tab.checkVisibility())) await click(page, `#tab-${name}`)
}

/** Puts the cursor at the end of a line of the editor, by keys. */
export async function toLine(page, number) {
  await pane(page, 'mapping')
  await page.evaluate(() => document.querySelector('#editor').shadowRoot.querySelector('.cm-content').focus())
  await chord(page, 'Control', 'Home')
  for (let line = 1; line < number; line += 1) await page.keyboard.press('ArrowDown')
  await page.keyboard.press('End')
}

/** Replaces a file in one step, as editors do: the workbench must not read half of it. */
export function replaceFile(path, text) {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

export async function chord(page, ...keys) {
  for (const key of keys.slice(0, -1)) await page.keyboard.down(key)
  await page.keyboard.press(keys.at(-1))
  for (const key of keys.slice(0, -1).reverse()) await page.keyboard.up(key)
}

/** The number of the line of the mapping that has this text, as it is on disk. */
export function lineWith(text) {
  const all = readFileSync(join(given.folder, LEAD), 'utf8')
  return all.slice(0, all.indexOf(text)).split('\n').length
}

/** The labels of the completions that are shown. */
export async function completions(page) {
  await page.waitForFunction(() => document.querySelector('#editor').shadowRoot.querySelector('.cm-tooltip-autocomplete li'))
  return page.evaluate(() =>
    [...document.querySelector('#editor').shadowRoot.querySelectorAll('.cm-tooltip-autocomplete li .cm-completionLabel')].map((one) => one.textContent),
  )
}

/** Waits until something in the editor's shadow root is as it should be. */
export const inEditor = (page, test, ...given) =>
  page.waitForFunction(`(${test})(document.querySelector('#editor').shadowRoot, ...${JSON.stringify(given)})`)

/** Does `jump`, and waits until a line with this text has flashed, however shortly. */
export async function flashes(page, text, jump) {
  await page.evaluate((wanted) => {
    const root = document.querySelector('#editor').shadowRoot
    const look = () => (window.hasFlashed ||= [...root.querySelectorAll('.cm-flash')].some((line) => line.textContent.includes(wanted)))
    window.hasFlashed = false
    window.flashObserver?.disconnect()
    window.flashObserver = new MutationObserver(look)
    window.flashObserver.observe(root, { subtree: true, childList: true, attributes: true })
  }, text)
  await jump()
  await page.waitForFunction(() => window.hasFlashed)
}

/** Accepts the completion with this label once it is the first: CodeMirror takes keys only when the list has stood a moment. */
export async function accept(page, label) {
  await page.evaluate(() => (window.stoodSince = undefined))
  await page.waitForFunction(
    (wanted) => {
      const list = document.querySelector('#editor').shadowRoot.querySelector('.cm-tooltip-autocomplete:not(.cm-tooltip-autocomplete-disabled)')
      const first = list?.querySelector('li[aria-selected] .cm-completionLabel')
      if (first?.textContent !== wanted) window.stoodSince = undefined
      else window.stoodSince ??= performance.now()
      return performance.now() - window.stoodSince > 90
    },
    {},
    label,
  )
  await page.keyboard.press('Enter')
}
