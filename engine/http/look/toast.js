// @ts-check
const USUAL_SECONDS = 5;

/**
 * Shows a short message, with an action if one is given. Returns what takes it away.
 *
 * @param {string} text
 * @param {{action?: string, onAction?: () => unknown, seconds?: number}} [options]
 */
export function toast(text, { action, onAction, seconds = USUAL_SECONDS } = {}) {
  const shown = document.createElement("div");
  shown.className = "toast";
  const words = document.createElement("span");
  words.textContent = text;
  shown.append(words);
  const close = () => shown.remove();
  if (action && onAction) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = action;
    button.addEventListener("click", () => {
      close();
      onAction();
    });
    shown.append(button);
  }
  document.getElementById("toasts")?.append(shown);
  window.setTimeout(close, seconds * 1_000);
  return close;
}
