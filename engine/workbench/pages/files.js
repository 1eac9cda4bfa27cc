// @ts-check
/** The project's files and their texts in the editor: what is saved, what is not, and what changed on disk meanwhile. */

import { Refusal, ask, post } from "./api.js";

/**
 * @typedef {object} OpenFile
 * @property {string} path
 * @property {string} kind "mapping", "project" or "samples".
 * @property {boolean} isReadOnly
 * @property {string} etag Of the text that was last read or written.
 * @property {string | null} head The text in HEAD; null where there is none.
 * @property {string} saved
 * @property {string} text
 * @property {any} state The editor's state while another file is shown.
 * @property {{text: string, etag: string} | null} conflict What is on disk, where that is not what was edited.
 */

export class Files {
  /** @param {import("./editor.js").Editor} editor */
  constructor(editor) {
    this.editor = editor;
    /** @type {any} What the server says of the project. */
    this.about = null;
    /** @type {{path: string, kind: string, etag: string}[]} */
    this.listed = [];
    /** @type {Map<string, OpenFile>} */
    this.open = new Map();
    /** @type {OpenFile | null} */
    this.active = null;
    this.onChange = () => {};
    this.onText = () => {};
  }

  /** Reads what the project has, and what changed on disk. */
  async refresh() {
    this.about = await ask("/api/project");
    this.listed = this.about.files;
    for (const file of this.open.values()) {
      const now = this.listed.find(({ path }) => path === file.path);
      if (now && now.etag !== file.etag) await this.readAgain(file);
    }
    this.onChange();
  }

  /** @param {string} path */
  async load(path) {
    const known = this.open.get(path);
    if (known) return known;
    const read = await ask(`/api/file?path=${encodeURIComponent(path)}`);
    const listed = /** @type {any} */ (this.listed.find((file) => file.path === path));
    /** @type {OpenFile} */
    const file = {
      path,
      kind: listed?.kind ?? "mapping",
      isReadOnly: read.readonly === true,
      etag: read.etag,
      head: read.head,
      saved: read.text,
      text: read.text,
      state: this.editor.stateOf(read.text, path),
      conflict: null,
    };
    this.open.set(path, file);
    return file;
  }

  /** Shows a file in the editor. @param {string} path */
  async show(path) {
    const file = await this.load(path);
    if (this.active === file) return file;
    if (this.active) this.active.state = this.editor.state;
    this.active = file;
    this.editor.show(file.state);
    this.onChange();
    return file;
  }

  /** The editor's text has changed. @param {string} text */
  typed(text) {
    if (!this.active || this.active.text === text) return;
    const stateOf = (/** @type {OpenFile} */ file) => `${this.isDirty(file)} ${file.text === file.head}`;
    const before = stateOf(this.active);
    this.active.text = text;
    if (before !== stateOf(this.active)) this.onChange();
    this.onText();
  }

  /** Sets the text of a file, shown or not. @param {OpenFile} file @param {string} text */
  setText(file, text) {
    if (file === this.active) {
      this.editor.setText(text);
      return;
    }
    file.text = text;
    file.state = this.editor.stateOf(text, file.path);
    this.onText();
  }

  /** @param {OpenFile} file */
  isDirty(file) {
    return file.text !== file.saved;
  }

  get dirty() {
    return [...this.open.values()].filter((file) => this.isDirty(file));
  }

  /** The texts that are not saved, as the server wants them. */
  unsaved() {
    return Object.fromEntries(this.dirty.map((file) => [file.path, file.text]));
  }

  /** @param {OpenFile} file */
  async readAgain(file) {
    const read = await ask(`/api/file?path=${encodeURIComponent(file.path)}`);
    file.head = read.head;
    if (read.text === file.text || !this.isDirty(file)) {
      this.take(file, read);
    } else if (read.text !== file.saved) {
      file.conflict = { text: read.text, etag: read.etag };
    } else {
      file.etag = read.etag;
      file.conflict = null;
    }
  }

  /** Takes the text that is on disk. @param {OpenFile} file @param {{text: string, etag: string}} read */
  take(file, read) {
    file.etag = read.etag;
    file.saved = read.text;
    file.conflict = null;
    if (file.text !== read.text) this.setText(file, read.text);
    file.text = read.text;
    this.onChange();
  }

  /** Keeps what was edited: the next save overwrites what is on disk. @param {OpenFile} file */
  keepMine(file) {
    if (!file.conflict) return;
    file.etag = file.conflict.etag;
    file.saved = file.conflict.text;
    file.conflict = null;
    this.onChange();
  }

  /** Saves a file. Returns whether it is saved; if it changed on disk, it has a conflict now. @param {OpenFile} file */
  async save(file) {
    const text = file.text;
    try {
      const headers = { "If-Match": file.etag };
      const path = `/api/file?path=${encodeURIComponent(file.path)}`;
      const { etag } = await ask(path, { method: "PUT", body: { text }, headers });
      file.etag = etag;
      file.saved = text;
      file.conflict = null;
      return true;
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 409)) throw error;
      file.conflict = { text: error.answer.text ?? "", etag: error.answer.etag };
      return false;
    } finally {
      this.onChange();
    }
  }

  /** Makes a new file with this text, and shows it. @param {string} path @param {string} text */
  async create(path, text) {
    await post("/api/file", { path, text });
    await this.refresh();
    return this.show(path);
  }
}
