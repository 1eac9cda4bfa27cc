"""Reads JSON that is not line by line: objects one after the other, and the members of arrays and batches."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from sfmap.engine.mapping.values.record import Event
from sfmap.engine.sources.common_fields import COMMON, with_common_fields
from sfmap.engine.sources.formats.json_structure import NO_BATCH, Brackets, batch_begins
from sfmap.engine.sources.formats.text_window import TextWindow
from sfmap.engine.sources.reading import LONGEST_LINE, json_bytes, read_event
from sfmap.engine.sources.rows import FileDamaged, SourceRow

_COMMON = (*COMMON, "sentAt")
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
        if begins == b"{" and _inside_batch(text) != NO_BATCH:
            yield from _of_batches(text, offset)
            return
        text.move_to(max(offset, text.offset))
        if begins == b"[":
            yield from _members(text, is_inside=offset > 0)
        else:
            while _next_byte(text):
                yield _row(text)


def _members(text: TextWindow, *, is_inside: bool) -> Iterator[SourceRow]:
    """The members of arrays, one array after the other."""
    while begins := _next_byte(text):
        if is_inside and begins != b"]":
            yield _row(text)
            continue
        if not is_inside and begins != b"[":
            raise _something_else(text)
        text.at += 1
        is_inside = not is_inside
    if is_inside:
        raise FileDamaged("ends before its list of events does (was the file cut short?)")


def _of_batches(text: TextWindow, offset: int) -> Iterator[SourceRow]:
    """The events of batches, one batch after the other, from that offset on."""
    while _next_byte(text):
        batch = _batch(text)
        if offset < batch.end:
            text.move_to(max(batch.inside, offset))
            while _next_byte(text) and text.offset < batch.list_end - 1:
                row = _row(text)
                if row.end >= batch.list_end:
                    raise FileDamaged(f"has a batch that is not JSON, on line {row.line:,}")
                yield batch.completed(row)
        text.move_to(batch.end)


class _Batch(NamedTuple):
    """An object with a list named `batch`, by offsets in the stream."""

    inside: int
    """Where the first event begins."""
    list_end: int
    end: int
    common: Event
    """The fields for all of its events."""

    def completed(self, row: SourceRow) -> SourceRow:
        """The row with the common fields."""
        if row.values is None or not self.common:
            return row
        event = with_common_fields(self.common, row.values)
        return row._replace(values=event, raw=json_bytes(event))


def _batch(text: TextWindow) -> _Batch:
    """The batch that comes next, as a whole: its common fields may follow its events. Raises `FileDamaged`."""
    inside = _inside_batch(text)
    if inside == NO_BATCH:
        raise _something_else(text)
    inside -= text.at
    list_end = _closed(text, inside)
    end = _closed(text, list_end)
    given = text.data[text.at :][:end]
    said, problem = read_event(given[:inside] + b"]" + given[list_end:])
    if said is None or given[list_end - 1 : list_end] != b"]":
        raise FileDamaged(f"has a batch that is not JSON, on line {text.line():,}" + (problem and f" ({problem})"))
    return _Batch(
        inside=text.offset + inside,
        list_end=text.offset + list_end,
        end=text.offset + end,
        common={key: said[key] for key in _COMMON if key in said},
    )


def _closed(text: TextWindow, inside: int) -> int:
    """Where the bracket closes inside which that is, both counted from what comes next. Raises `FileDamaged`."""
    brackets = Brackets(depth=1)
    while (end := brackets.end(text.data, text.at + inside)) is None:
        inside = len(text.data) - text.at
        place = f"the batch that begins on line {text.line():,}, at byte {text.offset:,}"
        if inside > LONGEST_LINE:
            limit = f"{LONGEST_LINE // 1024 // 1024} MiB"
            raise FileDamaged(f"cannot be read past {place}: it is longer than {limit}: write its list alone")
        if not text.more():
            raise FileDamaged(f"ends in the middle of {place} (was the file cut short?)")
    return end - text.at


def _something_else(text: TextWindow) -> FileDamaged:
    return FileDamaged(f"has something else after its list of events, on line {text.line():,}")


def _inside_batch(text: TextWindow) -> int:
    """The index inside the list of the batch that comes next, or `NO_BATCH`."""
    if text.data[text.at : text.at + 1] != b"{":
        return NO_BATCH
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
    raw = _end(text) if begins in (b"{", b"[") else _other(text)
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


def _end(text: TextWindow) -> bytes:
    """Goes to where the next bracket closes; returns what is before that, but not much more than the limit.

    Raises `FileDamaged` where it does not close.
    """
    brackets = Brackets()
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
