// @ts-check
/** Adds keys, copying and finding to the pages of the local org, which work without it. */
import { keys } from "/static/look/keys.js";
import { rows } from "/static/look/table.js";
import { toast } from "/static/look/toast.js";

const find = /** @type {HTMLInputElement} */ (document.getElementById("find-object"));
const search = /** @type {HTMLInputElement | null} */ (document.getElementById("search"));
const list = /** @type {HTMLElement | null} */ (document.querySelector("[data-rows]"));
const table = list ? rows(list) : null;

find.hidden = false;
find.addEventListener("input", () => {
  const wanted = find.value.trim().toLowerCase();
  for (const item of document.querySelectorAll(".side [data-objects] li")) {
    /** @type {HTMLElement} */ (item).hidden = !item.textContent?.toLowerCase().includes(wanted);
  }
});
find.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  const first = document.querySelector(".side [data-objects] li:not([hidden]) a");
  if (first instanceof HTMLElement) first.click();
});

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!(button instanceof HTMLElement)) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy ?? "");
    toast("Copied");
  });
}

keys({
  "/": () => search?.focus(),
  o: () => find.focus(),
  j: () => table?.move(1),
  k: () => table?.move(-1),
});
document.querySelector('[data-open][aria-current="true"]')?.scrollIntoView({ block: "nearest" });
