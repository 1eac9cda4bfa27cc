// @ts-check
/** Tabs by the rules of WAI-ARIA, the panes, and which of them a narrow window shows. */

import { byId } from "./dom.js";

export const isNarrow = () => window.matchMedia("(max-width: 1100px)").matches;

/**
 * Makes a list of tabs one tab stop: arrows, Home and End choose.
 *
 * @param {HTMLElement} list An element with role=tablist.
 * @param {(tab: HTMLElement) => unknown} onChoose
 */
export function tabs(list, onChoose) {
  const all = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll('[role="tab"]')].filter((tab) => !tab.hasAttribute("hidden")));
  list.addEventListener("click", (event) => {
    const tab = event.target instanceof Element && event.target.closest('[role="tab"]');
    if (tab instanceof HTMLElement) onChoose(tab);
  });
  list.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    const tab = event.target instanceof Element && event.target.closest('[role="tab"]');
    if (steps === undefined || !(tab instanceof HTMLElement)) return;
    event.preventDefault();
    const found = all();
    const next = found[Math.max(0, Math.min(found.length - 1, found.indexOf(tab) + steps))];
    next.focus();
    onChoose(next);
  });
}

/**
 * Selects a tab, and shows the panel that it controls.
 * @param {HTMLElement} list @param {string} id
 */
export function select(list, id) {
  for (const tab of list.querySelectorAll('[role="tab"]')) {
    const isSelected = tab.id === id;
    tab.setAttribute("aria-selected", String(isSelected));
    /** @type {HTMLElement} */ (tab).tabIndex = isSelected ? 0 : -1;
    const panel = document.getElementById(tab.getAttribute("aria-controls") ?? "");
    if (panel?.getAttribute("role") === "tabpanel") panel.hidden = !isSelected;
  }
}

const PANES = ["mapping", "samples", "record"];

/** Shows a pane, where a window shows one at a time. @param {string} pane */
export function showPane(pane) {
  byId("main").dataset.pane = pane;
  select(byId("pane-tabs"), `tab-${pane}`);
}

/**
 * Goes to the next pane, or to the one before.
 * @param {number} step @param {() => void} focusEditor
 */
export function cyclePanes(step, focusEditor) {
  const active = document.activeElement;
  const at = PANES.findIndex((pane) => byId(`${pane}-pane`).contains(active));
  const next = PANES[(at + step + PANES.length) % PANES.length];
  showPane(next);
  if (next === "mapping") focusEditor();
  else focusFirst(byId(`${next}-pane`));
}

/** @param {HTMLElement} pane */
function focusFirst(pane) {
  const stops = pane.querySelectorAll('[data-open][tabindex="0"], [role="tab"][tabindex="0"], input, button');
  const first = [...stops].find((stop) => /** @type {HTMLElement} */ (stop).offsetParent !== null);
  /** @type {HTMLElement | undefined} */ (first)?.focus();
}
