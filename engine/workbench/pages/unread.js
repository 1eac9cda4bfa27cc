// @ts-check
/** What no rule reads of the event; *Map it* makes a rule of it. */

import { byId, empty, fill, h } from "./dom.js";

export class Unread {
  /** @param {(path: string) => unknown} mapIt */
  constructor(mapIt) {
    this.mapIt = mapIt;
    this.place = byId("unread");
  }

  /** @param {{path: string, value: unknown}[]} unread */
  show(unread) {
    const count = byId("unread-count");
    count.textContent = String(unread.length);
    count.hidden = unread.length === 0;
    if (!unread.length) {
      fill(this.place, empty("Every value is read", "Rules read all that the event has."));
      return;
    }
    fill(
      this.place,
      h(
        "table.unread",
        {},
        h("caption.hidden-text", {}, "What no rule reads"),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "In the event"), h("th", { scope: "col" }, "Value"), h("th.number", { scope: "col" }, h("span.hidden-text", {}, "Rule")))),
        h("tbody", {}, ...unread.map((one) => this.row(one))),
      ),
    );
  }

  /** @param {{path: string, value: unknown}} one */
  row({ path, value }) {
    const shown = typeof value === "string" ? value : JSON.stringify(value);
    const button = { type: "button", "data-key": `map ${path}`, "aria-label": `Map it: ${path}`, onclick: () => this.mapIt(path) };
    return h(
      "tr",
      {},
      h("td", {}, h("code.path", {}, path)),
      h("td", {}, h("div.lines-3", { title: shown }, shown)),
      h("td.number", {}, h("button", button, "Map it")),
    );
  }
}
