// @ts-check
/** The workbench: edit a mapping, and see at once what becomes of the samples. */

import { Refusal, afterPause, post, streamUrl } from "./api.js";
import { Completion } from "./completion.js";
import { bothTexts, confirmAccept, nameMapping, newMapping, recipeBook, saveEvent } from "./dialogs.js";
import { byId, counted, empty, failure, fill, h, skeleton } from "./dom.js";
import { Editor } from "./editor.js";
import { EventView } from "./event_view.js";
import { fileTabs, nameOf } from "./file_tabs.js";
import { Files } from "./files.js";
import { hoverHelp } from "./hover.js";
import { Knowledge } from "./knowledge.js";
import { Mistakes } from "./mistakes.js";
import { cyclePanes, isNarrow, select, showPane, tabs } from "./panes.js";
import { insertRecipe, placeOfRule } from "./recipes.js";
import { RecordView } from "./record.js";
import { Samples, changedSnapshots } from "./samples.js";
import { Unread } from "./unread.js";
import { read } from "./yaml_place.js";
import { keys } from "/static/look/keys.js";
import { follow } from "/static/look/live.js";
import { toast } from "/static/look/toast.js";

const PAUSE = 150;
const LONG_PAUSE = 450;
const SKELETON_AFTER = 150;

const knowledge = new Knowledge();
const completion = new Completion(knowledge, objectOf);
/** @type {Editor} */
const editor = new Editor(byId("editor"), {
  onChange: (text) => files.typed(text),
  onCursor: (line, column) => (byId("position").textContent = `${line}:${column}`),
  complete: (context) => completion.complete(context),
  hover: hoverHelp(knowledge, completion, objectOf),
  keys: [
    { key: "Mod-s", run: () => (save(), true) },
    { key: "Mod-Enter", run: () => (toRow(), true) },
    { key: "F8", run: () => (mistakes.next(), true) },
  ],
});
/** @type {Files} */
const files = new Files(editor);
const mistakes = new Mistakes(files, editor, jump);
const samples = new Samples(files, choose);
const record = new RecordView(jump, (path, line) => files.open.get(path)?.text.split("\n")[line - 1]?.trim() ?? "");
const unread = new Unread(mapIt);
const eventView = new EventView(
  (event) => choose({ event }, "", true),
  (event) => keepEvent(event),
);
const drawTabs = fileTabs(files, (path) => mistakes.of(path), showFile);
completion.isMapping = () => files.active?.kind === "mapping";
completion.onRecipe = putRecipe;

/** @type {{sample: string} | {event: unknown} | null} */
let chosen = null;
/** @type {any} What the chosen event became last. */
let rendered = null;

const checkSoon = afterPause(PAUSE, (signal) => attempt(() => mistakes.check(signal), "mistakes"));
const renderSoon = afterPause(PAUSE, (signal) => render(signal));
const weighSoon = afterPause(LONG_PAUSE, (signal) => attempt(() => samples.weigh(signal), "samples"));

files.onText = () => refreshSoon();
files.onChange = () => {
  drawTabs();
  drawFile();
};
mistakes.onChange = () => drawTabs();
samples.onFates = () => drawAccept();

function refreshSoon(isUrgent = false) {
  const base = files.active && baseOf(files.active.text);
  if (base && !files.open.has(base)) files.load(base).catch(() => {});
  checkSoon(isUrgent);
  renderSoon(isUrgent);
  weighSoon(isUrgent);
}

/** Keeps the page as it is if the server does not answer; a sentence says so. @param {() => Promise<unknown>} work @param {string} what */
async function attempt(work, what) {
  try {
    await work();
    if (what === "mistakes") byId("mistakes").classList.remove("stale");
  } catch (error) {
    if (/** @type {Error} */ (error).name === "AbortError") throw error;
    if (what === "samples") {
      // Another tab has asked meanwhile, and the server answers only the last one.
      if (error instanceof Refusal && error.status === 409) weighSoon();
    } else {
      byId("mistakes").classList.add("stale");
      if (!mistakes.checked) fill(byId("mistakes"), failure(/** @type {Error} */ (error).message, () => checkSoon(true)));
    }
  }
}

/** @param {{sample: string} | {event: unknown}} what @param {string} title @param {boolean} [isTried] */
function choose(what, title, isTried = false) {
  chosen = what;
  if (!isTried) eventView.reset();
  byId("save-event").hidden = !("event" in what);
  renderSoon(!isTried);
  void title;
}

/** @param {AbortSignal} signal */
async function render(signal) {
  if (!chosen) return;
  const late = window.setTimeout(() => rendered || fill(byId("fields"), skeleton(8)), SKELETON_AFTER);
  const pane = byId("record-pane");
  try {
    const isFirst = rendered === null;
    rendered = await post("/api/render", { files: files.unsaved(), ...chosen }, signal);
    if (isFirst) await showMappingOf(rendered.results);
    pane.classList.remove("is-stale");
    fill(byId("render-failure"), rendered.stale && staleNote());
    pane.classList.toggle("is-stale", Boolean(rendered.stale));
    record.show(rendered.results, rendered.gone ?? [], Boolean(rendered.stale));
    unread.show(rendered.unread ?? []);
    eventView.show(rendered.event);
    byId("rendered").textContent = rendered.ms === undefined ? "" : `rendered in ${Math.max(1, Math.round(rendered.ms))} ms`;
  } catch (error) {
    if (/** @type {Error} */ (error).name === "AbortError") throw error;
    pane.classList.toggle("is-stale", rendered !== null);
    fill(byId("render-failure"), failure(/** @type {Error} */ (error).message, () => renderSoon(true)));
    if (!rendered) fill(byId("fields"));
  } finally {
    window.clearTimeout(late);
  }
}

/** Opens the mapping that makes the first record. @param {any[]} results */
async function showMappingOf(results) {
  const path = results.find(({ file }) => file)?.file;
  if (!path || files.dirty.length || !files.listed.some((one) => one.path === path)) return;
  await files.show(path);
  mistakes.mark();
}

const staleNote = () =>
  h("div.note.warn.failure", {}, h("span", {}, "As it was before the mistakes."), h("button", { type: "button", onclick: () => mistakes.next() }, "Show the next mistake"));

/** The value of a key of a mapping that is one word. @param {string} text @param {string} key */
function wordOf(text, key) {
  const entry = read(text).entries.find(({ path }) => path.length === 1 && path[0] === key);
  const word = entry ? text.slice(entry.valueStart, entry.end).trim() : "";
  return /^[\w-]+$/.test(word) ? word : "";
}

/** The object that the mapping of this text is for: its own, or that of the mapping which it extends. @param {string} text @returns {string | null} */
function objectOf(text) {
  const base = [...files.open.values()].find(({ path }) => baseOf(text) === path);
  return wordOf(text, "object") || (base && base.text !== text ? objectOf(base.text) : null);
}

/** The file of the mapping that this text extends. @param {string} text */
function baseOf(text) {
  const name = wordOf(text, "extends");
  const known = name ? files.listed.filter(({ path }) => nameOf(path).replace(/\.ya?ml$/, "") === name) : [];
  return (known.find(({ path }) => path !== files.active?.path) ?? known[0])?.path ?? null;
}

/** Shows a file, and a sample that its mapping takes. @param {string} path */
async function showFile(path) {
  await files.show(path);
  mistakes.mark();
  mistakes.show();
  const object = files.active?.kind === "mapping" ? objectOf(files.active.text) : null;
  const isTaken = rendered?.results.some((/** @type {any} */ one) => one.file === path);
  const taken = [...samples.fates].find(([, fate]) => object && fate.becomes.includes(object));
  if (!isTaken && taken && !samples.isCaught) samples.choose(taken[0]);
}

/** Shows a place of a file, and flashes its rule. @param {string} path @param {number} line @param {number} [column] */
async function jump(path, line, column = 1) {
  showPane("mapping");
  await files.show(path);
  mistakes.mark();
  const at = editor.state.doc.line(Math.min(line, editor.state.doc.lines)).from;
  const rule = ruleAt(at + 1);
  editor.jump(line, column, rule ? lineOf(rule.end) : line);
}

/** Shows the place that the address names, such as `#mappings/lead.yaml:12`; whether there is one. */
async function jumpToNamed() {
  const named = /^#(.+):([0-9]+)$/.exec(location.hash);
  const file = named && files.listed.find(({ path }) => encodeURI(path) === named[1] || path === named[1]);
  if (!named || !file) return false;
  await jump(file.path, Number(named[2]));
  return true;
}

/** The rule of a field around an offset. @param {number} at */
function ruleAt(at) {
  const rules = read(editor.text).entries.filter(({ path }) => path.length === 2 && path[0] === "fields");
  const { doc } = editor.state;
  return rules.find((rule) => doc.lineAt(rule.start).from <= at && at <= doc.lineAt(rule.end).to);
}

/** @param {number} offset */
const lineOf = (offset) => editor.state.doc.lineAt(offset).number;

/** From the rule at the cursor to its row in the record. */
function toRow() {
  const rule = ruleAt(editor.cursor);
  const line = lineOf(editor.cursor);
  const [from, to] = rule ? [lineOf(rule.start), lineOf(rule.end)] : [line, line];
  showPane("record");
  choosePanel("tab-fields");
  if (!record.jumpTo(files.active?.path ?? "", from, to)) {
    if (isNarrow()) showPane("mapping");
    editor.focus();
    toast("The record of this sample has no value of this rule");
  }
}

/** Makes a rule of a path, and asks for the field. @param {string} path */
async function mapIt(path) {
  const result = rendered?.results.find((/** @type {any} */ one) => one.kind === "record") ?? rendered?.results[0];
  const target = result?.file && files.listed.some((one) => one.path === result.file) ? result.file : files.active?.path;
  if (!target) return;
  showPane("mapping");
  await files.show(target);
  if (files.active?.isReadOnly) {
    toast(`${nameOf(target)} cannot be edited here`);
    return;
  }
  const { at, before, indent, after, isFlow } = placeOfRule(editor.text);
  const source = /[[\]{},]/.test(path) && isFlow ? JSON.stringify(path) : path;
  const start = `${before}${" ".repeat(indent)}`;
  completion.mapped = path;
  editor.insert(at, `${start}: ${source}${after}`, start.length);
  window.setTimeout(() => editor.complete());
}

async function save() {
  const file = files.active;
  if (!file || file.isReadOnly || !files.isDirty(file)) return;
  try {
    if (await files.save(file)) {
      const { errors } = mistakes.of(file.path);
      toast(`Saved ${nameOf(file.path)}${errors ? `, with ${counted(errors, "mistake")}` : ""}`);
      refreshSoon(true);
    }
  } catch (error) {
    toast(/** @type {Error} */ (error).message, { action: "Try again", onAction: save, seconds: 15 });
  }
}

function revert() {
  const file = files.active;
  if (!file || file.head === null || file.text === file.head) return;
  const before = file.text;
  editor.setText(file.head);
  toast(`${nameOf(file.path)} is as in HEAD`, { action: "Undo", onAction: () => files.setText(file, before), seconds: 10 });
}

/** What belongs to the file that is shown: its buttons, and whether it changed on disk. */
function drawFile() {
  const file = files.active;
  const saveButton = /** @type {HTMLButtonElement} */ (byId("save"));
  saveButton.disabled = !file || file.isReadOnly || !files.isDirty(file);
  const revertButton = /** @type {HTMLButtonElement} */ (byId("revert"));
  revertButton.disabled = !file || file.head === null || file.isReadOnly || file.text === file.head;
  revertButton.hidden = !files.about?.head;
  byId("conflict").hidden = !file?.conflict;
  if (!file?.conflict) return;
  const keep = () => (files.keepMine(file), save());
  const take = () => file.conflict && files.take(file, file.conflict);
  fill(
    byId("conflict"),
    h("span", {}, `${nameOf(file.path)} changed on disk while you edited it.`),
    h("button", { type: "button", "data-key": "keep", onclick: keep }, "Keep mine"),
    h("button", { type: "button", "data-key": "take", onclick: take }, "Take theirs"),
    h("button", { type: "button", "data-key": "both", onclick: () => bothTexts(file, { keep, take }) }, "Show both"),
  );
}

function drawProject() {
  const { name, branch, org } = files.about;
  byId("project").textContent = branch ? `${name} · ${branch}` : name;
  document.title = `${name} · sfmap`;
  const chip = byId("org");
  const [dot, words] = { checked: ["span.dot", ""], standard: ["span.dot.skip", ` · ${org.against}`], away: ["span.dot.bad", " · does not answer"] }[/** @type {"checked" | "standard" | "away"} */ (org.state)] ?? ["span.dot.skip", ""];
  chip.hidden = false;
  chip.title = org.message ?? "";
  if (!isAway) fill(chip, h(dot), h("span.clip", {}, org.name, words && h("span.wide-only", {}, words)));
}

let isAway = false;

/** @param {"live" | "paused" | "away"} state */
function drawConnection(state) {
  isAway = state === "away";
  const chip = byId("org");
  chip.classList.toggle("bad", isAway);
  if (isAway) {
    chip.hidden = false;
    fill(chip, h("span", { role: "status" }, "Not connected", h("span.wide-only", {}, ", trying again")));
  } else if (files.about) drawProject();
}

function drawAccept() {
  const button = byId("accept");
  button.hidden = !samples.snapshots;
  button.textContent = `Accept ${changedSnapshots(samples.snapshots)}`;
}

async function accept() {
  if (!samples.snapshots) return;
  if (files.dirty.length) {
    const saveAll = async () => {
      for (const file of files.dirty) if (!(await files.save(file))) return;
      confirmAccept(changedSnapshots(samples.snapshots), acceptAll);
    };
    toast("Snapshots are made of saved files", { action: "Save and accept", onAction: saveAll, seconds: 10 });
    return;
  }
  confirmAccept(changedSnapshots(samples.snapshots), acceptAll);
}

async function acceptAll() {
  const button = /** @type {HTMLButtonElement} */ (byId("accept"));
  button.disabled = true;
  button.textContent = "Accepting …";
  try {
    const { accepted, message } = await post("/api/snapshots/accept", {});
    toast(accepted ? "The snapshots are accepted" : message, { seconds: accepted ? 5 : 15 });
  } catch (error) {
    toast(/** @type {Error} */ (error).message, { seconds: 15 });
  } finally {
    button.disabled = false;
    drawAccept();
    weighSoon(true);
  }
}

function startMapping() {
  const types = knowledge.section("event").find(({ name }) => name === "type")?.values ?? ["identify", "group", "track", "page", "screen", "alias"];
  newMapping({
    objects: knowledge.objects,
    types,
    taken: mappingNames(),
    events: [...new Set((samples.all ?? []).filter(({ type }) => type === "track").map(({ title }) => title))],
    create: async (path, text) => {
      await files.create(path, text);
      const match = text.indexOf("match: ") + "match: ".length;
      return () => {
        showPane("mapping");
        editor.view.dispatch({ selection: { anchor: match } });
        editor.focus();
        window.setTimeout(() => editor.complete());
      };
    },
  });
}

function showRecipes() {
  recipeBook(knowledge.language.recipes, (recipe) => {
    showPane("mapping");
    if (recipe.place === "file") startRecipe(recipe);
    else if (files.active?.kind === "mapping" && !files.active.isReadOnly) putRecipe(recipe);
    else toast("Open a mapping of the project first");
  });
}

/** @param {import("./knowledge.js").Recipe} recipe */
function putRecipe(recipe) {
  const before = editor.text;
  const file = files.active;
  const replaced = insertRecipe(editor.view, recipe);
  if (replaced.length && file) {
    toast(`It replaces the rule of ${replaced.join(", ")}`, { action: "Undo", onAction: () => files.setText(file, before), seconds: 10 });
  }
}

/** A recipe that is a mapping of its own. @param {import("./knowledge.js").Recipe} recipe */
function startRecipe(recipe) {
  nameMapping(recipe.title, mappingNames(), async (path) => {
    await files.create(path, `# ${recipe.title}\n`);
    return () => {
      editor.view.dispatch({ selection: { anchor: editor.state.doc.length } });
      insertRecipe(editor.view, recipe);
    };
  });
}

const mappingNames = () =>
  files.listed.filter(({ kind }) => kind === "mapping").map(({ path }) => nameOf(path).replace(/\.ya?ml$/, ""));

/** Makes a sample of an event: of the one that is shown, or of this one. @param {any} [given] */
function keepEvent(given) {
  const event = given ?? (chosen && "event" in chosen ? chosen.event : null);
  if (!event) return;
  const known = files.listed.filter(({ kind }) => kind === "samples").map(({ path }) => path);
  const taken = samples.all?.some((/** @type {any} */ one) => one.message_id === event.messageId);
  const name = taken ? `${event.messageId} changed` : (event.messageId ?? "");
  saveEvent(name, known.length ? known : ["tests/events/samples.ndjson"], async (file, messageId) => {
    const { id } = await post("/api/samples", { event: { ...event, messageId }, file });
    eventView.reset();
    samples.isCaught = false;
    await samples.load();
    samples.choose(id);
    weighSoon(true);
    toast(`Saved to ${file}`);
  });
}

/** @param {string} id */
function choosePanel(id) {
  select(byId("record-tabs"), id);
}

/** @param {string} what */
async function changed(what) {
  const all = what === "";
  try {
    if (all || what === "files") await files.refresh();
    if (all || what === "samples" || what === "files") await samples.load();
    if (all || what === "caught") await samples.loadCaught();
    if (all || what === "org") {
      await knowledge.loadOrg();
      await files.refresh();
    }
    if (files.about) drawProject();
    if (what !== "caught") refreshSoon(true);
    if (all || what === "samples" || what === "caught") await knowledge.loadPaths();
  } catch {
    // The stream says that the server is away, and calls again when it is back.
  }
}

function bind() {
  tabs(byId("pane-tabs"), (tab) => showPane(tab.id.replace("tab-", "")));
  tabs(byId("record-tabs"), (tab) => choosePanel(tab.id));
  byId("save").addEventListener("click", save);
  byId("revert").addEventListener("click", revert);
  byId("recipes").addEventListener("click", showRecipes);
  byId("new-mapping").addEventListener("click", startMapping);
  byId("accept").addEventListener("click", accept);
  byId("save-event").addEventListener("click", () => keepEvent());
  const toSamples = (/** @type {number} */ step) => samples.step(step);
  keys({
    j: () => toSamples(1),
    k: () => toSamples(-1),
    c: () => samples.toggleChanged(),
    u: () => (showPane("record"), choosePanel("tab-unread")),
    a: () => accept(),
    e: () => (showPane("mapping"), editor.focus()),
    r: () => showRecipes(),
    "/": () => (showPane("samples"), byId("search").focus()),
  });
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "F6") {
      event.preventDefault();
      cyclePanes(event.shiftKey ? -1 : 1, () => editor.focus());
    } else if (event.key === "F8" && !editor.hasFocus) {
      event.preventDefault();
      mistakes.next();
    } else if (event.key.toLowerCase() === "s" && (event.ctrlKey || event.metaKey) && !event.defaultPrevented) {
      event.preventDefault();
      save();
    }
  });
  window.addEventListener("beforeunload", (event) => {
    if (files.dirty.length) event.preventDefault();
  });
}

async function start() {
  bind();
  try {
    await files.refresh();
  } catch (error) {
    fill(byId("mistakes"), failure(/** @type {Error} */ (error).message, () => location.reload()));
    return;
  }
  drawProject();
  const first = files.listed.find(({ kind }) => kind === "mapping") ?? files.listed[0];
  window.addEventListener("hashchange", jumpToNamed);
  if (first) {
    if (!(await jumpToNamed())) await files.show(first.path);
    editor.focus();
  } else fill(byId("mistakes"), empty("No mapping yet", h("button", { type: "button", onclick: startMapping }, "New mapping")));
  refreshSoon(true);
  await Promise.all([samples.load(), samples.loadCaught(), knowledge.load().catch(() => {})]);
  weighSoon(true);
  follow({ url: streamUrl, onChange: changed, onState: drawConnection });
}

start();
