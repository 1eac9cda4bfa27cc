// @ts-check
/** What the event becomes: each record as a table of fields with their values and where they are from. */

import { byId, counted, empty, fill, h, hiddenText } from "./dom.js";
import { nameOf } from "./file_tabs.js";
import { rows } from "/static/look/table.js";

const WRITES = { always: "always written", create: "create only", update: "update only", empty: "only if empty", add: "added to what is there" };

/** @typedef {{file: string, line: number, column: number, end_column: number, text: string}} Source */

export class RecordView {
  /**
   * @param {(file: string, line: number, column?: number) => unknown} jump
   * @param {(file: string, line: number) => string} lineAt The text of a line of a file.
   */
  constructor(jump, lineAt) {
    this.jump = jump;
    this.lineAt = lineAt;
    /** @type {any[]} */
    this.results = [];
    /** @type {any[]} */
    this.gone = [];
    this.isStale = false;
    /** @type {string | null} The row that shows everything. */
    this.opened = null;
    this.place = byId("fields");
    this.place.dataset.rows = "";
    this.table = rows(this.place);
    this.place.addEventListener("keydown", (event) => this.onKey(event), true); // before the row that has the focus changes
    this.place.addEventListener("focusin", (event) => {
      const opener = event.target instanceof Element && event.target.closest("[data-open]");
      if (opener instanceof HTMLElement && opener.dataset.field !== this.opened && this.isByKeys) this.expand(opener.dataset.field ?? null);
    });
    this.isByKeys = false;
  }

  /**
   * @param {any[]} results
   * @param {any[]} gone Records that HEAD makes of the event, and these mappings do not.
   * @param {boolean} isStale
   */
  show(results, gone, isStale) {
    this.results = results;
    this.gone = gone;
    this.isStale = isStale;
    this.draw();
  }

  draw() {
    if (!this.results.length) {
      const why = this.isStale ? "The mappings have mistakes: they are listed below the editor." : "No mapping takes it.";
      fill(this.place, empty("Nothing comes of this event", why), ...this.gone.map((one) => this.goneRecord(one)));
      return;
    }
    const results = this.results.map((result, index) => this.result(result, index));
    fill(this.place, ...results, ...this.gone.map((one) => this.goneRecord(one)));
    this.table.settle();
  }

  /** @param {any} gone */
  goneRecord(gone) {
    return h(
      "section.result",
      { "aria-label": `No longer: ${gone.object}` },
      h("div.toolbar.result-head", {}, h("h2", {}, h("del", {}, `${gone.operation} ${gone.object}`)), h("span.chip.new", {}, "no longer made"), gone.match && h("code.clip", {}, gone.match)),
    );
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const opener = event.target instanceof HTMLElement && event.target.matches("[data-open]") ? event.target : null;
    if (!opener) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.jumpFrom(opener.dataset.field ?? "");
    }
    this.isByKeys = true;
    window.setTimeout(() => (this.isByKeys = false));
  }

  /** @param {string} key */
  jumpFrom(key) {
    const field = this.fieldOf(key);
    const at = field?.source ?? field?.rule;
    if (at) this.jump(at.file, at.line, at.column);
  }

  /** @param {string} key */
  fieldOf(key) {
    const [index, name] = [key.slice(0, key.indexOf(" ")), key.slice(key.indexOf(" ") + 1)];
    const result = this.results[Number(index)];
    return [...(result?.fields ?? []), ...(result?.removed ?? [])].find(({ field }) => field === name);
  }

  /** @param {string | null} key */
  expand(key) {
    this.opened = this.opened === key ? null : key;
    this.draw();
  }

  /** The row of the rule at a line, flashed. @param {string} file @param {number} from @param {number} to */
  jumpTo(file, from, to) {
    for (const [index, result] of this.results.entries()) {
      for (const field of result.fields ?? []) {
        const at = field.rule ?? field.source;
        if (at?.file !== file || at.line < from || at.line > to) continue;
        this.opened = `${index} ${field.field}`;
        this.draw();
        const opener = /** @type {HTMLElement} */ (this.place.querySelector(`[data-field="${CSS.escape(this.opened)}"]`));
        opener.focus();
        const row = opener.closest("tr");
        row?.scrollIntoView({ block: "center" });
        row?.classList.add("flash");
        return true;
      }
    }
    return false;
  }

  /** @param {any} result @param {number} index */
  result(result, index) {
    return h(
      "section.result",
      { "aria-label": `${result.operation ?? result.kind} ${result.object ?? ""}` },
      this.head(result),
      result.kind === "record" ? this.fields(result, index) : this.reason(result),
      result.left_out?.length > 0 && this.leftOut(result),
      result.no_value?.length > 0 && this.noValue(result),
    );
  }

  /** @param {any} result */
  head(result) {
    const place = `${nameOf(result.file ?? "")}`;
    return h(
      "div.toolbar.result-head",
      {},
      result.object
        ? h("h2", {}, result.kind === "record" ? `${result.operation} ${result.object}` : `${result.object}: ${result.kind}`)
        : h("h2", {}, result.kind),
      result.item > 0 && h("span.chip", {}, `item ${result.item}`),
      result.before?.kind && result.before.kind !== result.kind && h("span.chip.new", {}, result.before.kind === "none" ? "new" : `was ${result.before.kind}`),
      result.match && h("span.match", {}, h("span.quiet", {}, "by "), h("code", {}, result.match)),
      h("span.grow"),
      result.file && h("button.plain.small", { type: "button", onclick: () => this.jump(result.file, result.line ?? 1) }, place),
    );
  }

  /** @param {any} result */
  reason(result) {
    const at = result.reason_at;
    return h(
      "div.reason",
      {},
      h("p", { class: result.kind === "rejected" ? "note bad" : "note skip" }, h("b", {}, result.kind === "rejected" ? "Rejected: " : "Skipped: "), result.reason),
      at &&
        h(
          "button",
          { type: "button", onclick: () => this.jump(at.file, at.line) },
          h("span.quiet", {}, `${nameOf(at.file)}:${at.line}`),
          h("code.clip", {}, this.lineAt(at.file, at.line)),
        ),
    );
  }

  /** @param {any} result @param {number} index */
  fields(result, index) {
    const all = [...result.fields, ...(result.removed ?? []).map((/** @type {any} */ field) => ({ ...field, state: "removed" }))];
    if (!all.length) return empty("The record has no fields", "Add rules below fields:");
    const body = all.flatMap((field) => this.row(field, `${index} ${field.field}`));
    return h(
      "table.fields",
      {},
      h("caption.hidden-text", {}, `Fields of ${result.object}`),
      h("thead", {}, h("tr", {}, ...["Field", "Value", "From"].map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, ...body),
    );
  }

  /** @param {any} field @param {string} key */
  row(field, key) {
    const isOpen = this.opened === key;
    const { label, source } = field;
    const open = {
      type: "button",
      "data-open": "",
      "data-field": key,
      "data-key": `field ${key}`,
      "aria-expanded": String(isOpen),
      "aria-current": isOpen ? "true" : null,
      onclick: () => this.expand(key),
    };
    const isNamed = label && label !== field.field;
    return [
      h(
        "tr",
        { class: field.state === "same" ? null : `state-${field.state}` },
        h("th.field", { scope: "row" }, h("button", open, h("b", {}, label || field.field), isNamed && " ", isNamed && h("code.quiet", {}, field.field))),
        h("td.value", {}, ...this.value(field, isOpen), this.chips(field), isOpen && this.tried(field)),
        h("td.from", {}, source && this.from(source)),
      ),
    ];
  }

  /** @param {Source} source */
  from(source) {
    const { file, line, column, text } = source;
    const title = `${text} (${nameOf(file)}, line ${line})`;
    return h(
      "button.plain",
      { type: "button", tabindex: -1, title, onclick: () => this.jump(file, line, column) },
      h("code.lines-2", {}, text),
      h("span.quiet.small", {}, hiddenText("line "), String(line)),
    );
  }

  /** @param {any} field @param {boolean} isOpen */
  value(field, isOpen) {
    const { before, state } = field;
    const lines = isOpen ? "div.whole" : "div.lines-3";
    const now = state === "removed" ? null : h(lines, {}, shown(field));
    const old = before && before.value !== field.value ? before : state === "removed" ? (before ?? field) : null;
    return [old && h("del", { class: isOpen ? "whole" : "lines-3" }, hiddenText("was "), shown(old)), now];
  }

  /** @param {any} field */
  chips(field) {
    const { before, state, write } = field;
    const made = [];
    if (state === "removed") made.push(h("span.chip.new", {}, "no longer written"));
    else if (write && write !== "always") made.push(h("span.chip", {}, WRITES[/** @type {keyof WRITES} */ (write)] ?? write));
    for (const note of field.notes ?? []) made.push(h("span.chip.warn.wrap", {}, note));
    if (state === "new") made.push(h("span.chip.new", {}, "new"));
    if (before && state !== "removed" && (before.write ?? "always") !== (write ?? "always")) {
      made.push(h("span.chip.new", {}, `was: ${WRITES[/** @type {keyof WRITES} */ (before.write)] ?? before.write}`));
    }
    return made.length > 0 && h("div.chips", {}, ...made);
  }

  /** What was tried, in order, up to what was used. @param {any} field */
  tried(field) {
    const { tried = [], source } = field;
    const used = source && h("li", {}, h("code", {}, source.text), h("span.ok", {}, " ✓ used"));
    return h(
      "ol.tried",
      { "aria-label": "What was tried" },
      ...tried.map((/** @type {any} */ one) => h("li", {}, h("code", {}, one.source), h("span.quiet", {}, ` ${one.found}`))),
      used,
    );
  }

  /** @param {any} result */
  leftOut(result) {
    return h(
      "div.more",
      {},
      h("h3", {}, "Left out"),
      h("ul", {}, ...result.left_out.map((/** @type {any} */ field) => h("li", {}, h("b", {}, field.label || field.field), " ", ...this.why(field)))),
    );
  }

  /** @param {any} field */
  why(field) {
    const notes = (field.notes ?? []).join("; ");
    const value = shown(field);
    return [value && h("span.clip.inline", { title: value }, value), value && " ", h("span.chip.warn.wrap", {}, notes || "left out"), " ", field.source && this.placeOf(field.source)];
  }

  /** @param {Source} source */
  placeOf(source) {
    const go = () => this.jump(source.file, source.line, source.column);
    return h("button.plain.small", { type: "button", onclick: go }, `line ${source.line}`);
  }

  /** @param {any} result */
  noValue(result) {
    return h(
      "details.more",
      {},
      h("summary", {}, `No value: ${counted(result.no_value.length, "field")}`),
      h(
        "ul",
        {},
        ...result.no_value.map((/** @type {any} */ field) =>
          h("li", {}, h("b", {}, field.label || field.field), " ", h("code.quiet", {}, triedWords(field)), " ", field.source && this.placeOf(field.source)),
        ),
      ),
    );
  }
}

/** @param {any} field */
const shown = (field) => String(field.shown ?? field.value ?? "");

/** @param {any} field */
const triedWords = (field) => (field.tried ?? []).map((/** @type {any} */ one) => one.source).join(", ") || field.source?.text || "";
