"""The inventory of traits: exact for usual events, and bounded for any."""

from collections import Counter
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.inspect.traits.trait_inventory import (
    MOST_EXAMPLES,
    MOST_KINDS,
    MOST_NAMES,
    MOST_PATHS,
    Inventory,
    SeenPath,
    inventory_of,
)
from sfmap.engine.mapping.values.record import Event, Json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)
EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["identify", "group"])}, optional={"properties": VALUES, "extra": VALUES}
)


@given(st.lists(EVENTS, max_size=6))
def test_every_value_is_counted_at_its_path(events: list[Event]) -> None:
    expected: Counter[SeenPath] = Counter()
    filled: Counter[SeenPath] = Counter()
    for event in events:
        leaves = [
            (path, one) for key, value in event.items() if key != "type" for path, one in below((key,), value)
        ]
        expected.update(path for path, _ in leaves)
        filled.update({path for path, one in leaves if fills(one)})
    inventory = inventory_of(events)
    assert {seen.path: sum(seen.types.values()) for seen in inventory.paths()} == expected
    assert {seen.path: seen.filled for seen in inventory.paths() if seen.filled} == filled
    of_kinds = sum(
        (Counter({seen.path: seen.filled}) for one in inventory.kinds() for seen in one.paths), Counter()
    )
    assert of_kinds == filled


def below(path: SeenPath, value: Json) -> Iterator[tuple[SeenPath, Json]]:
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from below((*path, key), one)
    elif isinstance(value, list) and value:
        for one in value:
            yield from below((*path, None), one)
    else:
        yield path, value


def fills(value: Json) -> bool:
    return not isinstance(value, (dict, list)) and value is not None and str(value).strip() != ""


def test_traits_of_the_context_are_counted_as_the_rules_see_them() -> None:
    mine: Event = {"type": "identify", "traits": {"a": 1}, "context": {"traits": {"a": 1}, "ip": "10.0.0.1"}}
    theirs: Event = {"type": "identify", "context": {"traits": {"a": 1}, "integrations": {"All": True}}}
    assert {seen.text: seen.filled for seen in inventory_of([mine]).paths()} == {
        "traits.a": 1,
        "context.traits.a": 1,
        "context.ip": 1,
    }
    assert {seen.text: seen.filled for seen in inventory_of([theirs]).paths()} == {
        "traits.a": 1,
        "integrations.All": 1,
    }


def test_the_inventory_is_bounded() -> None:
    inventory = Inventory()
    for number in range(1_000):
        traits: Event = {f"{number}-{key}": {f"{number}-{key}": number} for key in range(20)}
        inventory.add({"type": "track", "event": f"Name {number}", "properties": {"id": f"{number}", **traits}})
        inventory.add({"type": f"type {number}", "traits": {"text": f"{number}" * 1_000}})
        inventory.add({"type": "identify", "traits": {"id": number, **traits}})
    kinds = inventory.kinds()
    assert len(kinds) <= MOST_KINDS + 2
    paths = [seen for one in kinds for seen in one.paths]
    assert len(paths) <= MOST_PATHS
    assert max(len(seen.examples) for seen in paths) == MOST_EXAMPLES
    assert max(len(text) for seen in paths for text in seen.examples) < 100
    identify = next(one for one in kinds if one.type == "identify")
    names = {seen.path[1] for seen in identify.paths}
    assert len(names) == MOST_NAMES + 1
    assert "*" in names
    seen = next(one for one in identify.paths if one.text == "traits.id")
    assert (seen.filled, seen.has_more) == (1_000, True)


def test_values_at_more_paths_than_are_kept_are_counted() -> None:
    wide: Json = {f"a{one}": {f"b{other}": 1 for other in range(200)} for one in range(200)}
    inventory = inventory_of([{"type": "identify", "traits": wide}])
    assert 0 < len(inventory.paths()) <= MOST_PATHS
    assert inventory.unlisted > 200
