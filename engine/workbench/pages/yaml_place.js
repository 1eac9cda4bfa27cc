// @ts-check
/** Finds where a position in a mapping is: below which keys, in a key or a value. Works in half-written text, too. */

/**
 * @typedef {object} Entry A key with its value.
 * @property {(string | number)[]} path
 * @property {number} start Where the key starts.
 * @property {number} keyEnd
 * @property {number} valueStart Where the value starts; the end of the line if there is none.
 * @property {number} end Where the value ends.
 * @property {boolean} isFlow Whether it is within braces.
 *
 * @typedef {object} Place
 * @property {(string | number)[]} path The keys that the position is below, without the one that is being written.
 * @property {"key" | "value" | "comment"} kind
 * @property {boolean} isFlow
 * @property {boolean} isBlockText Within the lines of `|` or `>`.
 * @property {number} start Where the word, key or value that is being written starts.
 * @property {string} quote The quote that it is in, or "".
 * @property {number} indent The column of a key at this place.
 */

const KEY = /^((?=:(?:\s|$))|(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#"'{}[\],:&*!|>%@`-](?:[^#:]|:(?!\s|$)|(?<!\s)#)*?|-(?=\S)(?:[^#:]|:(?!\s|$))*?))\s*:(?=\s|$)/;
const bare = (/** @type {string} */ key) => key.replace(/^(["'])(.*)\1$/, "$2").trim();

/**
 * @param {string} text
 * @param {number} [position] Where to look; without it, all entries are found.
 * @returns {{entries: Entry[], place: Place}}
 */
export function read(text, position = text.length + 1) {
  return new Reader(text, position).read();
}

class Reader {
  /**
   * @param {string} text
   * @param {number} position
   */
  constructor(text, position) {
    this.text = text;
    this.position = position;
    /** @type {Entry[]} */
    this.entries = [];
    /** @type {{indent: number, key: string | number, entry?: Entry, items: number}[]} Keys of blocks around the line. */
    this.blocks = [];
    /** @type {Place | null} */
    this.place = null;
  }

  read() {
    let at = 0;
    while (at <= this.text.length) at = this.line(at);
    for (const block of this.blocks) this.end(block, this.text.length);
    return { entries: this.entries, place: this.place ?? this.found("key", this.position, {}) };
  }

  /**
   * @param {"key" | "value" | "comment"} kind
   * @param {number} start
   * @param {Partial<Place>} more
   * @returns {Place}
   */
  found(kind, start, more) {
    const path = this.blocks.map((block) => block.key);
    return { path, kind, start, isFlow: false, isBlockText: false, quote: "", indent: 0, ...more };
  }

  /** @param {{entry?: Entry}} block @param {number} end */
  end(block, end) {
    if (block.entry && block.entry.end < 0) block.entry.end = Math.max(end, block.entry.valueStart);
  }

  /** @param {number} indent @param {number} lineStart */
  leave(indent, lineStart) {
    while (this.blocks.length && this.blocks[this.blocks.length - 1].indent >= indent) {
      this.end(this.blocks[this.blocks.length - 1], this.trimmed(lineStart));
      this.blocks.pop();
    }
  }

  /** The end of what was written before this position. @param {number} position */
  trimmed(position) {
    let end = position;
    while (end > 0 && /\s/.test(this.text[end - 1])) end -= 1;
    return end;
  }

  /**
   * Reads the line that starts here, with the lines that its value takes. Returns where the next one starts.
   * @param {number} start
   */
  line(start) {
    const end = endOfLine(this.text, start);
    const holds = this.position >= start && this.position <= end;
    const words = this.text.slice(start, end);
    const indent = words.match(/^ */)?.[0].length ?? 0;
    if (!words.trim()) {
      if (holds) this.place = this.onBlankLine(this.position - start);
      return end + 1;
    }
    if (words.trimStart().startsWith("#")) {
      if (holds && this.position > start + indent) this.place = this.found("comment", this.position, {});
      else if (holds) this.place = this.found("key", this.position, { indent });
      return end + 1;
    }
    return this.content(start + indent, indent, end);
  }

  /** A line that has nothing yet may still be below the key before it. @param {number} indent */
  onBlankLine(indent) {
    const path = this.blocks.filter((block) => block.indent < indent).map((block) => block.key);
    return { ...this.found("key", this.position, { indent }), path };
  }

  /**
   * @param {number} at Where the words of the line start.
   * @param {number} indent
   * @param {number} end
   * @returns {number}
   */
  content(at, indent, end) {
    const words = this.text.slice(at, end);
    if (/^-(\s|$)/.test(words)) return this.item(at, indent, end);
    const key = words.match(KEY);
    if (!key) {
      this.leave(indent, at);
      return this.value(at, indent, end, this.continuesValue(at) ? "value" : "key");
    }
    this.leave(indent, at);
    const keyEnd = at + key[1].length;
    const colon = at + key[0].length;
    if (this.position >= at && this.position <= keyEnd) this.place = this.found("key", at, { indent });
    const space = this.text.slice(colon, end).match(/^\s*/)?.[0].length ?? 0;
    const entry = this.entry([...this.blocks.map((block) => block.key), bare(key[1])], at, keyEnd, Math.min(colon + space, end));
    this.blocks.push({ indent, key: bare(key[1]), entry, items: 0 });
    return this.value(colon + space, indent, end, "value", colon);
  }

  /** Whether words without a key are the value of the key before them, or an item. @param {number} at */
  continuesValue(at) {
    const owner = this.blocks.at(-1);
    if (!owner?.entry) return owner !== undefined;
    return owner.entry.valueStart < endOfLine(this.text, owner.entry.keyEnd) && owner.entry.valueStart < at;
  }

  /** @param {(string | number)[]} path @param {number} start @param {number} keyEnd @param {number} valueStart */
  entry(path, start, keyEnd, valueStart, isFlow = false) {
    const entry = { path, start, keyEnd, valueStart, end: -1, isFlow };
    this.entries.push(entry);
    return entry;
  }

  /** An item of a list: `- ` and what follows. @param {number} at @param {number} indent @param {number} end @returns {number} */
  item(at, indent, end) {
    // An item may stand in the column of its key.
    while (this.blocks.length && this.blocks[this.blocks.length - 1].indent > indent) {
      this.end(this.blocks[this.blocks.length - 1], this.trimmed(at));
      this.blocks.pop();
    }
    if (typeof this.blocks.at(-1)?.key === "number" && this.blocks.at(-1)?.indent === indent) this.blocks.pop();
    const owner = this.blocks.at(-1);
    const index = owner ? owner.items++ : 0;
    this.blocks.push({ indent, key: index, items: 0 });
    const space = this.text.slice(at + 1, end).match(/^\s*/)?.[0].length ?? 0;
    const inner = at + 1 + space;
    if (inner >= end) {
      if (this.position > at && this.position <= end) this.place = this.found("value", this.position, { indent: indent + 2 });
      return end + 1;
    }
    if (this.position > at && this.position < inner) this.place = this.found("value", this.position, {});
    return this.content(inner, indent + 1 + space, end);
  }

  /**
   * @param {number} at Where the value starts.
   * @param {number} indent The column of its key.
   * @param {number} end
   * @param {"key" | "value"} kind
   * @param {number} [from] Where the space before the value starts.
   * @returns {number}
   */
  value(at, indent, end, kind, from = at) {
    const first = this.text[at];
    if (kind === "value" && (first === "{" || first === "[")) return this.flow(at, indent);
    if (kind === "value" && (first === "|" || first === ">")) return this.blockText(at, indent, end);
    const quote = first === '"' || first === "'" ? first : "";
    let stop = quote ? endOfQuoted(this.text, at) : end;
    if (!quote) {
      const comment = this.text.slice(from, end).search(/(^|\s)#/);
      if (comment >= 0) stop = from + comment + (this.text[from + comment] === "#" ? 0 : 1);
    }
    if (this.position >= from && this.position <= Math.max(stop, quote ? stop : 0)) {
      const start = this.position <= at ? this.position : quote ? at + 1 : at;
      this.place ??= this.found(kind, start, { quote: this.position > at ? quote : "", indent });
    } else if (this.position > stop && this.position <= endOfLine(this.text, stop)) {
      this.place ??= this.found("comment", this.position, {});
    }
    const owner = this.blocks.at(-1);
    if (owner?.entry && kind === "value" && stop > at) owner.entry.end = this.trimmed(stop);
    return endOfLine(this.text, stop) + 1;
  }

  /** @param {number} at @param {number} indent @param {number} end */
  blockText(at, indent, end) {
    let next = end + 1;
    while (next <= this.text.length) {
      const stop = endOfLine(this.text, next);
      const words = this.text.slice(next, stop);
      if (words.trim() && (words.match(/^ */)?.[0].length ?? 0) <= indent) break;
      if (!words.trim() && this.position >= next && this.position <= stop && this.position - next <= indent) break;
      next = stop + 1;
    }
    if (this.position > end && this.position < next) this.place = this.found("value", end + 1, { isBlockText: true });
    else if (this.position >= at && this.position <= end) this.place ??= this.found("value", at, {});
    const owner = this.blocks.at(-1);
    if (owner?.entry) owner.entry.end = this.trimmed(Math.min(next, this.text.length));
    return next;
  }

  /**
   * Reads braces and brackets up to their end, over lines. Where they are not closed, a line that starts in the
   * column of the key, or left of it, ends them.
   * @param {number} at
   * @param {number} indent
   */
  flow(at, indent) {
    const base = this.blocks.map((block) => block.key);
    /** @type {{kind: string, path: (string | number)[], key: string | null, index: number, start: number, entry: Entry | null}[]} */
    const open = [];
    let start = at; // of the word that is being read
    let i = at;
    const owner = this.blocks.at(-1);
    const path = () => [...base, ...open.slice(1).flatMap((frame) => frame.path)];
    const here = () => {
      const top = open.at(-1);
      if (!top) return path();
      if (top.kind === "[") return [...path(), top.index];
      return top.key === null ? path() : [...path(), top.key];
    };
    /** @param {number} end */
    const finish = (end) => {
      const top = open.at(-1);
      if (top?.entry) top.entry.end = this.trimmed(end);
      if (top) top.entry = null;
    };
    /** @param {number} from @param {string} quote */
    const note = (from, quote) => {
      const top = open.at(-1);
      if (this.place || !top) return;
      const kind = top.kind === "{" && top.key === null ? "key" : "value";
      const word = skipSpace(this.text, from, this.position);
      this.place = { ...this.found(kind, quote ? word + 1 : word, { isFlow: true, quote, indent }), path: here() };
    };
    while (i < this.text.length) {
      const char = this.text[i];
      if (char === "\n" && isOutside(this.text, i, indent)) break;
      if (open.length && i === this.position) note(start, "");
      if (char === "{" || char === "[") {
        open.push({ kind: char, path: open.length ? here().slice(path().length) : [], key: null, index: 0, start: i, entry: null });
        start = i + 1;
      } else if (char === "}" || char === "]") {
        finish(i);
        open.pop();
        start = i + 1;
        if (!open.length) {
          i += 1;
          break;
        }
      } else if (char === ",") {
        finish(i);
        const top = open.at(-1);
        if (top?.kind === "{") top.key = null;
        else if (top) top.index += 1;
        start = i + 1;
      } else if (char === '"' || char === "'") {
        if (this.text.slice(start, i).trim() === "") {
          const stop = endOfQuoted(this.text, i);
          if (this.position > i && this.position < stop) note(start, char);
          i = stop - 1;
        }
      } else if (char === "#" && /\s/.test(this.text[i - 1] ?? " ")) {
        const stop = endOfLine(this.text, i);
        if (this.position > i && this.position <= stop) this.place ??= this.found("comment", this.position, {});
        i = stop - 1;
      } else if (char === ":" && /[\s,}\]]|^$/.test(this.text[i + 1] ?? "")) {
        const top = open.at(-1);
        if (top?.kind === "{" && top.key === null) {
          const from = skipSpace(this.text, start, i);
          top.key = bare(this.text.slice(from, i));
          if (this.position >= from && this.position <= i) {
            this.place = { ...this.found("key", from, { isFlow: true, indent }), path: path() };
          }
          const value = Math.min(skipSpace(this.text, i + 1, this.text.length), this.text.length);
          top.entry = this.entry([...path(), top.key], from, i, value, true);
          start = i + 1;
        }
      }
      i += 1;
    }
    while (open.length) {
      if (this.position <= i && this.position > at) note(start, "");
      finish(i);
      open.pop();
    }
    if (owner?.entry) owner.entry.end = this.trimmed(i);
    const stop = endOfLine(this.text, i);
    if (this.position >= i && this.position <= stop && !this.place) {
      this.place = this.found(this.text.slice(i, this.position).trim() ? "comment" : "value", this.position, {});
    }
    return stop + 1;
  }
}

/** @param {string} text @param {number} at */
function endOfLine(text, at) {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

/** Just after the closing quote, or the end of the line if it is not closed. @param {string} text @param {number} at */
function endOfQuoted(text, at) {
  const quote = text[at];
  for (let i = at + 1; i < text.length; i += 1) {
    if (text[i] === "\\" && quote === '"') i += 1;
    else if (text[i] === quote && text[i + 1] === quote && quote === "'") i += 1;
    else if (text[i] === quote) return i + 1;
    else if (text[i] === "\n") return i;
  }
  return text.length;
}

/** @param {string} text @param {number} from @param {number} to */
function skipSpace(text, from, to) {
  let at = from;
  while (at < to && /\s/.test(text[at])) at += 1;
  return at;
}

/** Whether the next line that is not blank can no longer be within braces of a key in this column. @param {string} text @param {number} at @param {number} indent */
function isOutside(text, at, indent) {
  const next = text.slice(at + 1).match(/^(?:[ \t]*\n)*( *)(\S)/);
  if (!next) return true;
  return next[1].length <= indent && !"]}".includes(next[2]);
}
