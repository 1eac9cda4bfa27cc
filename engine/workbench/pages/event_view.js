// @ts-check
/** The event itself, and trying what would come of another one. */

import { byId, fill, h } from "./dom.js";

export class EventView {
  /**
   * @param {(event: unknown) => unknown} onTry Called with an event that was edited.
   * @param {(event: unknown) => unknown} onSave Called with one that is to be a sample.
   */
  constructor(onTry, onSave) {
    this.onTry = onTry;
    this.onSave = onSave;
    this.place = byId("event");
    this.event = null;
    this.isEditing = false;
  }

  /** @param {unknown} event */
  show(event) {
    this.event = event;
    if (!this.isEditing) this.draw();
  }

  /** Another event was chosen: what was edited is given up. */
  reset() {
    this.isEditing = false;
  }

  draw() {
    const text = JSON.stringify(this.event, null, 2) ?? "";
    const edit = h("button", { type: "button", onclick: () => this.edit(text) }, "Change and try");
    const copy = h("button", { type: "button", onclick: () => navigator.clipboard?.writeText(text) }, "Copy");
    fill(this.place, h("div.toolbar", {}, edit, copy), h("pre.json", {}, ...colored(text)));
  }

  /** @param {string} text */
  edit(text) {
    this.isEditing = true;
    const area = /** @type {HTMLTextAreaElement} */ (h("textarea.event-text", { "aria-label": "The event, as JSON", spellcheck: "false", "aria-describedby": "event-said" }));
    area.value = text;
    const said = h("p.small.quiet", { id: "event-said", role: "status" }, "The record follows what you type. Nothing is saved.");
    area.addEventListener("input", () => {
      try {
        const event = JSON.parse(area.value);
        said.textContent = "The record follows what you type. Nothing is saved.";
        this.onTry(event);
      } catch (error) {
        said.textContent = `This is not JSON yet: ${/** @type {Error} */ (error).message}`;
      }
    });
    const done = h("button", { type: "button", onclick: () => (this.reset(), this.draw()) }, "Done");
    const save = () => {
      try {
        this.onSave(JSON.parse(area.value));
      } catch {
        area.focus(); // the line above says what is wrong
      }
    };
    fill(this.place, h("div.toolbar", {}, done, h("button", { type: "button", onclick: save }, "Save as a sample"), said), area);
    area.setSelectionRange(0, 0);
    area.focus();
  }
}

/** The text with its names, texts and numbers told apart. @param {string} text */
function colored(text) {
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g)) {
    parts.push(text.slice(at, found.index));
    const kind = found[2] ? "json-name" : found[1] ? "json-text" : "json-other";
    parts.push(h(`span.${kind}`, {}, found[1] ?? found[0]));
    if (found[2]) parts.push(found[2]);
    at = found.index + found[0].length;
  }
  return [...parts, text.slice(at)];
}
