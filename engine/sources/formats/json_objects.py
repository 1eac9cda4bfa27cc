"""Reads JSON that is not line by line: objects one after the other, and the members of arrays and batches."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sfmap.engine.sources.formats.json_structure import NO_BATCH, Brackets, batch_begins
from sfmap.engine.sources.formats.text_window import TextWindow
from sfmap.engine.sources.reading import LONGEST_LINE, read_event
from sfmap.engine.sources.rows import FileDamaged, SourceRow

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SEPARATORS = re.compile(rb"(?:[ \t\r\n,]++|\xef\xbb\xbf)*+")
_OTHER = re.compile(rb'"(?:[^"\\\n]++|\\.)*+(?:"|\\\Z)?|[^\n,{}\[\]"]++|.', re.DOTALL)
"""A text, a number, a literal, or what is no JSON at all."""
_LONGEST_OTHER = 1024 * 1024
"""How far it is looked for an end, or for a batch."""
_MOST_CLOSINGS = 200
"""After so many braces, brackets are told from those in texts: an object hardly has as many."""


@dataclass(frozen=True, slots=True)
class JsonObjects:
    """The objects of a file: pretty-printed or not, with or without arrays around them.

    How the file begins says which: `[`, an object with a list named `batch`, or else bare objects. It is so to its
    end, so that reading can continue after any row. Commas may be missing or too many.
    """

    is_table = False

    def rows(self, stream: BinaryIO, offset: int = 0, line: int = 0) -> Iterator[SourceRow]:
        """The events after that offset: lines are counted from the beginning of the file.

        Raises `FileDamaged`: the file is cut short, or something else follows.
        """
        text = TextWindow(stream)
        begins = _next_byte(text)
        is_bare = begins != b"[" and _inside_batch(text) == NO_BATCH
        text.move_to(max(offset, text.offset))
        if is_bare:
            while _next_byte(text):
                yield _row(text)
        else:
            yield from _members(text, is_batch=begins == b"{", is_inside=offset > 0)


def _members(text: TextWindow, *, is_batch: bool, is_inside: bool) -> Iterator[SourceRow]:
    """The members of arrays, one array after the other."""
    while begins := _next_byte(text):
        if not is_inside:
            _open(text, is_batch=is_batch)
        elif begins == b"]":
            text.at += 1
            if is_batch:
                _end(text, Brackets(depth=1))
        else:
            yield _row(text)
            continue
        is_inside = not is_inside
    if is_inside:
        raise FileDamaged("ends before its list of events does (was the file cut short?)")


def _open(text: TextWindow, *, is_batch: bool) -> None:
    """Goes into the next array. Raises `FileDamaged` if something else comes next."""
    begins = text.data[text.at : text.at + 1]
    inside = text.at + 1 if begins == b"[" else NO_BATCH
    if is_batch:
        inside = _inside_batch(text) if begins == b"{" else NO_BATCH
    if inside == NO_BATCH:
        raise FileDamaged(f"has something else after its list of events, on line {text.line():,}")
    text.at = inside


def _inside_batch(text: TextWindow) -> int:
    """The index inside the list of the batch that comes next, or `NO_BATCH`."""
    while (inside := batch_begins(text.data, text.at)) is None:
        if len(text.data) - text.at > _LONGEST_OTHER or not text.more():
            return NO_BATCH
    return inside


def _next_byte(text: TextWindow) -> bytes:
    """Skips what separates values; returns the byte that comes next, or nothing at the end."""
    while True:
        text.at = _SEPARATORS.match(text.data, text.at).end()  # type: ignore[union-attr]
        begins = text.data[text.at : text.at + 1]
        may_be_mark = begins == b"\xef" and _BYTE_ORDER_MARK.startswith(text.data[text.at :])
        if (begins and not may_be_mark) or not text.more():
            return begins


def _row(text: TextWindow) -> SourceRow:
    """The value that comes next. Raises `FileDamaged`."""
    line = text.line()
    begins = text.data[text.at : text.at + 1]
    if begins == b"{":
        end = _probable_end(text)
        if end is not None:
            raw = text.data[text.at : end]
            event, problem = read_event(raw)
            if event is not None:
                text.at = end
                return SourceRow(text.start + end, line, raw, event)
    raw = _end(text, Brackets()) if begins in (b"{", b"[") else _other(text)
    event, problem = read_event(raw)
    return SourceRow(text.offset, line, raw, event, problem)


def _probable_end(text: TextWindow) -> int | None:
    """The index where braces balance, also counting those in texts.

    If an object can be read up to there, it ends there: no shorter part of an object is an object.
    """
    depth, at = 0, text.at
    for _ in range(_MOST_CLOSINGS):
        while (closing := text.data.find(b"}", at)) < 0:
            depth += text.data.count(b"{", at)
            at = len(text.data) - text.at
            if at > LONGEST_LINE or not text.more():
                return None
        depth += text.data.count(b"{", at, closing) - 1
        at = closing + 1
        if not depth:
            return at
    return None


def _end(text: TextWindow, brackets: Brackets) -> bytes:
    """Goes to where the brackets close; returns what is before that, but not much more than the limit.

    Raises `FileDamaged` where they do not close.
    """
    line, offset = text.line(), text.offset
    kept = []
    room, at = LONGEST_LINE + 1, text.at
    while True:
        ended = brackets.end(text.data, at)
        end = len(text.data) if ended is None else ended
        if room > 0:
            kept.append(text.data[text.at : min(end, text.at + room)])
            room -= end - text.at
        text.at = end
        if ended is not None:
            return b"".join(kept)
        if not text.more():
            place = f"line {line:,}, at byte {offset:,}"
            raise FileDamaged(f"ends in the middle of what begins on {place} (was the file cut short?)")
        at = text.at


def _other(text: TextWindow) -> bytes:
    """What is neither an object nor a list, up to the next comma or line."""
    while True:
        end = _OTHER.match(text.data, text.at).end()  # type: ignore[union-attr]
        if end < len(text.data) or end - text.at > _LONGEST_OTHER or not text.more():
            break
    raw = text.data[text.at : end]
    text.at = end
    return raw
