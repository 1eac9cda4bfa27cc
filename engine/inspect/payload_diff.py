"""Compares two renderings of an event field by field, to show what a change of the mappings does."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Rendering = Sequence[Mapping[str, object]]
"""The records and fates of one event, in the form of `payload.as_json`."""

_TABLES = ("fields", "create_only", "update_only", "if_empty")


@dataclass(frozen=True, slots=True)
class Difference:
    """A change of `what` in one record; None on the side that does not have it."""

    record: str
    """The mapping, and the item if the event has several."""
    what: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.record}  {self.what}: new: {self.after}"
        if self.after is None:
            return f"{self.record}  {self.what}: removed, was {self.before}"
        return f"{self.record}  {self.what}: {self.before} → {self.after}"


def differences(before: Rendering, after: Rendering) -> list[Difference]:
    """The changes, in the order of the fields; empty if there are none."""
    old, new = dict(_named(before)), dict(_named(after))
    found = []
    for name in dict.fromkeys((*old, *new)):
        old_parts, new_parts = dict(_parts(old.get(name, {}))), dict(_parts(new.get(name, {})))
        for what in dict.fromkeys((*old_parts, *new_parts)):
            sides = old_parts.get(what), new_parts.get(what)
            if sides[0] != sides[1]:
                found.append(Difference(name, what, *sides))
    return found


def _named(rendering: Rendering) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The records by mapping and item; a fate without a mapping belongs to the event."""
    seen: dict[str, int] = {}
    for record in rendering:
        name = str(record.get("mapping", "event"))
        if "item" in record:
            name += f" item {record['item']}"
        seen[name] = seen.get(name, 0) + 1
        yield (name if seen[name] == 1 else f"{name} #{seen[name]}"), record


def _parts(record: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for key, value in record.items():
        if key in ("event", "item", "mapping"):
            continue
        if key in _TABLES and isinstance(value, Mapping):
            for field, content in value.items():
                yield (field if key == "fields" else f"{field} ({key.replace('_', ' ')})"), _shown(content)
        elif key == "notes" and isinstance(value, Sequence):
            yield from ((f"note {place}", str(note)) for place, note in enumerate(value, 1))
        elif key == "clear" and isinstance(value, Sequence):
            yield from ((str(field), "cleared") for field in value)
        elif value or key in ("rejected", "skipped"):
            yield key, value if isinstance(value, str) else _shown(value)


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
