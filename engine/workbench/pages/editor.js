// @ts-check
/** The editor: CodeMirror in a shadow root, where its style sheets are allowed. Each file keeps its own state. */

import {
  Decoration,
  EditorSelection,
  EditorState,
  EditorView,
  HighlightStyle,
  Prec,
  StateEffect,
  StateField,
  acceptCompletion,
  autocompletion,
  bracketMatching,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  defaultKeymap,
  drawSelection,
  dropCursor,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSelectionMatches,
  highlightSpecialChars,
  history,
  historyKeymap,
  hoverTooltip,
  indentLess,
  indentMore,
  indentOnInput,
  indentUnit,
  keymap,
  lineNumbers,
  lintGutter,
  search,
  searchKeymap,
  setDiagnostics,
  startCompletion,
  syntaxHighlighting,
  tags,
  yaml,
} from "./codemirror.js";
import { read } from "./yaml_place.js";

const FLASH = 1_500;
/** A list of completions does not scroll, since it never has the focus: it moves with the selection. */
const MOST_SHOWN = 11;

const theme = EditorView.theme({
  "&": { height: "100%", fontSize: "12.5px", color: "var(--text)", backgroundColor: "var(--bg)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px" },
  ".cm-content": { padding: "6px 0", caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)", borderLeftWidth: "2px" },
  "&.cm-focused": { outline: "0" }, // workbench.css draws it, over the gutter, too
  ".cm-line": { padding: "0 12px 0 4px" },
  ".cm-gutters": { backgroundColor: "var(--bg)", color: "var(--quiet)", border: "0", paddingLeft: "4px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  ".cm-activeLineGutter": { color: "var(--text)", fontWeight: "600" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--selected)",
  },
  ".cm-selectionMatch": { backgroundColor: "var(--accent-bg)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-bg)", outline: "1px solid var(--edge)" },
  ".cm-flash": { backgroundColor: "var(--flash)" },
  ".cm-gutter-lint": { width: "16px" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad) 1px", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--warn) 1px", textUnderlineOffset: "3px" },
  ".cm-lintRange-info, .cm-lintRange-hint": { backgroundImage: "none", textDecoration: "underline dotted var(--quiet) 1px", textUnderlineOffset: "3px" },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    color: "var(--text)",
    border: "1px solid var(--edge)",
    borderRadius: "6px",
    overflow: "hidden",
    boxShadow: "0 4px 16px rgb(0 0 0 / .18)",
    zIndex: "30",
  },
  ".cm-tooltip.cm-tooltip-autocomplete": { overflow: "visible" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "12.5px", maxHeight: "none", maxWidth: "min(620px, 92vw)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 8px", lineHeight: "18px", overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--selected)", color: "var(--text)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > completion-section": {
    padding: "4px 8px 2px", fontFamily: "var(--ui)", fontSize: "12px", color: "var(--quiet)", border: "0", opacity: "1",
  },
  ".cm-completionDetail": { fontStyle: "normal", fontFamily: "var(--ui)", color: "var(--quiet)", marginLeft: "1em" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-completionInfo.cm-tooltip": { padding: "8px 10px", maxWidth: "340px", font: "13px/18px var(--ui)", overflow: "auto", maxHeight: "16em" },
  "@media (max-width: 720px)": { ".cm-completionInfo.cm-tooltip": { display: "none" } },
  ".cm-tooltip-hover, .cm-tooltip-lint": { font: "13px/18px var(--ui)", maxWidth: "min(520px, 92vw)" },
  ".cm-diagnostic": { padding: "8px 10px", borderLeft: "3px solid var(--quiet)", whiteSpace: "normal" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warn)" },
  ".cm-diagnosticAction": {
    font: "13px/18px var(--ui)", color: "var(--text)", backgroundColor: "var(--raised)", border: "1px solid var(--edge)",
    borderRadius: "6px", padding: "3px 10px", margin: "6px 6px 0 0", cursor: "pointer",
  },
  ".cm-diagnosticAction:hover": { backgroundColor: "var(--hover)" },
  ".cm-panels": { backgroundColor: "var(--panel)", color: "var(--text)", borderColor: "var(--line)" },
  ".cm-panel.cm-search": { padding: "8px 12px", font: "13px/18px var(--ui)" },
  ".cm-panel.cm-search label": { fontSize: "12px", color: "var(--text)" },
  ".cm-textfield, .cm-button": {
    font: "13px/18px var(--ui)", color: "var(--text)", background: "var(--raised)", backgroundImage: "none",
    border: "1px solid var(--edge)", borderRadius: "6px", padding: "3px 8px",
  },
  ".cm-panel.cm-search [name=close]": { fontSize: "16px", color: "var(--text)", right: "8px", top: "6px", cursor: "pointer" },
  ".cm-searchMatch": { backgroundColor: "var(--warn-bg)", outline: "1px solid var(--edge)" },
  ".cm-searchMatch-selected": { backgroundColor: "var(--flash)" },
  ".cm-snippetField": { backgroundColor: "var(--accent-bg)" },
  ".card": { padding: "8px 10px" },
  ".card b, .cm-completionInfo b": { fontFamily: "var(--mono)", fontSize: "12.5px" },
  ".card p, .cm-completionInfo p": { margin: "4px 0 0" },
  ".card p:first-child, .cm-completionInfo p:first-child": { margin: "0" },
  ".quiet": { color: "var(--quiet)" },
  ".card pre, .cm-completionInfo pre": { margin: "6px 0 0", padding: "6px 8px", font: "12px/17px var(--mono)", background: "var(--panel)", borderRadius: "4px", whiteSpace: "pre-wrap" },
});

const colors = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: "var(--accent)" },
  { tag: tags.comment, color: "var(--quiet)", fontStyle: "italic" },
  { tag: tags.string, color: "var(--ok)" },
  { tag: [tags.punctuation, tags.separator, tags.bracket, tags.squareBracket, tags.brace], color: "var(--quiet)" },
  { tag: [tags.meta, tags.keyword], color: "var(--new)" },
]);

const flash = StateEffect.define();
const flashed = StateField.define({
  create: () => Decoration.none,
  update(/** @type {any} */ value, /** @type {any} */ transaction) {
    let next = value.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(flash)) continue;
      next = effect.value === null ? Decoration.none : Decoration.set(linesOf(transaction.state.doc, effect.value));
    }
    return next;
  },
  provide: (/** @type {any} */ field) => EditorView.decorations.from(field),
});

/** @param {any} doc @param {{from: number, to: number}} range */
function linesOf(doc, { from, to }) {
  const marks = [];
  const last = doc.lineAt(Math.min(to, doc.length)).number;
  for (let number = doc.lineAt(Math.min(from, doc.length)).number; number <= last; number += 1) {
    marks.push(Decoration.line({ class: "cm-flash" }).range(doc.line(number).from));
  }
  return marks;
}

/** A new line where the next key belongs: below the key that has no value yet, or beside the one that has. @param {any} view */
function newLine(view) {
  const { state } = view;
  const { head, empty } = state.selection.main;
  const line = state.doc.lineAt(head);
  const before = line.text.slice(0, head - line.from);
  if (!empty) return false;
  let column = before.match(/^ */)?.[0].length ?? 0;
  if (/:\s*(#.*)?$/.test(before)) {
    column += 2;
  } else if (before.trim()) {
    const { entries } = read(state.doc.toString());
    const around = entries.filter(({ start, end, isFlow }) => !isFlow && start < line.from && end > line.from && end <= head && !state.doc.sliceString(start, end).match(/^[^\n{[]*\n/));
    const flow = around.at(-1);
    if (flow) column = flow.start - state.doc.lineAt(flow.start).from;
  }
  view.dispatch(state.update({ changes: { from: head, insert: `\n${" ".repeat(column)}` }, selection: EditorSelection.cursor(head + 1 + column), scrollIntoView: true, userEvent: "input" }));
  return true;
}

/**
 * The offset of a line and a column, which count code points from 1.
 * @param {any} doc @param {number} line @param {number} column
 */
export function offsetOf(doc, line, column) {
  if (line > doc.lines) return doc.length;
  const { from, text } = doc.line(Math.max(line, 1));
  let at = 0;
  for (const point of text) {
    if (column <= 1) break;
    at += point.length;
    column -= 1;
  }
  return from + Math.min(at, text.length);
}

export class Editor {
  /**
   * @param {HTMLElement} host
   * @param {object} options
   * @param {(text: string) => unknown} options.onChange
   * @param {(line: number, column: number) => unknown} options.onCursor
   * @param {(context: any) => any} options.complete
   * @param {(view: any, position: number) => any} options.hover
   * @param {readonly any[]} options.keys
   */
  constructor(host, { onChange, onCursor, complete, hover, keys }) {
    const root = host.attachShadow({ mode: "open" });
    const parent = document.createElement("div");
    parent.style.height = "100%";
    root.append(parent);
    this.flashing = 0;
    this.onChange = onChange;
    this.onCursor = onCursor;
    this.extensions = [
      lineNumbers(),
      lintGutter(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      highlightSpecialChars(),
      history(),
      drawSelection(),
      dropCursor(),
      indentOnInput(),
      indentUnit.of("  "),
      bracketMatching(),
      closeBrackets(),
      autocompletion({ override: [complete], icons: false, maxRenderedOptions: MOST_SHOWN, activateOnTypingDelay: 60 }),
      hoverTooltip(hover, { hoverTime: 350 }),
      search({ top: true }),
      highlightSelectionMatches(),
      Prec.highest(keymap.of([...keys, ...completionKeymap])),
      keymap.of([
        { key: "Enter", run: newLine },
        { key: "Tab", run: acceptCompletion },
        { key: "Tab", run: indentMore, shift: indentLess },
        ...closeBracketsKeymap,
        ...searchKeymap,
        ...historyKeymap,
        ...defaultKeymap,
      ]),
      flashed,
      theme,
      syntaxHighlighting(colors),
      ...(window.matchMedia("(max-width: 1100px)").matches ? [EditorView.lineWrapping] : []),
      EditorView.updateListener.of((/** @type {any} */ update) => {
        if (update.docChanged) this.onChange(update.state.doc.toString());
        if (update.selectionSet || update.docChanged) this.tellCursor();
      }),
    ];
    this.view = new EditorView({ state: this.stateOf("", ""), parent, root });
    // The panel below grows with its mistakes: the line that is being written stays in sight.
    new ResizeObserver(() => {
      if (this.hasFocus) this.view.dispatch({ effects: EditorView.scrollIntoView(this.cursor, { y: "nearest", yMargin: 20 }) });
    }).observe(host);
  }

  /** @param {string} text @param {string} path */
  stateOf(text, path) {
    return EditorState.create({
      doc: text,
      extensions: [
        ...this.extensions,
        ...(/\.ya?ml$/.test(path) ? [yaml()] : []),
        EditorView.contentAttributes.of({ tabindex: "0", "aria-label": path || "No file", "aria-description": "Escape, then Tab leaves the editor" }),
      ],
    });
  }

  /** Shows the file with this state. @param {any} state */
  show(state) {
    this.view.setState(state);
    this.tellCursor();
  }

  get state() {
    return this.view.state;
  }

  get text() {
    return this.view.state.doc.toString();
  }

  get cursor() {
    return this.view.state.selection.main.head;
  }

  focus() {
    this.view.focus();
  }

  get hasFocus() {
    return this.view.hasFocus;
  }

  tellCursor() {
    const { doc } = this.view.state;
    const line = doc.lineAt(this.cursor);
    this.onCursor(line.number, [...line.text.slice(0, this.cursor - line.from)].length + 1);
  }

  /** Replaces the text, and keeps the cursor where it is. @param {string} text */
  setText(text) {
    const { doc } = this.view.state;
    const old = doc.toString();
    let start = 0;
    while (start < old.length && start < text.length && old[start] === text[start]) start += 1;
    let end = 0;
    const most = Math.min(old.length, text.length) - start;
    while (end < most && old[old.length - 1 - end] === text[text.length - 1 - end]) end += 1;
    this.view.dispatch({ changes: { from: start, to: old.length - end, insert: text.slice(start, text.length - end) } });
  }

  /**
   * Inserts text and puts the cursor at an offset in it.
   * @param {number} at @param {string} text @param {number} cursor
   */
  insert(at, text, cursor) {
    this.view.dispatch({
      changes: { from: at, insert: text },
      selection: EditorSelection.cursor(at + cursor),
      effects: EditorView.scrollIntoView(at + cursor, { y: "center", xMargin: 80 }),
      userEvent: "input",
    });
    this.focus();
  }

  complete() {
    startCompletion(this.view);
  }

  /**
   * Goes to a place and flashes its lines.
   * @param {number} line @param {number} [column] @param {number} [toLine]
   */
  jump(line, column = 1, toLine = line) {
    const { doc } = this.view.state;
    const from = offsetOf(doc, line, column);
    const to = offsetOf(doc, toLine, 1);
    this.view.dispatch({
      selection: EditorSelection.cursor(from),
      effects: [EditorView.scrollIntoView(from, { y: "center", xMargin: 80 }), flash.of({ from, to: Math.max(from, to) })],
    });
    this.focus();
    window.clearTimeout(this.flashing); // or the flash before this one would end it
    this.flashing = window.setTimeout(() => this.view.dispatch({ effects: flash.of(null) }), FLASH);
  }

  /** @param {any[]} diagnostics As CodeMirror wants them. */
  mark(diagnostics) {
    this.view.dispatch(setDiagnostics(this.view.state, diagnostics));
  }
}
