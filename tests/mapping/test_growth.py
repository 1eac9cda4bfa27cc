"""A value of eight times the size takes about eight times as long: in filters, types, paths and whole events."""

from collections.abc import Callable, Iterable, Mapping
from typing import get_args

import pytest

from sfmap.engine.inspect.explanation import explain
from sfmap.engine.language.model import SourcePath, ValueType
from sfmap.engine.mapping.compile.sandbox import ENVIRONMENT
from sfmap.engine.mapping.compile.source_paths import compile_source
from sfmap.engine.mapping.compile.templates import compile_template
from sfmap.engine.mapping.filters.filter import Filter
from sfmap.engine.mapping.filters.registry import FILTERS
from sfmap.engine.mapping.run.compiled_source import CompiledSource, TemplateFailed
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Event, Json, Record, Rejected
from sfmap.engine.mapping.values.values import Unfit, clean_text, convert, cut, length, scalar
from sfmap.engine.project.loading import ChosenMappings, compile_mappings, mapping_sources
from sfmap.engine.yaml_files.diagnostics import Source, Span, did_you_mean
from sfmap.engine.yaml_files.nodes import ScalarNode
from sfmap.engine.yaml_files.reader import DiagnosticReport

from .growth import MOST, Work, growth, peak, seconds

_BYTES = 1_000
"""For each character or item: what a Python list of texts and its copy take."""

UNITS = (
    " ", "\u3000", "\r\n", "0", "1", "\u0660", "a", "é", "\ufdfa", "Σ.", "\u0301", "\u0345\u0334", "\u200d",
    "\U0001f468\u200d", "\U0001f1e9", "\u0600", "\u0915\u094d", "\ud800", "\x00", ".", ",", ";", ";1", "-", "_",
    "@", "a@", "a.", "x1", "x", "ext ", "1 ", "1,", ",111", "$", "<b>", "(", '{"a":', "[],", '"', "\\", "://", "+",
)  # fmt: skip
ENDS = (("", ""), ("1", "x"), ("a@b", "!"), ("+49", " 1"))


def nested(depth: int) -> Json:
    value: Json = "x"
    for _ in range(min(depth, 300)):
        value = {"a": [value], "b": "y"}
    return value


def repeated(first: str, unit: str, last: str) -> Callable[[int], Json]:
    return lambda size: first + unit * (size // len(unit)) + last


Values = Mapping[str, Callable[[int], Json]]


def texts_between(ends: Iterable[tuple[str, str]]) -> Values:
    return {f"{first}{unit!r}...{last}": repeated(first, unit, last) for unit in UNITS for first, last in ends}


VALUES: Values = {
    **texts_between(ENDS[:1]),
    "numbers": lambda n: list(range(n)),
    "texts": lambda n: ["x y"] * n,
    "long texts": lambda n: ["x" * 99] * (n // 100),
    "lists": lambda n: [[1]] * n,
    "a nested list": nested,
    "keys": lambda n: {f"key{number}": number for number in range(n)},
    "long keys": lambda n: {f"{number}{'k' * 200}": 1 for number in range(n // 200)},
    "a long key above many": lambda n: {"k" * n: {f"{number}": 1 for number in range(n)}},
    "objects": lambda n: [{"a": number} for number in range(n)],
    "a long number": lambda n: 10 ** min(n, 4_000),
}


def done(function: Callable[..., object], *arguments: object) -> object:
    """The result; None where it gives up."""
    try:
        return function(*arguments)
    except (Unfit, TemplateFailed):
        return None


each_values = pytest.mark.parametrize(
    "values",
    [
        pytest.param(VALUES, id="values"),
        pytest.param(texts_between(ENDS[1:]), id="texts between others", marks=pytest.mark.soak),
    ],
)


def offences(function: Callable[[Json], object], values: Values) -> dict[str, float]:
    """By kind of value, how the time grows where it grows too fast."""

    def work(make: Callable[[int], Json]) -> Work:
        def of_size(size: int) -> Callable[[], object]:
            value = make(size)
            return lambda: done(function, value)

        return of_size

    ratios = {name: growth(work(make)) for name, make in values.items()}
    return {name: ratio for name, ratio in ratios.items() if ratio > MOST}


def greed(function: Callable[[Json], object], values: Values, size: int = 2**12) -> dict[str, int]:
    """By kind of value, the bytes held where they are more than the value accounts for."""
    made = {name: make(size) for name, make in values.items()}
    peaks = {name: peak(lambda value=value: done(function, value)) for name, value in made.items()}  # type: ignore[misc]
    return {name: most for name, most in peaks.items() if most > _BYTES * size}


USES = [
    pytest.param(known, arguments, id=f"{known.name}{arguments}")
    for known in FILTERS.values()
    for arguments in dict.fromkeys(example.arguments for example in known.examples)
]


@each_values
@pytest.mark.parametrize(("known", "arguments"), USES)
def test_a_filter_takes_linear_time_and_memory(known: Filter, arguments: tuple[Json, ...], values: Values) -> None:
    filtered = known.called(arguments)

    assert offences(filtered, values) == {}
    assert greed(filtered, values) == {}


@each_values
@pytest.mark.parametrize("kind", get_args(ValueType))
def test_a_type_conversion_takes_linear_time(kind: ValueType, values: Values) -> None:
    assert offences(lambda value: None if isinstance(value, (list, dict)) else convert(value, kind), values) == {}  # type: ignore[arg-type]


@each_values
@pytest.mark.parametrize("function", [clean_text, length, scalar, lambda text: cut(text, 131_072)])
def test_text_functions_take_linear_time(function: Callable[[str], object], values: Values) -> None:
    assert offences(lambda value: function(value) if isinstance(value, str) else None, values) == {}


def test_suggestions_take_linear_time() -> None:
    names = [f"{name}{'x' * number}" for number in range(300) for name in ("Plan__c", "Name")]
    assert growth(lambda size: lambda: did_you_mean("plan" * size, [*names, "plan" * size + "s"])) < MOST


def node(text: str) -> ScalarNode:
    return ScalarNode(text, text, Span(Source("test", text), 1, 1), 0, 0)


def template(text: str) -> CompiledSource:
    report = DiagnosticReport()
    compiled = compile_template(node(text), report)
    assert compiled, report.diagnostics
    return compiled


def path(text: str) -> CompiledSource:
    report = DiagnosticReport()
    compiled = compile_source(SourcePath(text, node(text)), report)
    assert compiled, report.diagnostics
    return compiled


ARGUMENTS = {
    "map": "'upper'",
    "select": "'in', traits.list",
    "reject": "'eq', traits.text",
    "selectattr": "'a', 'in', traits.list",
    "rejectattr": "'a', 'eq', traits.text",
    "groupby": "'a'",
    "sum": "start=[]",
    "round": "traits.size",
    "join": "traits.text",
    "replace": "'x', traits.text",
    "default": "traits.text",
    "truncate": "traits.size",
}
"""Of filters that need some, or do more with some."""
HOLDERS = ("text", "objects")


def called(name: str) -> str:
    if name in ARGUMENTS:
        return f"{name}({ARGUMENTS[name]})"
    examples = FILTERS[name].examples if name in FILTERS else ()
    arguments = next((example.arguments for example in examples if example.arguments), ())
    return f"{name}({', '.join(map(repr, arguments))})"


EXPRESSIONS = [
    *(f"traits.{holder} | {called(name)}" for name in ENVIRONMENT.filters for holder in HOLDERS if name[0] != "_"),
    *(
        f"traits.{holder} is {name}(traits.{holder})"
        for name in ("in", "eq", "lt", "upper", "string")
        for holder in HOLDERS
    ),
    *(f"traits.text.{name}()" for name in ("upper", "split", "strip", "isalpha", "splitlines", "swapcase")),
    *(f"traits.text.{name}(traits.other)" for name in ("count", "find", "partition", "removeprefix", "split")),
    "item in traits.list",
    "item == traits.text",
    "traits.text == traits.other",
    "traits.text + item",
    "traits.text ~ item",
    "traits.text * traits.size",
    "traits.list * traits.size",
    "traits.size ** traits.size",
    "traits.text[1:]",
    "traits.list[:-1] | length",
    "traits.NoSuchTrait",
    "traits.wide.no_such_key",
    "traits.wide[item ~ '!']",
    "range(traits.size) | sum",
    "traits.list | map('replace', 'x', traits.text) | list | length",
    "traits.list | map('upper') | join",
    "traits.lists | sum(start=[]) | length",
    "traits.text | date(none, traits.text)",
    "traits.text | replace_regex('(x+)+y', '')",
    "traits.text | split('x') | join(traits.text)",
]


def stuffed(size: int) -> Event:
    return {
        "traits": {
            "text": "x" * size,
            "other": "x" * (size - 1) + "y",
            "list": [f"x{number}" for number in range(size)],
            "lists": [[number] for number in range(size)],
            "objects": [{"a": f"x{number}"} for number in range(size)],
            "wide": {f"key {number}": number for number in range(size)},
            "size": size,
        }
    }


ALL_STEPS = template("{% for number in range(49_990) %}{% endfor %}")
STUFFED = stuffed(2**14)
STUFFED_LESS = stuffed(2**12)
_TIMES = 50
"""What a step may cost, against one of an empty loop."""


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_template_takes_bounded_time_and_memory(expression: str) -> None:
    """Alone, and within a loop over the event's list: no event makes it cost more than its steps do."""
    alone = template(f"{{{{ {expression} }}}}")
    in_a_loop = template(f"{{% for item in traits.list %}}{{% if {expression} %}}{{% endif %}}{{% endfor %}}")
    most = seconds(lambda: ALL_STEPS.get({}), 3) * _TIMES
    assert seconds(lambda: done(alone.get, STUFFED), 1) < most
    assert seconds(lambda: done(in_a_loop.get, STUFFED), 1) < most
    assert peak(lambda: done(alone.get, STUFFED_LESS)) < 10_000_000


PATHS = [
    "$..id",
    "$..a..b",
    "$..a..a..a",
    "$..a..*",
    "traits.*.*",
    "traits.list[*]",
    "traits.objects[?(@.a == 'x1')].a",
    "traits.objects[/a][0].a",
    "traits.objects[*].a | first",
    "traits.text * traits.size",
    "traits.number * traits.number",
    "traits.text + traits.text",
    "traits.list | join | split('x') | join | slug | title | phone",
]


def nested_too(size: int) -> Event:
    event = stuffed(size)
    assert isinstance(event["traits"], dict)
    deep: Json = "x"
    for _ in range(min(size // 8, 400)):
        deep = {"a": deep, "b": 1}
    event["traits"] |= {"deep": [deep] * (size // 100), "number": 10 ** min(size, 4_000)}
    return event


@pytest.mark.parametrize("text", PATHS)
def test_a_path_takes_linear_time(text: str) -> None:
    source = path(text)

    def work(size: int) -> Callable[[], object]:
        event = nested_too(size)
        return lambda: done(source.get, event)

    assert growth(work, (2**9, 2**12, 2**14)) < MOST
    assert peak(work(2**11)) < 30_000_000


MAPPING = """
sfmap: 1
event: [identify, {type: track, name: "a*b*c*d*e*f"}]
for_each: traits.items
object: Line__c
match: [Key__c, Name]
fields:
  Key__c: {template: "{{ userId }}-{{ index }}{{ traits.bio | upper }}", max: 20}
  Name: {from: [item.name | first_name, traits.name | last_name], max: 9}
  City: {from: [traits.address.city, traits.city, traits.town | title], write: create}
  Phone: {from: [traits.phone | phone, traits.mobile], max: 40}
  Rating: {from: traits.rating, values: {hot: Hot}, else: Cold}
custom: {from: traits, objects: flatten, lists: join, rename: snake}
"""
MAPPER = Mapper(
    compile_mappings(
        ChosenMappings(
            sources={"line": Source("line.yaml", MAPPING), **mapping_sources(None)},
            use=(node("line"), node("lead")),
        )
    )
)
TRAITS: dict[str, Callable[[int], dict[str, Json]]] = {
    "plain traits": lambda n: {f"t{number}": 1 for number in range(n)},
    "traits to look at": lambda n: {f"T {number}": f" {number}" for number in range(n)},
    "keys that cannot be fields": lambda n: {f"{number}{'k' * 999}": 1 for number in range(n // 1_000)},
    "parts of an address": lambda n: {"address": {f"t{number}": 1 for number in range(n)}},
    "a long key above many": lambda n: {"a": {"k" * n: {"l" * n: {f"{number}": 1 for number in range(n)}}}},
    "long texts": lambda n: dict.fromkeys("name title phone address company bio city rating".split(), "é " * n),
    "many lists": lambda n: {f"t{number}": [1, 2, [3]] for number in range(n)},
    "nested": lambda n: {"address": nested(n), "a": nested(n)},
}


ITEMS: dict[str, Callable[[int], dict[str, Json]]] = {
    "items": lambda n: {"items": [{"name": f"a b{number}"} for number in range(n)]},
    "items beside traits": lambda n: {"items": [1] * n, **{f"t{number}": 1 for number in range(n)}},
    "items beside a text": lambda n: {"items": [1] * n, "note": "x" * n},
}

_LARGE = 2**15 + 64
"""Of an eighth of it, too, the keys are more than are kept in mind, so that both go the same way."""


def event_of(traits: dict[str, Json]) -> Event:
    return {
        "type": "identify",
        "traits": {"email": "a@b.co", **traits},
        "integrations": {"Salesforce": True},
    }


@pytest.mark.parametrize("make", TRAITS.values(), ids=TRAITS)
def test_an_event_takes_linear_time(make: Callable[[int], dict[str, Json]]) -> None:
    def work(size: int) -> Callable[[], object]:
        event = event_of(make(size))
        return lambda: MAPPER.map(event)

    assert growth(work, [_LARGE]) < MOST


@pytest.mark.parametrize("make", TRAITS.values(), ids=TRAITS)
def test_notes_and_reasons_are_short(make: Callable[[int], dict[str, Json]]) -> None:
    for mapped in MAPPER.map(event_of(make(2_000))):
        said = [str(note) for note in mapped.notes] if isinstance(mapped, Record) else [mapped.reason]
        assert max(map(len, said), default=0) < 400


ENDED = [
    ("items", 10_001, "for_each: traits.items has 10,001 items; 10,000 is the most"),
    ("items beside a text", 9_000, "items make records of more than 50,000,000 characters"),
]


@pytest.mark.parametrize(("name", "size", "words"), ENDED, ids=[name for name, *_ in ENDED])
def test_too_many_items_are_rejected(name: str, size: int, words: str) -> None:
    event = event_of(ITEMS[name](size))
    rejected, *_ = MAPPER.map(event)
    assert isinstance(rejected, Rejected)
    assert words in rejected.reason
    first, *_ = explain(MAPPER, event)
    assert first.mapped == rejected


def test_an_event_name_takes_linear_time() -> None:
    def work(size: int) -> Callable[[], object]:
        event: Event = {"type": "track", "event": "abcde" * size}
        return lambda: MAPPER.map(event)

    assert growth(work) < MOST
    (mapped,) = MAPPER.map({"type": "x" * 9_999})
    assert not isinstance(mapped, Record)
    assert len(mapped.reason) < 200
