"""How events may be shared out so that each record is written in order, and by one worker at a time."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from sfmap.engine.delivery.item import lookup_key
from sfmap.engine.language.model import EventPattern, Mapping
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.mapping.values.record import Event, Mapped, Record, RecordReference
from sfmap.engine.yaml_files.diagnostics import listed

_ID_WITHOUT_CHECK = 15
_ID_WITH_CHECK = 18


def partition_key(event: Event, mapped: Sequence[Mapped]) -> str:
    """What keeps events together: the first lookup of the event's first record that has one, or else its sender.

    Two values that the org finds the same record by have the same key.
    """
    for one in mapped:
        if isinstance(one, Record) and one.match and not _points(one):
            known = lookup_key(one.object, one.match[0])  # type: ignore[arg-type] # has no references
            values = "&".join(
                f"{name}={_part(str(text))}"
                for name, text in zip(known.fields, known.as_read().values, strict=True)
            )
            return f"{known.object} {values}"
    ids = (event.get(name) for name in ("userId", "anonymousId", "messageId"))
    return next((str(one) for one in ids if isinstance(one, (str, int)) and one != ""), "")


def _points(record: Record) -> bool:
    return any(isinstance(value, RecordReference) for value in record.match[0].values())


def _part(text: str) -> str:
    """The text of a value; of an id in its long form, the short form."""
    is_id = len(text) == _ID_WITH_CHECK and text.isalnum() and text.isascii()
    return text[:_ID_WITHOUT_CHECK] if is_id else text


def dependences(mappings: Sequence[CompiledMapping]) -> list[str]:
    """Why events with different keys may depend on each other; empty if any number of partitions is safe."""
    found = [one.mapping for one in mappings]
    return [*_of_lookups(found), *_of_references(found), *_of_events(found)]


def _of_lookups(mappings: Sequence[Mapping]) -> Iterator[str]:
    for mapping in mappings:
        finds = f"{mapping.name} finds its {mapping.object}"
        if len(mapping.lookups) > 1:
            tried = listed([" and ".join(one.names) for one in mapping.lookups], "or")
            yield f"{finds} by {tried}: events with another key may find the same one"
        if any(one.finds_by_another_value for one in mapping.lookups):
            yield f"{finds} by a value that it does not write: the key of the record may change"
        if mapping.where:
            yield f"{finds} by a condition (where), which other writes may change"
        if mapping.on_duplicate == "update":
            yield f"{mapping.name} updates what a duplicate rule finds (on_duplicate), which may have another key"
    for one, other in combinations(mappings, 2):
        if one.object == other.object and _names(one) != _names(other):
            yield f"{one.name} and {other.name} find their {one.object} by different fields"


def _names(mapping: Mapping) -> list[tuple[str, ...]]:
    return [one.names for one in mapping.lookups]


def _of_references(mappings: Sequence[Mapping]) -> Iterator[str]:
    writers = {mapping.object: mapping.name for mapping in mappings}
    for mapping in mappings:
        references = [rule.reference for rule in mapping.all_rules if rule.reference]
        for name in dict.fromkeys(name for to in references for name in to.objects):
            if name in writers:
                yield f"{mapping.name} looks for the {name} that {writers[name]} writes"


def _of_events(mappings: Sequence[Mapping]) -> Iterator[str]:
    for mapping in mappings:
        if mapping.for_each:
            yield f"{mapping.name} makes several records of one event (for_each), and its key is that of the first"
    for one, other in combinations(mappings, 2):
        if any(_may_meet(first, second) for first in one.events for second in other.events):
            yield f"{one.name} and {other.name} may take the same event, and its key is that of the first record"


def _may_meet(one: EventPattern, other: EventPattern) -> bool:
    """Whether an event may fit both patterns."""
    if one.type != other.type or one.type != "track":
        return one.type == other.type
    names = [pattern.name.text for pattern in (one, other) if pattern.name]
    return len(names) < 2 or names[0] == names[1] or any("*" in name for name in names)
