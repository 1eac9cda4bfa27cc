"""The lines of files of records: each has a record of one event, or one that several events were folded into."""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from sfmap.engine.mapping.values.record import Json
from sfmap.engine.messages.counts import counted
from sfmap.engine.sources.event_source import Received
from sfmap.engine.sources.reading import json_bytes, read_event

_EVENTS = "events"
_COUNT = "count"
_RAW = "raw"
_MOST_SHOWN = 8


class NotARecord(ValueError):
    """A line is not a record of a back-fill, or is damaged; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsSummary:
    """What a back-fill has made; it is written last, so that without it the records are incomplete."""

    org: str
    """The name of the org that records were fitted to; empty for the project's default."""
    mappings: str
    """The digest of the mappings."""
    events: int
    """The number of events that were read."""
    records: int
    recorded: int
    """The number of events in the records; one that makes several is counted in each."""
    skipped: Mapping[str, int]
    """By reason."""
    rejected: Mapping[str, int]
    """By reason."""

    def as_json(self) -> bytes:
        return orjson.dumps(self, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def of_json(cls, content: bytes) -> "RecordsSummary":
        """Raises `NotARecord`."""
        try:
            return cls(**orjson.loads(content))
        except (orjson.JSONDecodeError, TypeError):
            raise NotARecord("not the summary of a back-fill") from None

    def __str__(self) -> str:
        lines = [f"  read       {self.events:>9,}  {'event' if self.events == 1 else 'events'}"]
        lines.append(f"  records    {self.records:>9,}  of {counted(self.recorded, 'event')}")
        for name, reasons in (("skipped", self.skipped), ("rejected", self.rejected)):
            if reasons:
                lines.append(f"  {name:<10} {sum(reasons.values()):>9,}")
                lines += [
                    f"  {'':10} {count:>9,} × {reason}" for reason, count in list(reasons.items())[:_MOST_SHOWN]
                ]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """One event of a record: where it was read, and its JSON as it was read."""

    file: str
    line: int
    raw: bytes
    item_number: int = 0
    """The item of the event's list that makes the record, from 1; 0 if the event makes one record."""


def single_line(mapping: str, single: Single) -> bytes:
    """The line of a record that one event makes: it is mapped when it is delivered."""
    return orjson.dumps(
        {**_place(mapping, single), "item": single.item_number, _RAW: single.raw.decode()},
        option=orjson.OPT_APPEND_NEWLINE,
    )


def folded_line(mapping: str, contents: Mapping[str, object], singles: Sequence[Single]) -> bytes:
    """The line of a record that several events were folded into, in their order."""
    line = {**_place(mapping, singles[0]), _COUNT: len(singles), **contents, _EVENTS: _packed(singles)}
    return json_bytes(line) + b"\n"


def _place(mapping: str, single: Single) -> dict[str, object]:
    return {"mapping": mapping, "file": single.file, "line": single.line}


def _packed(singles: Sequence[Single]) -> str:
    lines = [part for one in singles for part in (orjson.dumps([one.file, one.line, one.item_number]), one.raw)]
    return b64encode(zlib.compress(b"\n".join(lines), 6)).decode()


def folded_events(line: Mapping[str, Json]) -> int:
    """The number of events that were folded into the record; 0 if it is of one event."""
    count = line.get(_COUNT)
    return count if isinstance(count, int) and isinstance(line.get(_EVENTS), str) else 0


def read_record(line: Mapping[str, Json], received: Received, number: int) -> Received:
    """The record as delivery takes it; `number` is that of the last event before it. Raises `NotARecord`."""
    mapping, file, place = line.get("mapping"), line.get("file"), line.get("line")
    if not (isinstance(mapping, str) and isinstance(file, str) and isinstance(place, int)):
        raise NotARecord("not a record of sfmap backfill")
    if folded := folded_events(line):
        return received._replace(number=number + folded, file=file, line=place, row="", folded=folded)
    raw, item_number = line.get(_RAW), line.get("item")
    if not (isinstance(raw, str) and isinstance(item_number, int)):
        raise NotARecord("not a record of sfmap backfill")
    event, problem = read_event(raw.encode())
    return received._replace(
        number=number + 1,
        file=file,
        line=place,
        row="",
        raw=raw.encode(),
        event=event,
        problem=problem,
        part=(mapping, item_number),
    )


def singles(line: Mapping[str, Json]) -> Iterator[Single]:
    """The events of a folded record, in order. Raises `NotARecord`."""
    try:
        lines = zlib.decompress(b64decode(str(line[_EVENTS]), validate=True)).split(b"\n")
        for place, raw in zip(lines[::2], lines[1::2], strict=True):
            file, number, item_number = orjson.loads(place)
            yield Single(file=file, line=number, item_number=item_number, raw=raw)
    except (zlib.error, ValueError, KeyError) as error:
        raise NotARecord("the events of this record are damaged") from error


def as_received(single: Single, mapping: str, number: int) -> Received:
    """The event of a folded record on its own, as delivery takes it."""
    event, problem = read_event(single.raw)
    return Received(
        number=number,
        file=single.file,
        line=single.line,
        raw=single.raw,
        event=event,
        problem=problem,
        part=(mapping, single.item_number),
    )
