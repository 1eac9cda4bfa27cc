"""The source paths of samples and caught events, for completion: how often each is filled, and who reads it."""

from collections.abc import Iterable, Sequence

from sfmap.engine.inspect.traits.rule_readers import Reader, read_by
from sfmap.engine.inspect.traits.trait_inventory import Inventory, PathSeen
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.mapping.values.record import Event

_EXAMPLES = 3
_LONGEST_EXAMPLE = 80


def seen_paths(events: Iterable[Event], mappings: Sequence[CompiledMapping]) -> list[dict[str, object]]:
    """Each path once, those in most events first."""
    inventory = Inventory()
    for event in events:
        inventory.add(event)
    readers: dict[str, list[Reader]] = {}
    for kind in inventory.kinds():
        for seen in kind.paths:
            readers.setdefault(seen.text, []).extend(read_by(mappings, kind, seen.path))
    paths = sorted(inventory.paths(), key=lambda seen: -seen.filled)
    return [_shown(seen, readers.get(seen.text, []), inventory.events) for seen in paths]


def _shown(seen: PathSeen, readers: Sequence[Reader], events: int) -> dict[str, object]:
    return {
        "path": seen.text,
        "types": list(seen.types),
        "filled": seen.filled,
        "events": events,
        "examples": [example[:_LONGEST_EXAMPLE] for example in list(seen.examples)[:_EXAMPLES]],
        "read_by": [reader.as_json() for reader in dict.fromkeys(readers)],
    }
