// @ts-check
/** Dialogs: a new mapping, recipes, saving an event, and a file that changed on disk. */

import { h } from "./dom.js";
import { ranked } from "./likeness.js";
import { plain } from "./recipes.js";

let count = 0;

/**
 * Opens a dialog with a title; it is gone once it is closed.
 * @param {string} title
 * @param {(close: () => void) => (Node | string | null | false)[]} content
 */
export function open(title, content) {
  const id = `dialog-${(count += 1)}`;
  const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { "aria-labelledby": id }));
  const close = () => dialog.close();
  dialog.append(
    h("div.toolbar", {}, h("h2", { id }, title), h("button", { type: "button", onclick: close }, "Close")),
    h("div.dialog-body", {}, ...content(close)),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** @param {string} label @param {HTMLElement} control @param {string} [help] */
function labeled(label, control, help) {
  const id = `control-${(count += 1)}`;
  control.id = id;
  return h("div.control", {}, h("label", { for: id }, label), control, help && h("span.quiet.small", {}, help));
}

/** @param {string[]} values @param {(value: string) => string} [words] */
const choices = (values, words = (value) => value) => h("select", {}, ...values.map((value) => h("option", { value }, words(value))));

/**
 * @param {object} options
 * @param {{name: string, label: string}[]} options.objects
 * @param {string[]} options.types The types of events.
 * @param {string[]} options.taken Names of mappings that are there.
 * @param {string[]} options.events Names of events that the samples have.
 * @param {(path: string, text: string) => Promise<() => void>} options.create What it returns is called once the dialog is gone.
 */
export function newMapping({ objects, types, taken, events, create }) {
  open("New mapping", (close) => {
    const name = nameInput();
    const list = h("datalist", { id: "known-objects" }, ...objects.map((one) => h("option", { value: one.name }, one.label)));
    const object = input({ required: true, list: "known-objects", autocomplete: "off", pattern: "[A-Za-z]\\w*", title: "The API name of an object" });
    const type = /** @type {HTMLSelectElement} */ (choices(types));
    const event = input({ autocomplete: "off", placeholder: "Order Completed", list: "known-events" });
    const names = h("datalist", { id: "known-events" }, ...events.map((one) => h("option", { value: one })));
    const eventName = labeled("Name of the event", event, "* stands for any text");
    const said = h("p.bad", { role: "alert" });
    const follow = () => (eventName.hidden = type.value !== "track");
    type.addEventListener("change", follow);
    follow();
    const form = h(
      "form",
      {
        onsubmit: async (/** @type {Event} */ submitted) => {
          submitted.preventDefault();
          if (taken.includes(name.value)) {
            said.textContent = `There is a mapping ${name.value} already.`;
            return;
          }
          try {
            const next = await create(`mappings/${name.value}.yaml`, mappingOf(type.value, event.value, object.value));
            close();
            next(); // the dialog has given the focus back
          } catch (error) {
            said.textContent = /** @type {Error} */ (error).message;
          }
        },
      },
      labeled("Name", name, "The file is mappings/NAME.yaml"),
      labeled("Which events", type),
      eventName,
      names,
      labeled("Become records of", object, "An object of your org"),
      list,
      said,
      h("div.actions", {}, h("button.primary", {}, "Make the mapping")),
    );
    return [form];
  });
}

/**
 * Asks for the name of a mapping.
 * @param {string} title @param {string[]} taken @param {(path: string) => Promise<() => void>} create
 */
export function nameMapping(title, taken, create) {
  open(title, (close) => {
    const name = nameInput();
    const said = h("p.bad", { role: "alert" });
    const submit = async (/** @type {Event} */ submitted) => {
      submitted.preventDefault();
      said.textContent = taken.includes(name.value) ? `There is a mapping ${name.value} already.` : "";
      if (said.textContent) return;
      try {
        const next = await create(`mappings/${name.value}.yaml`);
        close();
        next();
      } catch (error) {
        said.textContent = /** @type {Error} */ (error).message;
      }
    };
    return [h("form", { onsubmit: submit }, labeled("Name", name, "The file is mappings/NAME.yaml"), said, h("div.actions", {}, h("button.primary", {}, "Make the mapping")))];
  });
}

const nameInput = () => input({ required: true, autofocus: true, pattern: "[A-Za-z0-9][\\w\\-]*", placeholder: "partner", autocomplete: "off", title: "Letters, digits, - and _" });

/** @param {Record<string, any>} attributes */
const input = (attributes) => /** @type {HTMLInputElement} */ (h("input", { type: "text", ...attributes }));

/** @param {string} type @param {string} name @param {string} object */
function mappingOf(type, name, object) {
  const event = type === "track" && name ? `{type: track, name: ${JSON.stringify(name)}}` : type;
  return `sfmap: 1\nevent: ${event}\n\nobject: ${object}\noperation: upsert\nmatch: \n\nfields:\n  \n`;
}

/**
 * @param {import("./knowledge.js").Recipe[]} recipes
 * @param {(recipe: import("./knowledge.js").Recipe) => unknown} insert
 */
export function recipeBook(recipes, insert) {
  open("Recipes", (close) => {
    const search = /** @type {HTMLInputElement} */ (h("input", { type: "search", autofocus: true, placeholder: "What do you want?", "aria-label": "Search the recipes" }));
    const list = h("ul.recipes", {});
    const draw = () => {
      const found = ranked(
        recipes.map((recipe) => ({ label: recipe.title, search: `${recipe.title} ${recipe.words} ${recipe.summary} ${plain(recipe.text)}`, recipe })),
        search.value,
      );
      list.replaceChildren(...found.map(({ recipe }) => item(recipe)));
      if (!found.length) list.append(h("li.quiet", {}, "No recipe has these words. Ctrl Space in the editor shows what can be written there."));
    };
    /** @param {import("./knowledge.js").Recipe} recipe */
    const item = (recipe) =>
      h(
        "li",
        {},
        h("div.recipe-head", {}, h("h3", {}, recipe.title), h("button", { type: "button", "aria-label": `Insert: ${recipe.title}`, onclick: () => (close(), insert(recipe)) }, recipe.place === "file" ? "New mapping" : "Insert")),
        h("p.quiet", {}, recipe.summary),
        h("pre", {}, plain(recipe.text).trimEnd()),
      );
    search.addEventListener("input", draw);
    draw();
    return [search, list];
  }).classList.add("wide");
}

/**
 * @param {string} name What the sample is called: its messageId.
 * @param {string[]} files Files of samples.
 * @param {(file: string, name: string) => Promise<unknown>} save
 */
export function saveEvent(name, files, save) {
  open("Save event", (close) => {
    const called = input({ required: true, autofocus: true, autocomplete: "off", value: name });
    const file = /** @type {HTMLSelectElement} */ (choices(files));
    const said = h("p.bad", { role: "alert" });
    const submit = async (/** @type {Event} */ submitted) => {
      submitted.preventDefault();
      try {
        await save(file.value, called.value);
        close();
      } catch (error) {
        said.textContent = /** @type {Error} */ (error).message;
      }
    };
    const note = h("p.quiet", {}, "It becomes a sample of the project: take out what must not be in git.");
    return [h("form", { onsubmit: submit }, labeled("Name", called, "The messageId of the sample"), labeled("File", file), note, said, h("div.actions", {}, h("button.primary", {}, "Save event")))];
  });
}

/**
 * Asks before snapshots are accepted.
 * @param {string} what @param {() => unknown} accept
 */
export function confirmAccept(what, accept) {
  open(`Accept ${what}?`, (close) => [
    h("p", {}, "What the samples become now is what their tests expect from then on. The files are in tests/events/__snapshots__: commit them with the mappings."),
    h("div.actions", {}, h("button.primary", { type: "button", autofocus: true, onclick: () => (close(), accept()) }, "Accept")),
  ]);
}

/**
 * Shows what was edited beside what is on disk.
 * @param {import("./files.js").OpenFile} file
 * @param {{keep: () => unknown, take: () => unknown}} actions
 */
export function bothTexts(file, { keep, take }) {
  open(`${file.path} changed on disk`, (close) => {
    const shown = folded(difference(file.text, file.conflict?.text ?? "")).map((line) => differenceLine(line));
    return [
      h("p.quiet", {}, "− only in the editor, + only on disk"),
      h("div.difference", { tabindex: "0", role: "group", "aria-label": "The difference" }, ...shown),
      h("div.actions", {}, h("button", { type: "button", onclick: () => (close(), take()) }, "Take theirs"), h("button.primary", { type: "button", onclick: () => (close(), keep()) }, "Keep mine")),
    ];
  }).classList.add("wide");
}

const SIGNS = { "-": ["mine", "mine: "], "+": ["theirs", "on disk: "], " ": ["same", ""] };

/** @param {Line | number} line */
function differenceLine(line) {
  if (typeof line === "number") return h("div.quiet", {}, `… ${line} lines are the same`);
  const [name, spoken] = SIGNS[line.sign];
  return h("div", { class: name }, h("span.sign", { "aria-hidden": "true" }, line.sign), h("span.hidden-text", {}, spoken), line.text || " ");
}

/** Lines that are the same, but for three around each that differs, as their number. @param {Line[]} lines @returns {(Line | number)[]} */
function folded(lines) {
  const isNear = lines.map((_, at) => lines.slice(Math.max(0, at - 3), at + 4).some(({ sign }) => sign !== " "));
  /** @type {(Line | number)[]} */
  const kept = [];
  for (const [at, line] of lines.entries()) {
    const last = kept.at(-1);
    if (isNear[at]) kept.push(line);
    else if (typeof last === "number") kept[kept.length - 1] = last + 1;
    else kept.push(1);
  }
  return kept;
}

/** @typedef {{sign: "-" | "+" | " ", text: string}} Line */

/**
 * The lines of two texts, those that differ signed.
 * @param {string} mine @param {string} theirs @returns {Line[]}
 */
export function difference(mine, theirs) {
  const [a, b] = [mine.split("\n"), theirs.split("\n")];
  /** @type {number[][]} The longest common part of the ends. */
  const most = Array.from({ length: a.length + 1 }, () => new Array(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) most[i][j] = a[i] === b[j] ? most[i + 1][j + 1] + 1 : Math.max(most[i + 1][j], most[i][j + 1]);
  }
  /** @type {Line[]} */
  const lines = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ sign: " ", text: a[i] });
      i += 1;
      j += 1;
    } else if (j >= b.length || (i < a.length && most[i + 1][j] >= most[i][j + 1])) {
      lines.push({ sign: "-", text: a[i] });
      i += 1;
    } else {
      lines.push({ sign: "+", text: b[j] });
      j += 1;
    }
  }
  return lines;
}
