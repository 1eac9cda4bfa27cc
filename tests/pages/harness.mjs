// Opens the pages of a running command in Chromium or Firefox, looks at their states, and walks them by keyboard.
// @ts-check
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const { PAGES_MODULES, PAGES_URL, PAGES_BROWSER, PAGES_PROGRAM, PAGES_ARGUMENTS, PAGES_NAME, SFMAP_PICTURES } = process.env
const require = createRequire(join(String(PAGES_MODULES), 'node_modules', 'puppeteer-core', 'package.json'))
const puppeteer = require('puppeteer-core')
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** Milliseconds: for a machine that does much else at once. */
const PATIENCE = 120_000
export const WIDTHS = { 1440: 900, 1280: 800, 390: 844 }
export const url = String(PAGES_URL)
export const browserName = String(PAGES_BROWSER)
/** What the test has passed to `browse`. */
export const given = JSON.parse(PAGES_ARGUMENTS || '{}')
/** @type {string[]} Errors of scripts, and what the content security policy has refused. */
const troubles = []

/** Runs `body` in a browser, and prints what it returns for the Python test, with the troubles of all pages. */
export async function inBrowser(body) {
  const isFirefox = browserName === 'firefox'
  const browser = await puppeteer.launch({
    browser: browserName,
    executablePath: PAGES_PROGRAM,
    headless: true,
    args: isFirefox ? [] : ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    extraPrefsFirefox: { 'layout.css.prefers-color-scheme.content-override': given.dark ? 0 : 1 },
  })
  try {
    const found = await body(browser)
    console.log(JSON.stringify({ found: found ?? null, troubles }))
  } catch (error) {
    const shown = (await browser.pages()).filter((page) => page.url().startsWith('http'))
    for (const page of shown) await picture(page, `${PAGES_NAME}-failed-${browserName}`)
    throw error
  } finally {
    await browser.close()
  }
}

/** A page of this width; its errors become troubles. */
export async function open(browser, { width = 1440, height = WIDTHS[width], path = '' } = {}) {
  const page = await browser.newPage()
  page.setDefaultTimeout(PATIENCE)
  await page.setViewport({ width, height })
  page.on('pageerror', (error) => troubles.push(`${error}`))
  page.on('console', (message) => {
    const isRefusal = /Failed to load resource/.test(message.text())
    if (message.type() === 'error' && !isRefusal) troubles.push(message.text())
  })
  await page.goto(new URL(path, url).href, { waitUntil: 'load' })
  return page
}

/** What axe-core says of the page as it is: each rule with the elements that break it. */
export async function barriers(page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE)
  return page.evaluate(async (values) => {
    // @ts-ignore
    const { violations } = await axe.run(document, { runOnly: { type: 'tag', values }, resultTypes: ['violations'] })
    return violations.map((broken) => `${broken.id}: ${broken.nodes.map((node) => `${node.target} ${node.failureSummary}`).join(' | ')}`)
  }, RULES)
}

/** At which widths to look at a state, and there in which schemes of colours. */
const EVERY_LOOK = Object.fromEntries(Object.keys(WIDTHS).map((width) => [width, ['light', 'dark']]))

/**
 * Brings the pages into each state and looks at it, light and dark, at each width. If the test gives several
 * `looks`, one state has the first, the next one the second, and so on in turn.
 * A state is a function that gets a new page with its width; what it returns is called afterwards, to clean up.
 * Returns what is wrong: `{"list 390 dark": [...]}`.
 */
export async function look(browser, states, { path = '' } = {}) {
  const wrong = {}
  const looks = given.looks ?? [EVERY_LOOK]
  for (const [number, [state, arrange]] of Object.entries(states).entries()) {
    for (const [name, schemes] of Object.entries(looks[number % looks.length])) {
      const width = Number(name)
      const page = await open(browser, { width, path })
      const undo = await arrange(page, width)
      for (const scheme of browserName === 'firefox' ? [given.dark ? 'dark' : 'light'] : schemes) {
        if (browserName !== 'firefox') await paint(page, scheme)
        const found = [...(await barriers(page)), ...(await overflow(page))]
        if (found.length) wrong[`${state} ${width} ${scheme}`] = found
        await picture(page, `${PAGES_NAME}-${state}-${width}-${scheme}`)
      }
      await page.close()
      if (typeof undo === 'function') await undo()
    }
  }
  return wrong
}

/** The page in this scheme of colours. */
async function paint(page, scheme) {
  await page.emulateMediaFeatures([
    { name: 'prefers-color-scheme', value: scheme },
    { name: 'prefers-reduced-motion', value: 'reduce' },
  ])
}

/** Whether the page is larger than its window: its panes scroll, and it never does as a whole. */
async function overflow(page) {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = document.documentElement
    return [
      ...(scrollWidth > clientWidth ? [`the page is ${scrollWidth} wide in a window of ${clientWidth}`] : []),
      ...(scrollHeight > clientHeight ? [`the page is ${scrollHeight} high in a window of ${clientHeight}`] : []),
    ]
  })
}

/** Keeps a picture of the page in the folder that SFMAP_PICTURES names. */
export async function picture(page, name) {
  if (!SFMAP_PICTURES) return
  mkdirSync(SFMAP_PICTURES, { recursive: true })
  await page.screenshot({ path: join(SFMAP_PICTURES, `${name}.png`) })
}

/** The focused element as a reader meets it: its role, its name, and whether its focus is in sight. */
export async function focused(page) {
  return page.evaluate(() => {
    let element = document.activeElement
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
    if (!element || element === document.body) return null
    const marks = [element, element.closest('tr, li')].filter((one) => one !== null)
    const box = element.getBoundingClientRect()
    const middle = element.getRootNode().elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 12))
    const label = element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent ?? ''
    return {
      role: element.getAttribute('role') ?? element.localName,
      name: label.trim().replace(/\s+/g, ' ').slice(0, 80),
      isOutlined: marks.some((one) => getComputedStyle(one).outlineStyle !== 'none') || element.closest('.cm-focused') !== null,
      isInSight: box.width > 0 && box.height > 0 && middle !== null && (element.contains(middle) || middle.contains(element)),
    }
  })
}

/** What Tab reaches one after the other, until it leaves the page or comes round. Go on with a new page afterwards. */
export async function tabStops(page, { most = 60, before = async () => {} } = {}) {
  const stops = []
  const seen = new Set()
  for (let turn = 0; turn < most; turn += 1) {
    await page.keyboard.press('Tab')
    const stop = await focused(page)
    const key = JSON.stringify(stop && [stop.role, stop.name])
    if (!stop || seen.has(key)) break
    seen.add(key)
    stops.push(stop)
    await before(page, stop)
  }
  return stops
}

/** Waits until the page shows this text. It looks now and then: its text at each frame would take a core. */
export async function shows(page, text, { within = 'body' } = {}) {
  await page.waitForFunction((wanted, place) => document.querySelector(place)?.innerText?.includes(wanted), { polling: 100 }, text, within)
}

/** Clicks on the element, found again if the page has replaced it meanwhile. */
export async function click(page, selector) {
  await page.locator(selector).click()
}

/** Clicks on the element that has this role or tag and this name. */
export async function press(page, name, { role = 'button' } = {}) {
  await click(page, `::-p-aria([name="${name}"][role="${role}"])`)
}
