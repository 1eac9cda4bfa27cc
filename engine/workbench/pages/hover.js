// @ts-check
/** Help for the word under the pointer: a key, a field, a filter or a source path. */

import { filterCard, keyCard, pathCard } from "./completion.js";
import { h } from "./dom.js";
import { read } from "./yaml_place.js";

/**
 * @param {import("./knowledge.js").Knowledge} knowledge
 * @param {import("./completion.js").Completion} completion
 * @param {(text: string) => string | null} objectOf
 */
export function hoverHelp(knowledge, completion, objectOf) {
  /** @param {any} view @param {number} position */
  return async (view, position) => {
    const text = view.state.doc.toString();
    const { from, to, word } = wordAt(text, position);
    if (!word) return null;
    const card = await cardOf(word, text, from, position);
    return card ? { pos: from, end: to, create: () => ({ dom: h("div.card", {}, card) }) } : null;
  };

  /** @param {string} word @param {string} text @param {number} from @param {number} position */
  async function cardOf(word, text, from, position) {
    const { place } = read(text, position);
    const path = place.path.filter((key) => typeof key === "string").map(String);
    if (place.kind === "key") {
      if (path[0] === "fields" && path.length === 1) {
        const field = await knowledge.field(objectOf(text), word);
        return field && completion.fieldCard(field);
      }
      const key = sectionsOf(path).flatMap((name) => knowledge.section(name)).find(({ name }) => name === word);
      return key && keyCard(key);
    }
    if (/\|\s*$/.test(text.slice(Math.max(0, from - 12), from))) {
      const filter = knowledge.language.filters.find(({ name }) => name === word);
      if (filter) return filterCard(filter);
    }
    const known = knowledge.paths.find((one) => one.path === pathAt(text, position));
    return known && pathCard(known);
  }
}

/** @param {string[]} path */
function sectionsOf(path) {
  if (!path.length) return ["mapping"];
  if (path.includes("default")) return ["default"];
  if (path[0] === "fields" || path[1] === "parts") return ["rule", "reference"];
  if (path[0] === "match") return ["match_value", "match_reference", "rule", "reference"];
  return [path[0]];
}

/** @param {string} text @param {number} position */
function wordAt(text, position) {
  const before = text.slice(0, position).match(/\w*$/)?.[0] ?? "";
  const after = text.slice(position).match(/^\w*/)?.[0] ?? "";
  return { from: position - before.length, to: position + after.length, word: before + after };
}

/** @param {string} text @param {number} position */
function pathAt(text, position) {
  const before = text.slice(0, position).match(/[\w.$]*$/)?.[0] ?? "";
  const after = text.slice(position).match(/^[\w.]*/)?.[0] ?? "";
  return before + after;
}
