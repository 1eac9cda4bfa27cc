// @ts-check
/** Ways to write the rule of a field, by what the org says of the field. `${}` are gaps to fill in. */

const CHECKED = { date: "date", datetime: "datetime", time: "time", boolean: "boolean", int: "integer", double: "number", currency: "number", percent: "number", email: "email", phone: "phone", url: "url" };

/**
 * @param {import("./knowledge.js").Field | null} field
 * @param {string} path The source that is most like the field.
 * @returns {{label: string, detail: string, text: string, score: number}[]}
 */
export function formsOf(field, path) {
  const gap = `\${${path}}`;
  const made = field ? ofType(field, gap) : [];
  const forms = [
    ...made,
    ["first of several", "the first source that has a value", `{from: [${gap}, \${traits.}]}`],
    ["with a default", "a constant where the event has no value", `{from: ${gap}, default: \${n/a}}`],
    ["only if empty", "never overwrites what is in the org", `{from: ${gap}, write: empty}`],
    ["only on create", "never changed later", `{from: ${gap}, write: create}`],
    ["constant", "the same for every record", `{value: \${text}}`],
    ["template", "a text put together, or a choice", `{template: "{{ ${gap} }}"}`],
    ["condition", "only where something is true", `{from: ${gap}, when: \${traits.plan == 'pro'}}`],
  ];
  return forms.map(([label, detail, text], at) => ({ label, detail, text, score: -0.5 - at / 100 }));
}

/**
 * @param {import("./knowledge.js").Field} field @param {string} gap
 * @returns {[string, string, string][]}
 */
function ofType(field, gap) {
  const { type, picklist, references, length } = field;
  if (references?.length) {
    const object = references.length > 1 ? `\${${references[0]}}` : references[0];
    return [["look up", `the ${references.slice(0, 2).join(" or ")} that has this value`, `{object: ${object}, by: \${field}, from: ${gap}}`]];
  }
  if (type === "multipicklist") return [["several values", "a list, joined for the multi-select picklist", `{from: ${gap} | join(';')}`], ["add values", "keeps those that are in the org", `{from: ${gap} | join(';'), add: true}`]];
  if (picklist?.length) {
    const rows = picklist.slice(0, 6).map(({ value }) => `\${${value.toLowerCase().replace(/\W+/g, " ").trim()}}: ${quoted(value)}`);
    return [
      ["table of values", "each value of the event with one of the picklist", `{from: ${gap}, values: {${rows.join(", ")}}, else: \${${picklist[0].value}}}`],
      ["as sent", "only what the picklist has", `{from: ${gap}, type: picklist}`],
    ];
  }
  const checked = CHECKED[/** @type {keyof typeof CHECKED} */ (type)];
  if (checked === "date") return [["date", "ISO 8601, seconds since 1970", `{from: ${gap}, type: date}`], ["date of a format", "day and month as you name them", `{from: "${gap} | date('\${%d.%m.%Y}')", type: date}`]];
  if (checked === "boolean") return [["checkbox", "yes, true and 1 tick it", `{from: ${gap}, type: boolean}`], ["checkbox, turned round", "true where the event says no", `{from: ${gap} | not, type: boolean}`]];
  if (checked) return [[checked, `checked as ${checked}`, `{from: ${gap}, type: ${checked}${length ? `, max: ${length}` : ""}}`]];
  return length ? [["text", "longer texts are cut", `{from: ${gap}, max: ${length}}`]] : [];
}

/** @param {string} value */
const quoted = (value) => (/^[A-Za-z][\w ./&+-]*$/.test(value) ? value : JSON.stringify(value));
