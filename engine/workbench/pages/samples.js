// @ts-check
/** The list of samples, each with what it becomes and how much of that changed; or of events that a service caught. */

import { ask, post } from "./api.js";
import { byId, counted, empty, failure, fill, h, hiddenText, skeleton } from "./dom.js";
import { isNarrow, showPane } from "./panes.js";
import { rows } from "/static/look/table.js";

const FATES = {
  fine: { dot: "span.dot", words: "fine" },
  notes: { dot: "span.dot.warn", words: "with notes" },
  skipped: { dot: "span.dot.skip", words: "skipped" },
  rejected: { dot: "span.dot.bad", words: "rejected" },
};

export class Samples {
  /**
   * @param {import("./files.js").Files} files
   * @param {(chosen: {sample: string} | {event: unknown}, title: string) => unknown} onChoose
   */
  constructor(files, onChoose) {
    this.files = files;
    this.onChoose = onChoose;
    /** @type {any[] | null} */
    this.all = null;
    /** @type {Map<string, {state: keyof typeof FATES, becomes: string[], changed: number | null}>} */
    this.fates = new Map();
    this.changed = 0;
    /** How many samples have another snapshot, or none. */
    this.snapshots = 0;
    this.isCompared = false;
    /** @type {{events: any[], message: string | null}} */
    this.caught = { events: [], message: null };
    this.isCaught = false;
    this.isOnlyChanged = false;
    this.words = "";
    /** @type {string | null} */
    this.chosen = null;
    /** @type {string | null} */
    this.failure = null;
    this.onFates = () => {};
    this.list = byId("samples");
    this.list.dataset.rows = "";
    this.table = rows(this.list);
    fill(this.list, skeleton(8));
    byId("search").addEventListener("input", (event) => {
      this.words = /** @type {HTMLInputElement} */ (event.target).value.toLowerCase();
      this.show();
    });
    byId("changed").addEventListener("click", () => this.toggleChanged());
    byId("caught").addEventListener("click", () => this.toggleCaught());
  }

  async load() {
    try {
      this.all = await ask("/api/samples");
      this.failure = null;
    } catch (error) {
      this.failure = /** @type {Error} */ (error).message;
    }
    this.show();
    if (this.chosen === null && this.all?.length) this.choose(this.all[0].id);
  }

  async loadCaught() {
    try {
      this.caught = await ask("/api/caught");
    } catch (error) {
      this.caught = { events: this.caught.events, message: /** @type {Error} */ (error).message };
    }
    this.show();
  }

  /** What becomes of each, with the texts that are not saved. @param {AbortSignal} [signal] */
  async weigh(signal) {
    const answer = await post("/api/render-all", { files: this.files.unsaved() }, signal);
    if (!answer) return; // a newer one is on its way
    this.fates = new Map(answer.samples.map((/** @type {any} */ sample) => [sample.id, sample]));
    this.isCompared = Boolean(this.files.about?.head);
    this.changed = answer.changed ?? 0;
    this.snapshots = answer.snapshots;
    this.show();
    this.onFates();
  }

  /** @param {string} id */
  choose(id) {
    this.chosen = id;
    this.show();
    const event = this.isCaught && this.caught.events.find((one) => one.id === id);
    const title = (event || this.all?.find((one) => one.id === id))?.title ?? "";
    this.onChoose(event ? { event: event.event } : { sample: id }, title);
  }

  toggleChanged() {
    if (!this.isCompared) return;
    this.isOnlyChanged = !this.isOnlyChanged;
    this.show();
  }

  toggleCaught() {
    this.isCaught = !this.isCaught;
    this.show();
  }

  /** The next sample, or the one before. @param {number} step */
  step(step) {
    const shown = this.shown();
    if (!shown.length) return;
    const at = shown.findIndex(({ id }) => id === this.chosen);
    this.choose(shown[at < 0 ? 0 : Math.max(0, Math.min(shown.length - 1, at + step))].id);
    const row = this.list.querySelector('[aria-current="true"]');
    row?.scrollIntoView({ block: "nearest" });
    if (this.list.contains(document.activeElement)) /** @type {HTMLElement} */ (row)?.focus();
  }

  shown() {
    const all = this.isCaught ? this.caught.events : (this.all ?? []);
    return all.filter(
      (one) =>
        (!this.words || `${one.title} ${one.type} ${one.message_id}`.toLowerCase().includes(this.words)) &&
        (!this.isOnlyChanged || this.isCaught || (this.fates.get(one.id)?.changed ?? 0) > 0),
    );
  }

  show() {
    byId("changed").hidden = !this.isCompared || this.isCaught;
    byId("changed").setAttribute("aria-pressed", String(this.isOnlyChanged));
    byId("changed-count").textContent = String(this.changed);
    byId("caught").setAttribute("aria-pressed", String(this.isCaught));
    byId("caught-count").textContent = String(this.caught.events.length);
    if (this.failure && !this.all) {
      fill(this.list, failure(this.failure, () => this.load()));
      return;
    }
    if (!this.all) return;
    const shown = this.shown();
    if (!shown.length) fill(this.list, this.nothing());
    else fill(this.list, this.tableOf(shown));
    this.table.settle();
  }

  nothing() {
    if (this.isCaught && this.caught.events.length === 0) {
      return empty("No events caught", this.caught.message ?? "Start sfmap serve in this project: its last events appear here.");
    }
    if (this.words) {
      const all = h("button", { type: "button", onclick: () => this.clear() }, "Show all");
      return empty(`Nothing matches “${this.words}”`, all);
    }
    if (this.isOnlyChanged) {
      const all = h("button", { type: "button", onclick: () => this.toggleChanged() }, "Show all");
      return empty("No sample changed against HEAD", all);
    }
    return empty("No samples yet", "Put events into a file of samples, one a line, or save one that a service caught.");
  }

  clear() {
    this.words = "";
    /** @type {HTMLInputElement} */ (byId("search")).value = "";
    this.show();
  }

  /** @param {any[]} shown */
  tableOf(shown) {
    const heads = this.isCaught
      ? [h("th.event-column", { scope: "col" }, "Event"), h("th", { scope: "col" }, "Came")]
      : [
          h("th.dot-column", { scope: "col" }, hiddenText("Outcome")),
          h("th.event-column", { scope: "col" }, "Event"),
          h("th", { scope: "col" }, "Becomes"),
          this.isCompared && h("th", { scope: "col" }, "Against HEAD"),
        ];
    const body = shown.map((one) => (this.isCaught ? this.caughtRow(one) : this.row(one)));
    return h("table", {}, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...body));
  }

  /** @param {any} one */
  opener(one) {
    const about = [one.type, one.message_id].filter(Boolean).join(" · ");
    const open = { type: "button", "data-open": "", "data-key": `sample ${one.id}`, "aria-current": one.id === this.chosen ? "true" : null };
    return h(
      "td.event-column",
      {},
      h("button.clip", { ...open, title: `${one.title} ${about}`, onclick: () => (this.choose(one.id), isNarrow() && showPane("record")) }, h("b", {}, one.title), " ", h("span.quiet.small", {}, about)),
    );
  }

  /** @param {any} one */
  row(one) {
    const fate = this.fates.get(one.id);
    const { dot, words } = FATES[fate?.state ?? "fine"];
    const isSkipped = fate?.state === "skipped" || fate?.state === "rejected";
    const becomes = !fate ? "" : isSkipped ? words : fate.becomes.join(", ");
    return h(
      "tr",
      {},
      h("td.dot-column", {}, fate && h(dot, { title: words }), fate && hiddenText(words)),
      this.opener(one),
      h("td.nowrap", { class: isSkipped ? "quiet" : null }, becomes),
      this.isCompared && h("td.nowrap", {}, fate && change(fate.changed)),
    );
  }

  /** @param {any} one */
  caughtRow(one) {
    return h("tr", {}, this.opener(one), h("td.nowrap.quiet", {}, new Date(one.came * 1000).toLocaleString([], { dateStyle: "short", timeStyle: "medium" })));
  }
}

/** @param {number | null} changed */
const change = (changed) => (changed ? h("span.chip.new", {}, `${changed} changed`) : h("span.quiet.small", {}, "same"));

/** @param {number} count */
export const changedSnapshots = (count) => counted(count, "changed snapshot");
