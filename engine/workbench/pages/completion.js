// @ts-check
/** What can be written at the cursor, best first: fields, source paths, filters, keys and their values, recipes. */

import { insertCompletionText, snippet, startCompletion } from "./codemirror.js";
import { h } from "./dom.js";
import { formsOf } from "./forms.js";
import { about, aboutPath, share } from "./knowledge.js";
import { pathLikeness, ranked } from "./likeness.js";
import { gaps, plain } from "./recipes.js";
import { read } from "./yaml_place.js";

/**
 * @typedef {{label: string, detail?: string, search?: string, score?: number, info?: () => Node, apply?: any, section?: any, type?: string}} Option
 * @typedef {import("./yaml_place.js").Place} Place
 * @typedef {import("./yaml_place.js").Entry} Entry
 */

const MOST = 200;
const FORMS = { name: "Ways to write the rule", rank: 2 };
const RECIPES = { name: "Recipes", rank: 3 };
const BLOCKS = ["fields", "address", "custom", "headers", "parts"];
const TEMPLATES = ["template", "when"];

export class Completion {
  /**
   * @param {import("./knowledge.js").Knowledge} knowledge
   * @param {(text: string) => string | null} objectOf The object of a mapping with this text.
   */
  constructor(knowledge, objectOf) {
    this.knowledge = knowledge;
    this.objectOf = objectOf;
    /** @type {string | null} The path whose rule is being made; fields that are like it come first. */
    this.mapped = null;
    /** Whether the file that is shown is a mapping. */
    this.isMapping = () => true;
    /** @type {(recipe: import("./knowledge.js").Recipe) => void} */
    this.onRecipe = () => {};
  }

  /** @param {any} context CodeMirror's */
  async complete(context) {
    if (!this.isMapping()) return null;
    const text = context.state.doc.toString();
    const { place, entries } = read(text, context.pos);
    if (place.kind === "comment") return null;
    const spot = { text, position: context.pos, place, entries, typed: text.slice(place.start, context.pos) };
    const found = await this.at(spot);
    if (!found || context.aborted) return null;
    const { from = place.start, options } = found;
    const typed = text.slice(from, context.pos);
    if (!context.explicit && !typed && !found.isEager) return null;
    return fitting(from, options, typed);
  }

  /**
   * @param {Spot} spot
   * @returns {Promise<{from?: number, options: Option[], isEager?: boolean} | null>}
   */
  async at(spot) {
    const { place } = spot;
    const [first, ...rest] = place.path.filter((key) => typeof key === "string").map(String);
    const isKey = place.kind === "key";
    if (first === undefined) return isKey ? { options: [...this.keys("mapping", spot), ...this.recipes("mapping", spot)] } : null;
    if (first === "fields") return rest.length ? this.rule(spot, rest[0], rest.slice(1)) : this.fields(spot);
    if (first === "address" && rest[0] === "parts") return rest.length > 1 ? this.rule(spot, rest[1], rest.slice(2)) : null;
    if (first === "match") return this.match(spot, rest);
    if (first === "unless_found") return isKey ? { options: this.keys("unless_found", spot) } : this.valueOf(spot, "unless_found", rest.at(-1) ?? "", null);
    if (first === "event" && rest.length) return isKey ? null : this.valueOf(spot, "event", rest[0], null);
    if (isKey) return { options: this.keys(first, spot) };
    if (rest.length) return this.valueOf(spot, first, rest.at(-1) ?? "", null);
    return this.valueOf(spot, "mapping", first, null);
  }

  /** @param {Spot} spot */
  async fields(spot) {
    const described = await this.knowledge.describe(this.objectOf(spot.text));
    const used = writtenFields(spot);
    const isNamed = /^[ \t]*\w*[ \t]*:/.test(spot.text.slice(spot.position));
    const options = (described?.fields ?? [])
      .filter((field) => (field.createable || field.updateable) && !used.has(field.name.toLowerCase()))
      .map((field) => ({
        label: field.name,
        detail: about(field),
        search: field.label,
        score: (this.mapped ? 3 * pathLikeness(this.mapped, field) : this.waiting(field)) + (field.required ? 0.5 : 0) - (field.createable ? 0 : 0.4),
        info: () => this.fieldCard(field),
        apply: (/** @type {any} */ view, /** @type {any} */ option, /** @type {number} */ from, /** @type {number} */ to) =>
          this.applyKey(view, field.name, from, to, isNamed ? null : columnOf(spot)),
      }));
    return { options: [...options, ...this.recipes("fields", spot)] };
  }

  /** How much a path that no rule reads is like a field. @param {import("./knowledge.js").Field} field */
  waiting(field) {
    const unread = this.knowledge.paths.filter(({ path, read_by }) => !read_by.length && !path.startsWith("integrations"));
    const best = Math.max(0, ...unread.map(({ path }) => pathLikeness(path, field)));
    return best > 0.7 ? best : 0;
  }

  /**
   * Writes a key with its colon, in line with the values of its neighbours, and asks for the value.
   * @param {any} view @param {string} name @param {number} from @param {number} to @param {number | null} column Null where the colon is there.
   */
  applyKey(view, name, from, to, column) {
    const line = view.state.doc.lineAt(from);
    const start = from - line.from;
    const padding = column === null ? "" : `:${" ".repeat(Math.max(1, column - start - name.length - 1))}`;
    const text = `${name}${padding}`;
    view.dispatch({ ...insertCompletionText(view.state, text, from, to) });
    if (column !== null) window.setTimeout(() => startCompletion(view));
  }

  /**
   * @param {Spot} spot @param {string} name The field. @param {string[]} rest The keys below it.
   */
  async rule(spot, name, rest) {
    const { place } = spot;
    const field = await this.knowledge.field(this.objectOf(spot.text), name);
    const known = field ?? { name, label: name };
    if (!rest.length) {
      if (place.kind === "key") return { options: this.keys(isReference(spot, field) ? "reference" : "rule", spot) };
      const forms = spot.typed && !/^[\w.]*$/.test(spot.typed) ? [] : formsOf(field, this.bestPath(known, spot)).map((form) => formOption(form));
      return this.source(spot, known, forms);
    }
    if (place.kind === "key") return { options: rest[0] === "default" ? this.keys("default", spot) : this.seenValues(spot, name) };
    const key = rest.at(-1) ?? "";
    if (key === "from") return this.source(spot, known, []);
    if (["value", "default", "else"].includes(key) || rest[0] === "values") return { options: constants(field, spot), isEager: true };
    if (key === "object") return { options: this.objectNames(field?.references ?? []), isEager: true };
    if (key === "by") return this.lookups(spot);
    return this.valueOf(spot, isReference(spot, field) ? "reference" : "rule", key, known);
  }

  /** Values of the source that this rule reads, for the keys of its table. @param {Spot} spot @param {string} name */
  seenValues(spot, name) {
    const rule = spot.text.slice(...rangeOf(spot, ["fields", name]));
    const seen = this.knowledge.paths.filter(({ path }) => rule.includes(path)).flatMap(({ examples }) => examples ?? []);
    return [...new Set(seen)].map((value) => ({ label: String(value), detail: "in the events", apply: `${value}: ` }));
  }

  /** @param {Spot} spot @param {string[]} rest */
  async match(spot, rest) {
    if (rest.length > 1) return this.rule(spot, rest[0], rest.slice(1));
    if (rest.length === 1 && spot.place.kind === "value" && rest[0] !== "external_id") return this.source(spot, { name: rest[0] }, []);
    const described = await this.knowledge.describe(this.objectOf(spot.text));
    const options = (described?.fields ?? []).map((field) => ({
      label: field.name,
      detail: about(field),
      search: field.label,
      score: finds(field) ? 1 : 0,
      info: () => this.fieldCard(field),
      apply: spot.place.kind === "key" ? `${field.name}: ` : field.name,
    }));
    return { options, isEager: true };
  }

  /** The fields of the object that a reference points to, those that find a record first. @param {Spot} spot */
  async lookups(spot) {
    const path = [...spot.place.path.slice(0, -1), "object"];
    const [from, to] = rangeOf(spot, path);
    const object = spot.text.slice(from, to).replace(/[[\]\s]/g, "").split(",")[0];
    const described = await this.knowledge.describe(object || null);
    return { options: (described?.fields ?? []).map((field) => ({ label: field.name, detail: about(field), search: field.label, score: finds(field) ? 1 : 0 })), isEager: true };
  }

  /**
   * The values of a key that has certain ones.
   * @param {Spot} spot @param {string} section @param {string} name @param {any} field
   */
  async valueOf(spot, section, name, field) {
    if (TEMPLATES.includes(name) || spot.place.isBlockText) return this.template(spot, name);
    if (name === "object") return { options: this.objectNames([]), isEager: true };
    if (name === "by") return this.lookups(spot);
    if (["from", "opt_in", "for_each"].includes(name)) return this.source(spot, field ?? { name: "" }, []);
    const key = this.knowledge.section(section).find((one) => one.name === name);
    if (!key?.values?.length) return null;
    return { options: key.values.map((value) => ({ label: value, score: value === key.default ? -0.1 : 0, info: () => keyCard(key) })), isEager: true };
  }

  /** @param {string[]} first */
  objectNames(first) {
    return this.knowledge.objects.map(({ name, label }) => ({ label: name, detail: label, search: label, score: first.includes(name) ? 2 : 0 }));
  }

  /**
   * Paths, or filters after a pipe.
   * @param {Spot} spot @param {{name: string, label?: string}} field @param {Option[]} forms
   */
  source(spot, field, forms) {
    const pipe = spot.typed.lastIndexOf("|");
    if (pipe >= 0) return this.filters(spot);
    const needsQuotes = (/** @type {string} */ path) => !spot.place.quote && (spot.place.isFlow ? /[[\]{},]/ : /^[[{@`]|: | #/).test(path);
    const root = rootOf(spot);
    const paths = this.knowledge.paths.map((path) => ({
      label: path.path,
      detail: aboutPath(path),
      score: 3 * pathLikeness(path.path, field) + share(path) / 10 + (path.path.startsWith(root) ? 0.3 : 0),
      info: () => pathCard(path),
      apply: needsQuotes(path.path) ? JSON.stringify(path.path) : path.path,
    }));
    return { options: [...paths, ...forms], isEager: true };
  }

  /** @param {Spot} spot */
  filters(spot) {
    const word = spot.typed.match(/\w*$/)?.[0] ?? "";
    const isAfterPipe = /\|\s*\w*$/.test(spot.typed);
    if (!isAfterPipe) return null;
    const options = this.knowledge.language.filters.map((filter) => ({
      label: filter.name,
      detail: unlinked(filter.summary),
      search: filter.summary,
      info: () => filterCard(filter),
      apply: filterApply(filter),
    }));
    return { from: spot.position - word.length, options, isEager: true };
  }

  /** Within `{{ }}` and `{% %}`, and everywhere in a condition. @param {Spot} spot @param {string} name */
  template(spot, name) {
    const opened = Math.max(spot.typed.lastIndexOf("{{"), spot.typed.lastIndexOf("{%"));
    const closed = Math.max(spot.typed.lastIndexOf("}}"), spot.typed.lastIndexOf("%}"));
    const isInside = opened > closed || (name === "when" && opened < 0);
    if (isInside && /\|\s*\w*$/.test(spot.typed)) return this.filters(spot);
    const word = spot.typed.match(/[\w.]*$/)?.[0] ?? "";
    const options = this.knowledge.paths.map((path) => ({
      label: path.path,
      detail: aboutPath(path),
      info: () => pathCard(path),
      apply: isInside ? path.path : `{{ ${path.path} }}`,
    }));
    return { from: spot.position - word.length, options };
  }

  /** @param {string} section @param {Spot} spot */
  keys(section, spot) {
    const { place, entries } = spot;
    const used = new Set(
      entries.filter(({ path, start }) => path.length === place.path.length + 1 && place.path.every((key, at) => key === path[at]) && start !== place.start).map(({ path }) => String(path.at(-1))),
    );
    return this.knowledge
      .section(section)
      .filter(({ name }) => !used.has(name))
      .map((key, at) => ({
        label: key.name,
        detail: key.summary,
        search: key.summary,
        score: (key.required ? 0.5 : 0) - at / 100,
        info: () => keyCard(key),
        apply: keyApply(key, spot),
      }));
  }

  /** @param {"fields" | "mapping"} place @param {Spot} spot */
  recipes(place, spot) {
    return this.knowledge.language.recipes
      .filter((recipe) => recipe.place === place)
      .map((recipe) => ({
        label: recipe.title,
        detail: recipe.summary,
        search: recipe.words,
        score: -0.6,
        section: RECIPES,
        info: () => recipeCard(recipe),
        apply: (/** @type {any} */ view, /** @type {any} */ _option, /** @type {number} */ from, /** @type {number} */ to) => {
          view.dispatch({ changes: { from, to, insert: "" } });
          this.onRecipe(recipe);
        },
      }));
  }

  /** The path that is most like a field. @param {any} field @param {Spot} spot */
  bestPath(field, spot) {
    void spot;
    const best = this.knowledge.paths.map(({ path }) => ({ path, score: pathLikeness(path, field) })).sort((one, other) => other.score - one.score)[0];
    return best && best.score > 0.75 ? best.path : "traits.";
  }

  /** @param {import("./knowledge.js").Field} field */
  fieldCard(field) {
    const values = field.picklist ?? [];
    return h(
      "div",
      {},
      h("p", {}, h("b", {}, field.label || field.name)),
      h("p", {}, about(field)),
      values.length > 0 && h("p.quiet", {}, values.slice(0, 30).map(({ value }) => value).join(" · "), values.length > 30 && ` and ${values.length - 30} more`),
      !field.updateable && h("p.quiet", {}, "Can only be set when the record is created"),
      field.lookup && h("p.quiet", {}, "Records can be found by it (match)"),
    );
  }
}

/**
 * The options that fit, best first; those for what is typed next are found without asking again.
 * @param {number} from @param {Option[]} options @param {string} typed @returns {any}
 */
function fitting(from, options, typed) {
  const fit = ranked(options, typed).slice(0, MOST);
  if (!fit.length) return null;
  const update = (/** @type {any} */ _result, /** @type {number} */ start, /** @type {number} */ end, /** @type {any} */ context) => {
    const next = context.state.sliceDoc(start, end);
    return /^[\w.$]*$/.test(next) ? fitting(start, options, next) : null;
  };
  return { from, options: fit, filter: false, update };
}

/** @typedef {{text: string, position: number, place: Place, entries: Entry[], typed: string}} Spot */

/** Where the events of this mapping have most of what they tell. @param {Spot} spot */
function rootOf(spot) {
  const [from, to] = rangeOf(spot, ["event"]);
  return /track|page|screen/.test(spot.text.slice(from, to)) ? "properties." : "traits.";
}

/** The fields that the mapping writes, in lower case: those of rules, and those of the address. @param {Spot} spot */
function writtenFields({ entries, text }) {
  const named = (/** @type {string[]} */ ...keys) => entries.filter(({ path }) => path.length === keys.length + 1 && keys.every((key, at) => key === path[at]));
  const prefixes = named("address", "targets").map(({ valueStart, end }) => text.slice(valueStart, end).trim());
  const parts = named("address", "parts").map(({ path }) => String(path[2]));
  const ofAddress = parts.flatMap((part) => (prefixes.length ? prefixes.map((prefix) => prefix + part) : [part]));
  return new Set([...named("fields").map(({ path }) => String(path[1])), ...ofAddress].map((name) => name.toLowerCase()));
}

/** @param {Spot} spot @param {(string | number)[]} path @returns {[number, number]} */
function rangeOf(spot, path) {
  const found = spot.entries.find((entry) => entry.path.length === path.length && entry.path.every((key, at) => key === path[at]));
  return found ? [found.valueStart, found.end] : [0, 0];
}

/** Whether senders can know a value by which a record is found. @param {import("./knowledge.js").Field} field */
const finds = (field) => field.lookup && field.type !== "id";

/** Whether the rule points to a record. @param {Spot} spot @param {any} field */
function isReference(spot, field) {
  const path = spot.place.path.slice(0, 2);
  const [from, to] = rangeOf(spot, [...path, "object"]);
  const hasFrom = rangeOf(spot, [...path, "value"])[1] > 0;
  return to > from || (!hasFrom && (field?.references?.length ?? 0) > 0);
}

/** The column in which the neighbours of a key have their values. @param {Spot} spot */
function columnOf(spot) {
  if (spot.place.isFlow) return 0;
  /** @type {Map<number, number>} */
  const columns = new Map();
  for (const { path, start, keyEnd, valueStart } of spot.entries) {
    if (path.length !== spot.place.path.length + 1 || spot.text.slice(start, valueStart).includes("\n")) continue;
    if (!spot.place.path.every((key, at) => key === path[at]) || keyEnd + 2 > spot.text.length) continue;
    const column = valueStart - (spot.text.lastIndexOf("\n", start) + 1);
    columns.set(column, (columns.get(column) ?? 0) + 1);
  }
  const [column, count] = [...columns].sort((one, other) => other[1] - one[1])[0] ?? [0, 0];
  return count > 1 ? column : 0;
}

/** @param {any} field @param {Spot} spot */
function constants(field, spot) {
  const quote = (/** @type {string} */ value) => (spot.place.quote ? value : /^[\w .+&/()-]*$/.test(value) && !/^[\d.]+$|^(true|false|null)$|^\s|\s$/.test(value) ? value : JSON.stringify(value));
  const values = (field?.picklist ?? []).map((/** @type {any} */ { value, label }) => ({ label: value, detail: label === value ? "" : label, apply: quote(value) }));
  if (field?.type === "boolean") values.push({ label: "true" }, { label: "false" });
  return values;
}

/** @param {import("./knowledge.js").Key} key @param {Spot} spot */
function keyApply(key, spot) {
  return (/** @type {any} */ view, /** @type {any} */ _option, /** @type {number} */ from, /** @type {number} */ to) => {
    const isNamed = /^[ \t]*:/.test(spot.text.slice(spot.position));
    const isBlock = BLOCKS.includes(key.name) && !spot.place.isFlow;
    const text = isNamed ? key.name : isBlock ? `${key.name}:\n${" ".repeat(spot.place.indent + 2)}` : `${key.name}: `;
    view.dispatch({ ...insertCompletionText(view.state, text, from, to) });
    if (!isNamed) window.setTimeout(() => startCompletion(view));
  };
}

/** @param {{name: string, signature: string}} filter */
function filterApply({ name, signature }) {
  const required = signature.match(/\(([^)]*)\)/)?.[1].split(",").map((one) => one.trim()).filter((one) => one && !/[=?[]/.test(one)) ?? [];
  if (!required.length) return name;
  return snippet(`${name}(${required.map((one) => `\${${one}}`).join(", ")})`);
}

/** @param {{label: string, detail: string, text: string, score: number}} form */
const formOption = (form) => ({
  label: form.label,
  detail: form.detail,
  search: form.detail,
  score: form.score,
  section: FORMS,
  info: () => h("pre", {}, plain(form.text)),
  apply: snippet(gaps(form.text)),
});

/** @param {import("./knowledge.js").Key} key */
export const keyCard = (key) =>
  h(
    "div",
    {},
    h("p", {}, h("b", {}, key.name), key.required && h("span.quiet", {}, " required")),
    h("p", {}, key.summary),
    key.values?.length > 0 && h("p.quiet", {}, key.values.join(" · ")),
    key.default && h("p.quiet", {}, `Default: ${key.default}`),
    key.example && h("pre", {}, `${key.name}: ${key.example}`),
  );

/** Markdown's links and marks of code taken out. @param {string} text */
const unlinked = (text) => text.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll("`", "");

/** @param {{signature: string, summary: string, examples: string[]}} filter */
export const filterCard = (filter) =>
  h("div", {}, h("p", {}, h("b", {}, filter.signature)), h("p", {}, unlinked(filter.summary)), filter.examples?.length > 0 && h("pre", {}, filter.examples.join("\n")));

/** @param {import("./knowledge.js").Path} path */
export const pathCard = (path) =>
  h(
    "div",
    {},
    h("p", {}, h("b", {}, path.path)),
    h("p", {}, `${path.filled} of ${path.events} events have it`, path.types?.length > 0 && `, as ${path.types.join(" or ")}`),
    path.examples?.length > 0 && h("pre", {}, path.examples.slice(0, 5).join("\n")),
    path.read_by?.length > 0 && h("p.quiet", {}, `Read by ${path.read_by.map(({ field, mapping }) => [mapping, field].filter(Boolean).join(": ")).join(", ")}`),
  );

/** @param {import("./knowledge.js").Recipe} recipe */
const recipeCard = (recipe) => h("div", {}, h("p", {}, h("b", {}, recipe.title)), h("p", {}, recipe.summary), h("pre", {}, plain(recipe.text)));

