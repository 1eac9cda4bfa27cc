// @ts-check
/**
 * Binds single keys, except while the reader types, and the dialog with the help to `?`.
 *
 * @param {Record<string, (event: KeyboardEvent) => unknown>} actions By `KeyboardEvent.key`.
 */
export function keys(actions) {
  const help = /** @type {HTMLDialogElement | null} */ (document.getElementById("help"));
  const button = document.getElementById("show-help");
  if (help && button) {
    button.hidden = false;
    button.addEventListener("click", () => help.showModal());
  }
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented || isTyping(event)) return;
    if (document.querySelector("dialog[open]")) return;
    const action = event.key === "?" && help ? () => help.showModal() : actions[event.key];
    if (!action) return;
    event.preventDefault();
    action(event);
  });
}

/** @param {KeyboardEvent} event */
function isTyping(event) {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches("input:not([type=checkbox]), textarea, select");
}
