// @ts-check
/**
 * Makes a list of rows one tab stop: arrows, j and k, Home and End move, Enter or a click opens.
 *
 * Each row has one link or button with `data-open`. Rows may be replaced at any time: call `settle` afterwards.
 *
 * @param {HTMLElement} list An element with `data-rows`.
 * @returns {{settle: () => void, move: (steps: number) => void}}
 */
export function rows(list) {
  const openers = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[data-open]")]);

  /** The row that Tab reaches: the one with the focus, else the open one, else the first. */
  function settle() {
    const all = openers();
    const stop =
      all.find((one) => one === document.activeElement) ??
      all.find((one) => one.getAttribute("aria-current") === "true") ??
      all[0];
    for (const one of all) one.tabIndex = one === stop ? 0 : -1;
  }

  /** @param {HTMLElement | undefined} opener */
  function go(opener) {
    if (!opener) return;
    opener.focus();
    opener.scrollIntoView({ block: "nearest" });
    settle();
  }

  /** @param {number} steps */
  function move(steps) {
    const all = openers();
    const at = all.findIndex((one) => one.tabIndex === 0);
    const isInside = list.contains(document.activeElement);
    go(all[Math.max(0, Math.min(all.length - 1, isInside ? at + steps : at))]);
  }

  list.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (!(event.target instanceof HTMLElement) || !event.target.matches("[data-open]")) return;
    const all = openers();
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowDown: () => move(1),
      ArrowUp: () => move(-1),
      j: () => move(1),
      k: () => move(-1),
      Home: () => go(all[0]),
      End: () => go(all.at(-1)),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });

  list.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || event.target.closest("a, button, input, select, label")) return;
    if (window.getSelection()?.toString()) return; // the reader is marking text
    const opener = event.target.closest("tr, li")?.querySelector("[data-open]");
    if (opener instanceof HTMLElement) opener.click();
  });

  list.addEventListener("focusin", settle);
  settle();
  return { settle, move };
}
