"""The text of a file as an editor has it, and its bytes again: line ends and the byte order mark survive."""

import re
from codecs import BOM_UTF8
from collections import Counter
from difflib import SequenceMatcher

_LINE_END = re.compile("\r\n|\r|\n")


class Unreadable(ValueError):
    """Why bytes are not a text, or a text has no bytes; completes a sentence about the file."""


def edited_text(data: bytes) -> str:
    """The text with `\\n` as line ends. Raises `Unreadable`."""
    try:
        return _LINE_END.sub("\n", data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"is not UTF-8 (line {line}): save it as UTF-8 with another editor first") from None


def stored_bytes(text: str, before: bytes) -> bytes:
    """The bytes of an edited text: lines that were there before keep their ends, new ones get the usual end.

    Raises `Unreadable`.
    """
    old = before.decode("utf-8-sig", "replace")
    mark = BOM_UTF8 if before.startswith(BOM_UTF8) else b""
    ends = _LINE_END.findall(old)
    new = _LINE_END.sub("\n", text)
    if set(ends) - {"\n"}:
        new = _with_ends(new.split("\n"), _LINE_END.split(old), ends)
    try:
        return mark + new.encode()
    except UnicodeEncodeError:
        raise Unreadable("has half of a character, which UTF-8 cannot hold: delete it") from None


def _with_ends(lines: list[str], old: list[str], ends: list[str]) -> str:
    usual = Counter(ends).most_common(1)[0][0]
    given = [usual] * (len(lines) - 1)
    if len(set(ends)) > 1:
        for old_at, new_at, size in SequenceMatcher(None, old, lines, autojunk=False).get_matching_blocks():
            for place in range(size):
                if new_at + place < len(given) and old_at + place < len(ends):
                    given[new_at + place] = ends[old_at + place]
    return "".join(line + end for line, end in zip(lines, [*given, ""], strict=True))
