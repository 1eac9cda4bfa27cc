"""No value is lost in silence: hypothesis looks for a trait that is neither delivered nor named.

The oracle reads the mapping's YAML and what `render` and `check --coverage` say; it takes nothing from the engine.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from sfmap.engine.inspect.coverage import cover
from sfmap.engine.inspect.payload import as_json
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.project.loading import ChosenMappings, compile_mappings
from sfmap.engine.yaml_files.diagnostics import Source

Path = tuple[str | int, ...]

CHOOSERS = {"first", "last", "if_email", "last_name", "unless_object"}
PARTS = {"first_name", "domain"}
"""What keeps a part of a text: of a joined list, that is one item."""
KEYS = ("alpha", "Alpha", "beta", "gamma", "delta", "odd-key")
PATHS = ("alpha", "beta", "gamma", "alpha.beta", "alpha.beta.gamma", "beta[0]", "gamma[1].alpha", "delta.odd-key")
PIPES = (
    *sorted(CHOOSERS),
    "date",
    "number",
    "int",
    "bool",
    "upper",
    "first_name",
    "json",
    "join",
    "domain",
    "phone",
)

SOURCES = st.builds(
    lambda path, pipes: " | ".join((f"traits.{path}", *pipes)),
    st.sampled_from(PATHS),
    st.lists(st.sampled_from(PIPES), max_size=2),
)
RULES = st.fixed_dictionaries(
    {"from": st.lists(SOURCES, min_size=1, max_size=3, unique=True)},
    optional={
        "type": st.sampled_from(("string", "integer", "number", "phone", "picklist")),
        "default": st.just("7"),
        "on_invalid": st.just("reject"),
    },
)
MAPPINGS = st.builds(
    lambda rules, custom: {
        "sfmap": 1,
        "event": "identify",
        "object": "Thing__c",
        "match": "Key__c",
        "fields": {"Key__c": "userId", **{f"F{place}__c": rule for place, rule in enumerate(rules)}},
        **custom,
    },
    st.lists(RULES, min_size=1, max_size=4),
    st.sampled_from(
        (
            {},
            {"custom": {"from": "traits"}},
            {"custom": {"from": "traits", "except": ["delta"]}},
            {"custom": {"from": "traits.alpha", "objects": "flatten", "lists": "json"}},
        )
    ),
)
KINDS = st.sampled_from(("text", "number", "date", "email"))
TRAITS = st.dictionaries(
    st.sampled_from(KEYS),
    st.recursive(
        KINDS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
        max_leaves=6,
    ),
    max_size=5,
)


def told_apart(shape: Any, count: Iterator[int]) -> Any:
    """The shape with a value of its own at each end, so that the payload says which of them it has."""
    if isinstance(shape, dict):
        return {key: told_apart(member, count) for key, member in shape.items()}
    if isinstance(shape, list):
        return [told_apart(item, count) for item in shape]
    number = next(count)
    return {
        "text": f"word{number}x",
        "number": 700_000 + number,
        "date": f"{1800 + number}-01-02",
        "email": f"mail{number}x@host{number}x.example",
    }[shape]


def ends(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from ends(member, (*path, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from ends(item, (*path, place))
    else:
        yield path, value


def named(text: str) -> Iterator[Path]:
    """The traits that a note, reason or source names."""
    for found in re.findall(r"traits((?:\.[\w-]+|\[-?\d+\])+)", text):
        steps = re.findall(r"\.([\w-]+)|\[(-?\d+)\]", found)
        yield tuple(int(place) if place else name for name, place in steps)
    yield from ((name,) for name in re.findall(r"the trait ([\w-]+) (?:is|has|cannot)", text))


def chosen_against(mapping: dict[str, Any], traits: Any, written: dict[str, Any]) -> Iterator[Path]:
    """What the mapping leaves out by name: sources after the one that was taken, and what filters choose from."""
    for field, rule in mapping["fields"].items():
        sources = rule["from"] if isinstance(rule, dict) else []
        for source in sources:
            pipes = {pipe.strip() for pipe in source.split("|")[1:]}
            if pipes & CHOOSERS or ("join" in pipes and pipes & PARTS):
                yield from named(source)
        taken = [place for place, source in enumerate(sources) if gave(source, traits, written.get(field))]
        if not taken and written.get(field) in ("[]", "{}"):
            taken = [0]
        for source in sources[min(taken) + 1 :] if taken else ():
            yield from named(source)
    yield from ((key,) for key in mapping.get("custom", {}).get("except", ()))


def as_sent(path: Path, traits: Any) -> Path:
    """The path in the event's own spelling."""
    sent: Path = ()
    for step in path:
        if isinstance(traits, dict) and step not in traits:
            step = next((key for key in traits if key.casefold() == str(step).casefold()), step)
        sent = (*sent, step)
        is_there = (
            step in traits if isinstance(traits, dict) else isinstance(traits, list) and step in range(len(traits))
        )
        traits = traits[step] if is_there else {}
    return sent


def gave(source: str, traits: Any, content: Any) -> bool:
    (path,) = named(source)
    start = as_sent(path, traits)
    return any(path[: len(start)] == start and is_in(value, {"": content}) for path, value in ends(traits))


def is_in(value: Any, written: dict[str, Any]) -> bool:
    """Whether a field has the value, or what a filter makes of it."""
    mark = re.sub(r"\D", "", str(value).rpartition("@")[2]) if not isinstance(value, int) else str(value)
    return mark in re.sub(r"[^0-9A-Za-z]", "", json.dumps(written))


@given(MAPPINGS, TRAITS)
@example(
    {
        "sfmap": 1, "event": "identify", "object": "Thing__c", "match": "Key__c",
        "fields": {"Key__c": "userId", "F0__c": {"from": ["traits.alpha.beta", "traits.alpha"]}},
    },
    {"alpha": {"gamma": "text", "delta": ["number"]}},
)  # fmt: skip
@example(
    {
        "sfmap": 1, "event": "identify", "object": "Thing__c", "match": "Key__c",
        "fields": {"Key__c": "userId", "F0__c": {"from": ["traits.alpha | date"], "default": "7"}},
    },
    {"alpha": "text"},
)  # fmt: skip
@example(
    {
        "sfmap": 1, "event": "identify", "object": "Thing__c", "match": "Key__c",
        "fields": {"Key__c": "userId", "F0__c": {"from": ["traits.alpha | if_email"]}},
    },
    {"Alpha": "text"},
)  # fmt: skip
@example(
    {
        "sfmap": 1, "event": "identify", "object": "Thing__c", "match": "Key__c",
        "fields": {"Key__c": "userId", "F0__c": {"from": ["traits.alpha | join | first_name"]}},
    },
    {"alpha": ["text", "text"]},
)  # fmt: skip
@example(
    {
        "sfmap": 1, "event": "identify", "object": "Thing__c", "match": "Key__c",
        "fields": {"Key__c": "userId", "F0__c": {"from": ["traits.alpha | join | domain"]}},
    },
    {"alpha": ["email", "email"]},
)  # fmt: skip
@example(
    {
        "sfmap": 1, "event": "identify", "object": "Thing__c", "match": "Key__c",
        "fields": {"Key__c": "userId"}, "custom": {"from": "traits.alpha", "objects": "flatten", "lists": "json"},
    },
    {"alpha": {"odd-key": ["text"]}},
)  # fmt: skip
@example(
    {
        "sfmap": 1, "event": "identify", "object": "Thing__c", "match": "Key__c",
        "fields": {"Key__c": "userId"}, "custom": {"from": "traits.alpha", "objects": "flatten"},
    },
    {"alpha": "text", "Alpha": {"alpha": "text"}},
)  # fmt: skip
def test_every_value_is_delivered_or_named(mapping: dict[str, Any], shape: dict[str, Any]) -> None:
    traits = told_apart(shape, iter(range(100, 200)))
    event: Any = {"type": "identify", "userId": "u-1", "traits": traits}
    mapper = Mapper(compile_mappings(ChosenMappings(sources={"thing": Source("thing.yaml", json.dumps(mapping))})))
    (line,) = (as_json(1, mapped) for mapped in mapper.map(event))
    if "rejected" in line:
        assert list(named(str(line["rejected"])))
        return
    written: Any = line["fields"]
    notes: Any = line["notes"]
    (coverage,) = cover(mapper.mappings, [event])
    told = [path for text in (*notes, *coverage.unread) for path in named(text)]
    told += chosen_against(mapping, traits, written)
    told = [as_sent(path, traits) for path in told]
    nameless = [
        note.partition(":")[0]
        for note in notes
        if note.endswith("this trait's name cannot be the name of a field")
    ]
    for path, value in ends(traits):
        key = next(step for step in reversed(path) if isinstance(step, str))
        if any(key in name for name in nameless):
            continue
        assert is_in(value, written) or any(path[: len(one)] == one for one in told), (path, line, coverage.unread)
