// @ts-check
/** How alike two names are, and how well an option fits what was typed. */

/** @param {string} name `AnnualRevenue`, `annual_revenue__c`, `traits.annualRevenue` → `annual revenue` */
export const words = (name) =>
  name
    .replace(/__[a-z]+$/i, "")
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
    .join(" ");

/** @param {string} text */
function pairs(text) {
  const letters = text.replaceAll(" ", "");
  return new Set(Array.from({ length: Math.max(letters.length - 1, 0) }, (_, at) => letters.slice(at, at + 2)));
}

/** From 0 to 1. @param {string} one @param {string} other Both as `words` gives them. */
export function likeness(one, other) {
  if (!one || !other) return 0;
  if (one.replaceAll(" ", "") === other.replaceAll(" ", "")) return 1;
  const [mine, theirs] = [pairs(one), pairs(other)];
  const shared = [...mine].filter((pair) => theirs.has(pair)).length;
  const alike = (2 * shared) / (mine.size + theirs.size || 1);
  const lastIsSame = one.split(" ").at(-1) === other.split(" ").at(-1);
  return Math.min(0.99, alike + (lastIsSame ? 0.2 : 0));
}

/** The last two names of a source path: `traits.company.name` → `company name`. @param {string} path */
export const tailOf = (path) => words(path.replace(/\[[^\]]*\]$/, "").split(".").slice(1).slice(-2).join(" ")) || words(path);

/** How alike a source path is to a field. @param {string} path @param {{name: string, label?: string}} field */
export function pathLikeness(path, field) {
  const tail = tailOf(path);
  const last = tail.split(" ").slice(-1)[0];
  const names = [words(field.name), words(field.label ?? "")];
  return Math.max(...names.map((name) => Math.max(likeness(tail, name), 0.95 * likeness(words(path.split(".").at(-1) ?? ""), name), 0.7 * likeness(last, name))));
}

/**
 * Ranks options: those that fit what was typed, best first.
 * @template {{label: string, search?: string, score?: number}} Option
 * @param {Option[]} options @param {string} typed @returns {Option[]}
 */
export function ranked(options, typed) {
  const wanted = typed.toLowerCase();
  return options
    .map((option) => ({ option, fit: fitOf(option, wanted) }))
    .filter(({ fit }) => fit > 0)
    .sort((one, other) => other.fit + (other.option.score ?? 0) - one.fit - (one.option.score ?? 0))
    .map(({ option }) => option);
}

/** @param {{label: string, search?: string}} option @param {string} wanted */
function fitOf({ label, search = "" }, wanted) {
  if (!wanted) return 1;
  const name = label.toLowerCase();
  if (name === wanted) return 6;
  if (name.startsWith(wanted)) return 5;
  const whole = `${words(label)} ${search.toLowerCase()}`;
  const all = whole.split(/[\s.,;:()]+/);
  if (wanted.split(/\s+/).filter(Boolean).every((part) => all.some((word) => word.startsWith(part)))) return 4;
  if (wanted.length > 1 && name.includes(wanted)) return 3;
  return wanted.length > 2 && name[0] === wanted[0] && isSubsequence(wanted, name) ? 1 : 0;
}

/** @param {string} letters @param {string} text */
function isSubsequence(letters, text) {
  let at = 0;
  for (const letter of text) if (letter === letters[at]) at += 1;
  return at === letters.length;
}
