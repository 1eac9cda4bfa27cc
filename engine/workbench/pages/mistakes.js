// @ts-check
/** Mistakes in the mappings: underlined in the editor, listed below it, with fixes as buttons. */

import { post } from "./api.js";
import { byId, counted, fill, h } from "./dom.js";
import { offsetOf } from "./editor.js";
import { nameOf } from "./file_tabs.js";

const SIGNS = { error: "✕", warning: "▲", info: "●", hint: "●" };

/** @typedef {{file: string, line: number, column: number, end_line: number, end_column: number, severity: "error" | "warning" | "info", kind: string, message: string, hint: string | null, fixes: {title: string, file: string, line: number, column: number, end_line: number, end_column: number, text: string}[]}} Mistake */

export class Mistakes {
  /**
   * @param {import("./files.js").Files} files
   * @param {import("./editor.js").Editor} editor
   * @param {(file: string, line: number, column?: number) => unknown} jump
   */
  constructor(files, editor, jump) {
    this.files = files;
    this.editor = editor;
    this.jump = jump;
    /** @type {Mistake[]} */
    this.found = [];
    /** @type {{fields: number, against: string} | null} */
    this.checked = null;
    /** @type {string | null} */
    this.failure = null;
    this.onChange = () => {};
  }

  /** @param {AbortSignal} [signal] */
  async check(signal) {
    const answer = await post("/api/check", { files: this.files.unsaved() }, signal);
    this.found = answer.diagnostics;
    this.checked = answer;
    this.failure = null;
    this.mark();
    this.show();
    this.onChange();
  }

  /** @param {string} path */
  of(path) {
    const here = this.found.filter(({ file }) => file === path);
    const errors = here.filter(({ severity }) => severity === "error").length;
    return { errors, warnings: here.length - errors };
  }

  get errors() {
    return this.found.filter(({ severity }) => severity === "error");
  }

  /** Underlines those of the file in the editor. */
  mark() {
    const { doc } = this.editor.state;
    const here = this.found.filter(({ file }) => file === this.files.active?.path);
    this.editor.mark(
      here.map((mistake) => {
        const from = offsetOf(doc, mistake.line, mistake.column);
        const to = offsetOf(doc, mistake.end_line, mistake.end_column);
        return {
          from,
          to: Math.max(from, to),
          severity: mistake.severity,
          message: mistake.message,
          renderMessage: () =>
            h("div", {}, h("div", {}, mistake.message), mistake.hint && h("div.quiet", {}, sentence(mistake.hint))),
          actions: mistake.fixes.map((fix) => ({ name: fix.title, apply: () => this.fix(fix) })),
        };
      }),
    );
  }

  show() {
    const panel = byId("mistakes");
    if (!this.checked) return;
    const fields = counted(this.checked.fields, "field");
    if (!this.found.length) {
      const words = h("span.ok", {}, "✓ No mistakes");
      fill(panel, h("p.all-well", {}, words, ` ${fields}, ${against(this.checked.against)}`));
      return;
    }
    fill(panel, h("ul", {}, ...this.sorted().map((mistake) => this.item(mistake))));
  }

  /** Those of the file that is shown first, and errors before warnings. */
  sorted() {
    const rank = (/** @type {Mistake} */ one) => (one.file === this.files.active?.path ? 0 : 2) + (one.severity === "error" ? 0 : 1);
    return this.found.toSorted((one, other) => rank(one) - rank(other));
  }

  /** Goes to the next one after the cursor, in this file or the next. */
  next() {
    const path = this.files.active?.path ?? "";
    const { doc } = this.editor.state;
    const order = this.found.toSorted((one, other) => (one.file === other.file ? one.line - other.line || one.column - other.column : one.file < other.file ? -1 : 1));
    const isAfter = (/** @type {Mistake} */ one) => (one.file === path ? offsetOf(doc, one.line, one.column) > this.editor.cursor : one.file > path);
    const next = order.find(isAfter) ?? order[0];
    if (next) this.jump(next.file, next.line, next.column);
  }

  /** @param {Mistake} mistake */
  item(mistake) {
    const { file, line, column, severity, message, hint } = mistake;
    const go = () => this.jump(file, line, column);
    return h(
      "li",
      {},
      h(
        "button.plain",
        { type: "button", onclick: go, "data-key": `mistake ${file}:${line}:${column} ${message}` },
        h("span", { class: severity === "error" ? "bad" : "warn" }, `${SIGNS[severity]} ${severity}`),
        h("code", {}, `${nameOf(file)}:${line}:${column}`),
        h("span.message", {}, message, hint && h("span.quiet", {}, ` ${hint}`)),
      ),
      ...mistake.fixes.map((fix) =>
        h("button.fix", { type: "button", onclick: () => this.fix(fix), "data-key": `fix ${fix.title} ${line}` }, fix.title),
      ),
    );
  }

  /** Puts the text of a fix where it belongs. @param {Mistake["fixes"][number]} fix */
  async fix(fix) {
    await this.files.show(fix.file);
    const { doc } = this.editor.state;
    const from = offsetOf(doc, fix.line, fix.column);
    const to = offsetOf(doc, fix.end_line, fix.end_column);
    this.editor.view.dispatch({ changes: { from, to, insert: fix.text }, userEvent: "input" });
    this.jump(fix.file, fix.line, fix.column);
  }
}

/** @param {string} against */
const against = (against) => (against ? `checked against ${against}` : "not checked against an org");

/** @param {string} text */
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
