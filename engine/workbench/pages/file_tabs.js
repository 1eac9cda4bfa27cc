// @ts-check
/** The tabs of the files: name, number of mistakes, and whether it is saved. */

import { byId, fill, h, hiddenText } from "./dom.js";
import { tabs } from "./panes.js";

/**
 * @param {import("./files.js").Files} files
 * @param {(path: string) => {errors: number, warnings: number}} mistakesOf
 * @param {(path: string) => unknown} show
 */
export function fileTabs(files, mistakesOf, show) {
  const list = byId("files");
  tabs(list, (tab) => show(String(tab.dataset.path)));

  /** @param {{path: string, kind: string}} listed */
  const tab = ({ path, kind }) => {
    const file = files.open.get(path);
    const isActive = files.active?.path === path;
    const { errors, warnings } = mistakesOf(path);
    const isDirty = file && files.isDirty(file);
    return h(
      "button",
      {
        type: "button",
        role: "tab",
        "data-path": path,
        "data-key": `file ${path}`,
        "aria-selected": isActive ? "true" : "false",
        "aria-controls": "editor",
        tabindex: isActive ? 0 : -1,
        title: path,
        class: kind === "mapping" ? null : "other-file",
      },
      nameOf(path),
      errors > 0 && h("span.chip.bad", { title: `${errors} errors` }, String(errors), hiddenText(" errors")),
      !errors && warnings > 0 && h("span.chip.warn", { title: `${warnings} warnings` }, String(warnings), hiddenText(" warnings")),
      isDirty && h("span.unsaved", { title: "Not saved" }, "●", hiddenText(" not saved")),
    );
  };

  return () => {
    const shown = files.listed.filter(({ path, kind }) => kind !== "samples" || files.open.has(path));
    fill(list, ...shown.map(tab));
    byId("editor").setAttribute("aria-label", files.active?.path ?? "No file");
  };
}

/** @param {string} path */
export const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1);
