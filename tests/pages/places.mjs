// Where positions in texts are, by yaml_place.js. Gets `{texts: [...]}` with `^` at the position; prints the places.
import { readFileSync } from 'node:fs'

const { read } = await import(new URL('../../engine/workbench/pages/yaml_place.js', import.meta.url))
const { texts = [], whole = [] } = JSON.parse(readFileSync(0, 'utf8'))

const places = texts.map((marked) => {
  const position = marked.indexOf('^')
  const text = marked.replace('^', '')
  const { place } = read(text, position)
  return { kind: place.kind, path: place.path, word: text.slice(place.start, position) }
})
const lost = whole.flatMap((text) =>
  Array.from({ length: text.length + 1 }, (_, position) => position).filter((position) => {
    const { place } = read(text, position)
    return place.start > position || !place.kind || place.path.length > 7
  }),
)
const entries = whole.map((text) => read(text).entries.map(({ path, valueStart, end }) => [path.join('.'), text.slice(valueStart, end)]))
console.log(JSON.stringify({ places, lost, entries }))
