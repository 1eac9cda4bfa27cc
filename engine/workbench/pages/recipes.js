// @ts-check
/** Recipes: whole answers to common wishes, inserted where they belong, with gaps to fill in. */

import { snippet } from "./codemirror.js";
import { read } from "./yaml_place.js";

/**
 * Numbers the gaps, as CodeMirror wants them; the same gap twice is filled in once.
 * @param {string} text
 */
export function gaps(text) {
  /** @type {string[]} */
  const known = [];
  return text.replace(/\$\{([^{}]*)\}/g, (_, gap) => {
    if (!known.includes(gap)) known.push(gap);
    return `\${${known.indexOf(gap) + 1}:${gap}}`;
  });
}

/** The text of a recipe with what its gaps suggest. @param {string} text */
export const plain = (text) => text.replace(/\$\{([^{}]*)\}/g, "$1");

/**
 * Inserts a recipe: rules below `fields`, other keys before it. Tab goes from gap to gap. A rule or a key that is there
 * already is replaced. Returns the names of those.
 * @param {any} view @param {import("./knowledge.js").Recipe} recipe
 */
export function insertRecipe(view, recipe) {
  const replaced = removeOld(view, recipe);
  const text = view.state.doc.toString();
  const { at, before, indent, after, isFlow } = recipe.place === "fields" ? placeOfRule(text) : placeOfKey(text);
  const lines = recipe.text.trimEnd().split("\n").map((line) => (line ? `${" ".repeat(indent)}${line}` : line));
  // CodeMirror indents a snippet like the line that it is put into: it goes into an empty one.
  const opening = isFlow ? before : before.endsWith("\n") || !before ? before : `${before}\n`;
  view.dispatch({ changes: { from: at, insert: opening } });
  snippet(gaps(`${lines.join("\n")}${after}`))(view, null, at + opening.length, at + opening.length);
  view.focus();
  return replaced;
}

/** Takes out what the recipe writes. @param {any} view @param {import("./knowledge.js").Recipe} recipe */
function removeOld(view, recipe) {
  const prefix = recipe.place === "fields" ? ["fields"] : [];
  const names = read(recipe.text).entries.filter(({ path }) => path.length === 1).map(({ path }) => String(path[0]));
  const text = view.state.doc.toString();
  const old = read(text).entries.filter(
    ({ path, isFlow }) => !isFlow && path.length === prefix.length + 1 && prefix.every((key, at) => key === path[at]) && names.includes(String(path.at(-1))),
  );
  view.dispatch({
    changes: old.map(({ start, end }) => ({ from: text.lastIndexOf("\n", start) + 1, to: Math.min(endOfLine(text, end) + 1, text.length) })),
  });
  return old.map(({ path }) => String(path.at(-1)));
}

/**
 * Where a new rule belongs: after the last one.
 * @param {string} text
 */
export function placeOfRule(text) {
  const { entries } = read(text);
  const fields = entries.find(({ path }) => path.length === 1 && path[0] === "fields");
  if (!fields) return { at: text.length, before: `${text.endsWith("\n") || !text ? "" : "\n"}fields:\n`, indent: 2, after: "\n", isFlow: false };
  const rules = entries.filter(({ path }) => path.length === 2 && path[0] === "fields");
  const last = rules.at(-1);
  if (last?.isFlow || text[fields.valueStart] === "{") {
    const close = text.lastIndexOf("}", fields.end - 1);
    return { at: last ? last.end : close, before: last ? ", " : "", indent: 0, after: "", isFlow: true };
  }
  const indent = last ? last.start - (text.lastIndexOf("\n", last.start) + 1) : 2;
  const end = endOfLine(text, last ? last.end : fields.keyEnd);
  return { at: end, before: "\n", indent, after: "", isFlow: false };
}

/** Where a key of the mapping belongs: before `fields`. @param {string} text */
function placeOfKey(text) {
  const fields = read(text).entries.find(({ path }) => path.length === 1 && path[0] === "fields");
  if (!fields) return { at: text.length, before: text.endsWith("\n") || !text ? "" : "\n", indent: 0, after: "\n", isFlow: false };
  return { at: fields.start, before: "", indent: 0, after: "\n\n", isFlow: false };
}

/** @param {string} text @param {number} at */
function endOfLine(text, at) {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}
