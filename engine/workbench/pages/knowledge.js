// @ts-check
/** What completion and help know: the language, the org's objects and fields, and the paths of the events. */

import { ask } from "./api.js";

/**
 * @typedef {{name: string, label: string, type: string, length: number | null, required: boolean, picklist: {value: string, label: string}[], references: string[], lookup: boolean, custom: boolean, createable: boolean, updateable: boolean}} Field
 * @typedef {{object: string, label: string, fields: Field[]}} Described
 * @typedef {{path: string, types: string[], filled: number, events: number, examples: string[], read_by: any[]}} Path
 * @typedef {{name: string, summary: string, values: string[], required?: boolean, example?: string, default?: string}} Key
 */

export class Knowledge {
  constructor() {
    /** @type {{filters: {name: string, signature: string, summary: string, examples: string[]}[], sections: Record<string, Key[]>, recipes: Recipe[]}} */
    this.language = { filters: [], sections: {}, recipes: [] };
    /** @type {Path[]} */
    this.paths = [];
    /** @type {{name: string, label: string}[]} */
    this.objects = [];
    /** @type {Map<string, Promise<Described | null>>} */
    this.describes = new Map();
  }

  async load() {
    await Promise.all([this.loadLanguage(), this.loadPaths(), this.loadOrg()]);
  }

  async loadLanguage() {
    const { filters, tables, recipes } = await ask("/api/language");
    this.language = { filters, sections: tables, recipes: recipes ?? [] };
  }

  async loadPaths() {
    this.paths = await ask("/api/paths");
  }

  /** Forgets what the org described, and reads its objects. */
  async loadOrg() {
    this.describes.clear();
    this.objects = await ask("/api/objects");
  }

  /** @param {string | null} object @returns {Promise<Described | null>} */
  describe(object) {
    if (!object) return Promise.resolve(null);
    let described = this.describes.get(object);
    if (!described) {
      described = ask(`/api/describe?object=${encodeURIComponent(object)}`).catch(() => {
        this.describes.delete(object);
        return null;
      });
      this.describes.set(object, described);
    }
    return described;
  }

  /** @param {string | null} object @param {string} name */
  async field(object, name) {
    const described = await this.describe(object);
    return described?.fields.find((field) => field.name.toLowerCase() === name.toLowerCase()) ?? null;
  }

  /** @param {string} name */
  section(name) {
    return this.language.sections[name] ?? [];
  }
}

/** @typedef {{title: string, words: string, place: "fields" | "mapping" | "file", text: string, summary: string}} Recipe */

/** A field in one line: `Lead Source · picklist: Web, Phone`. @param {Field} field */
export function about(field) {
  const type =
    field.picklist?.length > 0
      ? `${field.type}: ${field.picklist.slice(0, 4).map(({ value }) => value).join(", ")}${field.picklist.length > 4 ? " …" : ""}`
      : field.references?.length > 0
        ? `${field.type} → ${field.references.slice(0, 3).join(", ")}`
        : field.length
          ? `${field.type}(${field.length})`
          : field.type;
  return [field.label, type, field.required && "required"].filter(Boolean).join(" · ");
}

/** In which part of the events the path has a value. @param {Path} path */
export const share = (path) => (path.events ? path.filled / path.events : 0);

/** A path in one line: `82 % · ann@example.com`. @param {Path} path */
export function aboutPath(path) {
  return [`${Math.round(100 * share(path))} %`, path.examples[0]].filter((part) => part !== undefined && part !== "").join(" · ");
}
