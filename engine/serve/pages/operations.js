// @ts-check
/** Makes the operations page live: parts of it are replaced by the same parts of a newer page from the server. */

import { follow } from "/static/look/live.js";
import { keys } from "/static/look/keys.js";
import { rows } from "/static/look/table.js";
import { toast } from "/static/look/toast.js";

const TYPING_PAUSE = 250;
const REST = 8; // The page is renewed at most so that the server rests for so many times as long as it worked.
const STILL = new Set(["failures", "events", "detail"]); // What must not move under the reader.

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
/** @type {Map<string, ReturnType<typeof rows>>} */
const lists = new Map();
let asked = 0;
let isRenewing = false;
let isStale = false;

document.documentElement.classList.add("with-script");

/** @param {string} name */
const region = (name) => /** @type {HTMLElement | null} */ (document.querySelector(`[data-region="${name}"]`));

/** The page of an address as a document, which is never run. @param {string} href */
async function fetched(href) {
  const answer = await fetch(href, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(await answer.text());
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/**
 * Replaces regions by those of a newer page, and keeps the focus, what is scrolled and what is typed.
 *
 * @param {Document} page
 * @param {(name: string) => boolean} isWanted
 */
function replace(page, isWanted) {
  const focus = document.activeElement?.getAttribute("data-key");
  const typed = document.activeElement instanceof HTMLInputElement ? document.activeElement : null;
  for (const newer of page.querySelectorAll("[data-region]")) {
    const name = String(newer.getAttribute("data-region"));
    const older = region(name);
    if (!older) {
      insertHour(name, newer);
      continue;
    }
    if (!isWanted(name) || older.outerHTML === newer.outerHTML) continue;
    const scrolled = [...older.querySelectorAll(".scroll")].map((one) => one.scrollTop);
    older.replaceWith(document.adoptNode(newer));
    [...newer.querySelectorAll(".scroll")].forEach((one, place) => (one.scrollTop = scrolled[place] ?? 0));
  }
  const newer = page.getElementById("main");
  if (newer) main.className = newer.className;
  document.title = page.title;
  settle();
  if (focus && document.activeElement === document.body) focusOn(focus, typed);
}

/** The hour has no place in a page of a service without a history. @param {string} name @param {Element} newer */
function insertHour(name, newer) {
  if (name === "hour") region("figures")?.after(document.adoptNode(newer));
}

/** @param {string} key @param {HTMLInputElement | null} typed */
function focusOn(key, typed) {
  const found = /** @type {HTMLElement | null} */ (document.querySelector(`[data-key="${CSS.escape(key)}"]`));
  found?.focus({ preventScroll: true });
  if (typed && found instanceof HTMLInputElement) {
    found.value = typed.value;
    found.setSelectionRange(typed.selectionStart, typed.selectionEnd);
  }
}

function settle() {
  for (const name of ["failures", "events"]) {
    const table = /** @type {HTMLElement | null} */ (region(name)?.querySelector("[data-rows]"));
    if (table && !table.dataset.isList) {
      table.dataset.isList = "true";
      lists.set(name, rows(table));
    }
    if (!table) lists.delete(name);
  }
}

/** Goes to an address of this page, as a link does. @param {string} href @param {boolean} [isNew] */
async function go(href, isNew = true) {
  const turn = (asked += 1);
  const stale = window.setTimeout(() => region("events")?.classList.add("stale"), 150);
  try {
    const page = await fetched(href);
    if (turn !== asked) return;
    if (isNew) history.pushState(null, "", href);
    const wasOpen = main.classList.contains("shows-detail");
    replace(page, () => true);
    const isOpen = main.classList.contains("shows-detail");
    if (isOpen && !wasOpen && matchMedia("(max-width: 1000px)").matches) {
      document.getElementById("close")?.focus();
    }
  } catch (error) {
    if (turn === asked) failed(error, () => go(href, isNew));
  } finally {
    window.clearTimeout(stale);
    region("events")?.classList.remove("stale");
  }
}

/** @param {unknown} error @param {() => unknown} again */
function failed(error, again) {
  const words = error instanceof TypeError ? "The service does not answer." : String(/** @type {Error} */ (error).message);
  toast(words.slice(0, 300), { action: "Try again", onAction: again });
}

/** Whether the reader is at that list or event: then it stays as it is. @param {string} name */
function isInUse(name) {
  const found = region(name);
  if (!found || !STILL.has(name)) return false;
  if (name === "detail") return !found.querySelector("#retry") && found.matches(":hover, :focus-within");
  const isScrolled = [...found.querySelectorAll(".scroll")].some((one) => one.scrollTop > 0);
  return isScrolled || found.matches(":hover") || found.contains(document.activeElement);
}

/** Renews what has changed, but nothing under the reader's hands: that is offered. */
async function renew() {
  if (isRenewing) {
    isStale = true;
    return;
  }
  isRenewing = true;
  const began = performance.now();
  const href = location.href;
  const turn = asked;
  try {
    const page = await fetched(href);
    if (turn === asked) {
      const isKept = new Map([...STILL].map((name) => [name, isInUse(name)]));
      offer(page, isKept.get("events") === true);
      replace(page, (name) => !isKept.get(name) && (name !== "detail" || isOtherDetail(page)));
    }
  } catch {
    // The stream says whether the service is away.
  }
  window.setTimeout(() => {
    isRenewing = false;
    if (isStale) {
      isStale = false;
      renew();
    }
  }, Math.max(500, (performance.now() - began) * REST));
}

/** @param {Document} page */
function isOtherDetail(page) {
  const newer = page.querySelector('[data-region="detail"]')?.getAttribute("data-version");
  return newer !== region("detail")?.getAttribute("data-version");
}

/** Offers a list that has changed to the reader of the old one. @param {Document} page @param {boolean} isKept */
function offer(page, isKept) {
  const button = document.getElementById("newer");
  const first = (/** @type {Document} */ of) => of.querySelector('[data-region="events"] [data-open]')?.getAttribute("data-key");
  if (button && isKept && first(page) !== first(document)) button.hidden = false;
}

/** Sends a form, and stays where the reader is. @param {HTMLFormElement} form */
async function act(form) {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) body.append(name, String(value));
  try {
    const answer = await fetch(form.action, { method: "POST", body });
    if (!answer.ok) throw new Error(await answer.text());
    const said = new URL(answer.url).searchParams;
    const undo = form.dataset.undo;
    if (said.get("said")) toast("It was too late: the dead letter is discarded.");
    else if (undo) offerUndo(undo, body);
    else toast(`${form.dataset.act}.`);
    replace(await fetched(location.href), () => true);
  } catch (error) {
    failed(error, () => act(form));
  }
}

/** @param {string} number @param {URLSearchParams} sent */
function offerUndo(number, sent) {
  toast("Discarded.", {
    action: "Undo",
    seconds: 10,
    onAction: async () => {
      const body = new URLSearchParams({ token: String(sent.get("token")), number });
      const answer = await fetch("/undo", { method: "POST", body });
      toast(new URL(answer.url).searchParams.get("said") ? "It was too late: the dead letter is discarded." : "Not discarded.");
      replace(await fetched(location.href), () => true);
    },
  });
}

/** The address of the filters as they are set. @param {HTMLFormElement} form */
function filtered(form) {
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value) asked.append(name, String(value));
  return `/?${asked}`;
}

/** @type {number | undefined} */
let typing;

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const link = target?.closest("a[data-swap]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    go(String(link.getAttribute("href")));
  } else if (target?.closest("#newer")) {
    go(location.href, false).then(() => lists.get("events")?.move(0));
  }
});

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.method === "dialog") return;
  if (form.classList.contains("filters")) {
    event.preventDefault();
    go(filtered(form));
  } else if (form.dataset.act) {
    event.preventDefault();
    act(form);
  }
});

document.addEventListener("input", (event) => {
  const form = event.target instanceof Element ? event.target.closest("form.filters") : null;
  if (!(form instanceof HTMLFormElement)) return;
  window.clearTimeout(typing);
  const isText = event.target instanceof HTMLInputElement;
  typing = window.setTimeout(() => go(filtered(form)), isText ? TYPING_PAUSE : 0);
});

document.addEventListener("keydown", (event) => {
  const at = document.activeElement;
  if (!at?.closest(".chart") || !["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
  const all = /** @type {SVGAElement[]} */ ([...document.querySelectorAll(".chart a")]);
  const place = all.indexOf(/** @type {SVGAElement} */ (/** @type {unknown} */ (at)));
  const to = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: all.length - 1 }[event.key] ?? place;
  const next = all[Math.max(0, Math.min(all.length - 1, to))];
  event.preventDefault();
  for (const one of all) one.setAttribute("tabindex", one === next ? "0" : "-1");
  next.focus();
});

window.addEventListener("popstate", () => go(location.href, false));

const button = /** @type {HTMLButtonElement} */ (document.getElementById("live"));
const words = /** @type {HTMLElement} */ (document.getElementById("live-words"));
const live = follow({
  url: "/stream",
  onChange: renew,
  onState: (state) => {
    const texts = { live: "Live", paused: "Paused", away: "Not connected, trying again" };
    words.textContent = texts[state];
    button.hidden = false;
    button.setAttribute("aria-pressed", String(state !== "paused"));
    const dot = button.querySelector(".dot");
    if (dot) dot.className = `dot${state === "live" ? "" : state === "away" ? " bad" : " skip"}`;
    if (state === "live") document.body.removeAttribute("data-away");
    if (state === "away") document.body.setAttribute("data-away", "");
  },
});
const toggle = () => (live.isPaused() ? live.resume() : live.pause());
button.addEventListener("click", toggle);

keys({
  j: () => lists.get("events")?.move(1),
  k: () => lists.get("events")?.move(-1),
  "/": () => document.getElementById("search")?.focus(),
  r: () => document.getElementById("retry")?.click(),
  p: toggle,
  Escape: () => document.getElementById("close")?.click(),
});
settle();
