// The operations page of `sfmap serve` in each of its states.
import { click, given, inBrowser, look, open, press, shows, tabStops, focused } from './harness.mjs'

const live = (page) => page.waitForFunction(() => document.getElementById('live-words')?.textContent === 'Live')

const STATES = {
  busy: {
    failures: live,
    events: async (page, width) => {
      if (width < 721) await click(page, '[data-key="tab-events"]')
      await page.waitForSelector('.events [data-open]', { visible: true })
    },
    failed: async (page) => {
      await click(page, '.failures [data-open]')
      await shows(page, 'The org’s answer')
    },
    created: async (page) => {
      await page.goto(new URL('/?tab=events&outcome=created', page.url()).href)
      await click(page, '.events [data-open]')
      await shows(page, 'The event as received')
    },
    skipped: async (page) => {
      await page.goto(new URL('/?tab=events&outcome=skipped', page.url()).href)
      await click(page, '.events [data-open]')
      await shows(page, 'The event as received')
    },
    'no match': async (page) => {
      await page.goto(new URL('/?tab=events&q=nobody', page.url()).href)
      await shows(page, 'No event matches.')
    },
    'not here': async (page) => {
      await page.goto(new URL('/?event=999999', page.url()).href)
      await shows(page, 'not here any more')
    },
    paused: async (page) => {
      await live(page)
      await page.keyboard.press('p')
      await page.waitForFunction(() => document.getElementById('live-words')?.textContent === 'Paused')
    },
    'discarded and undone': async (page) => {
      await click(page, '.failures [data-open]')
      await press(page, 'Discard')
      await shows(page, 'being discarded')
      await press(page, 'Undo')
      await shows(page, 'Not discarded.')
    },
    help: async (page) => {
      await live(page)
      await page.keyboard.press('?')
      await shows(page, 'search', { within: '#help' })
    },
    counts: async (page) => page.goto(new URL('/counts', page.url()).href),
    try: async (page) => {
      await page.goto(new URL('/try', page.url()).href)
      await press(page, 'Show')
      await shows(page, 'traits.email')
    },
  },
  empty: {
    'no events': live,
    'no events yet': async (page) => {
      await page.goto(new URL('/?tab=events', page.url()).href)
      await shows(page, 'No events yet.')
    },
  },
  away: {
    'org away': async (page) => shows(page, 'Events wait'),
    waiting: async (page) => page.goto(new URL('/?outcome=waiting&tab=events', page.url()).href),
  },
  off: { 'history off': async (page) => page.goto(new URL('/?tab=events', page.url()).href) },
}

/** Only the keyboard: to the list, along it, into an event and back, to the search and the help. */
async function walked(browser) {
  const page = await open(browser)
  await live(page)
  const stops = await tabStops(page)
  const inList = stops.filter((stop) => stop.role === 'a' && stop.name.includes('@')).length
  await page.keyboard.press('j')
  const first = await focused(page)
  await page.keyboard.press('j')
  const second = await focused(page)
  await page.keyboard.press('End')
  const last = await focused(page)
  await page.keyboard.press('Enter')
  await shows(page, 'The event as received')
  const kept = await focused(page)
  await page.keyboard.press('Escape')
  await shows(page, 'No event is selected.')
  await page.keyboard.press('/')
  await page.keyboard.type('person3@')
  await page.waitForFunction(() => location.search.includes('person3'))
  await page.waitForFunction(() => [...document.querySelectorAll('.events [data-open]')].every((one) => one.textContent.includes('person3@')))
  const typing = await focused(page)
  const typed = await page.evaluate(() => document.activeElement.value)
  return { stops, inList, first, second, last, kept, typing, typed }
}

await inBrowser(async (browser) => {
  if (given.walk) return walked(browser)
  return look(browser, STATES[given.of])
})
