"""What holds for every event, however odd: hypothesis looks for one that breaks it."""

import copy

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from sfmap.engine.load import compile_mappings, mapping_sources
from sfmap.engine.mapping.mapper import Mapper
from sfmap.engine.mapping.record import Event, Json, Record
from sfmap.engine.mapping.render import as_json
from sfmap.engine.mapping.values import length

from ..strategies import EVENTS, JSON, KEYS

MAPPER = Mapper(compile_mappings(mapping_sources(None), (), {}))
LIMITS = {
    (compiled.mapping.name, rule.field): rule.max
    for compiled in MAPPER.mappings
    for rule in compiled.mapping.rules
    if rule.max
}


@given(EVENTS)
@example({"type": "group", "groupId": float("nan"), "traits": {"name": "x"}, "integrations": {"Salesforce": True}})
def test_any_event_gives_records_a_skip_or_a_rejection(event: Event) -> None:
    before = copy.deepcopy(event)
    first, second = MAPPER.map(event), MAPPER.map(event)
    assert repr(event) == repr(before)
    assert repr(first) == repr(second)
    assert first
    for mapped in first:
        assert orjson.dumps(as_json(1, mapped))
        if isinstance(mapped, Record):
            check_lengths(mapped)


def check_lengths(record: Record) -> None:
    written = {**record.fields, **record.create_only, **record.update_only}
    for field, value in written.items():
        limit = LIMITS.get((record.mapping, field))
        if limit and isinstance(value, str):
            assert length(value) <= limit


@given(st.dictionaries(KEYS, JSON, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(traits: dict[str, Json], random: st.DataObject) -> None:
    normal = {"".join(c for c in key.casefold() if c not in " _-").removesuffix("c") for key in traits}
    if len(normal) < len(traits):
        return  # keys that collide resolve by their order
    keys = list(traits)
    random.shuffle(keys)  # type: ignore[attr-defined]  # hypothesis hands a random.Random
    one: Event = {"type": "identify", "userId": "a@b.co", "traits": traits, "integrations": {"Salesforce": True}}
    other: Event = {**one, "traits": {key: traits[key] for key in keys}}
    left, right = (as_json(1, *MAPPER.map(event)) for event in (one, other))
    assert left.get("fields") == right.get("fields")
