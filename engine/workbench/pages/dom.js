// @ts-check
/** Makes elements. Texts are always set as text, so no value of an event can become markup. */

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * @param {string} tag A tag, perhaps with classes: `span.chip.new`.
 * @param {Record<string, any>} [attributes] `onclick` and the like are listeners; false and null are left out.
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}

/**
 * Text that only screen readers read.
 * @param {string} text
 */
export const hiddenText = (text) => h("span.hidden-text", {}, text);

/**
 * `1 field`, `2 fields`.
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export const counted = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** @type {EventTarget | null} Where the pointer is pressed. */
let pressed = null;
/** @type {Map<HTMLElement, Child[]>} What elements with a pressed one in them show afterwards. */
const postponed = new Map();

document.addEventListener("pointerdown", ({ target, button }) => (pressed = button === 0 ? target : null), true);
document.addEventListener("click", () => (pressed = null), true);
for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => window.setTimeout(released), true);

function released() {
  pressed = null;
  for (const [element, children] of postponed) fill(element, ...children);
}

/**
 * Replaces the children of an element. The focus stays on the element with the same `data-key`, and the scroll as it is.
 * While one of the children is pressed they stay: a button that is replaced then gets no click.
 * @param {HTMLElement} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  if (pressed instanceof Node && element.contains(pressed)) {
    postponed.set(element, children);
    return;
  }
  postponed.delete(element);
  const focused = document.activeElement;
  const key = element.contains(focused) ? focused?.getAttribute("data-key") : null;
  const { scrollTop, scrollLeft } = element;
  element.replaceChildren(...children.filter((child) => child !== null && child !== undefined && child !== false));
  element.scrollTop = scrollTop;
  element.scrollLeft = scrollLeft;
  if (key) /** @type {HTMLElement | null} */ (element.querySelector(`[data-key="${CSS.escape(key)}"]`))?.focus({ preventScroll: true });
}

/** Lines that stand for data that is on its way. They show after 150 ms. */
export const skeleton = (lines = 4) =>
  h("div", { "aria-hidden": "true" }, ...Array.from({ length: lines }, () => h("div.skeleton")));

/**
 * @param {string} words What there is nothing of.
 * @param {...Child} next The one next step.
 */
export const empty = (words, ...next) => h("div.empty", {}, h("b", {}, words), ...next);

/**
 * @param {string} sentence
 * @param {() => unknown} again
 */
export const failure = (sentence, again) =>
  h("div.note.bad.failure", {}, h("span", {}, sentence), h("button", { type: "button", onclick: again }, "Try again"));
