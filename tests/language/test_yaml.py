"""YAML is read as YAML 1.2: what stands in a mapping means what it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.mapping.compile import compile_mapping
from sfmap.engine.spec.diagnostics import Mistakes, Source
from sfmap.engine.spec.parse import parse_mapping
from sfmap.engine.spec.source import ScalarNode, TableNode, YamlValue, read_yaml

SCALARS: list[tuple[str, YamlValue]] = [
    ("NO", "NO"),
    ("no", "no"),
    ("on", "on"),
    ("yes", "yes"),
    ("true", True),
    ("False", False),
    ("null", None),
    ("~", None),
    ("", None),
    ("12", 12),
    ("-7", -7),
    ("0777", 777),
    ("0o17", 15),
    ("0x1F", 31),
    ("1_000", "1_000"),
    ("1.5", 1.5),
    ("1e3", 1000.0),
    ("12:30:45", "12:30:45"),
    ("2026-01-02", "2026-01-02"),
    ("'12'", "12"),
    ('"\\u00e9"', "é"),
    ("=", "="),
    ("<<", "<<"),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_scalar(text: str, value: YamlValue) -> None:
    root, mistakes = read_yaml(Source("a.yaml", f"key: {text}\n"))
    assert isinstance(root, TableNode)
    node = root.entries[0][1]
    assert isinstance(node, ScalarNode)
    assert (node.value, type(node.value), mistakes) == (value, type(value), [])


def test_aliases_are_the_nodes_they_name() -> None:
    root, _ = read_yaml(Source("a.yaml", "a: &x {b: 1}\nc: *x\n"))
    assert isinstance(root, TableNode)
    assert root.entries[0][1] == root.entries[1][1]


PLACES = [
    ("a: plain text\n", "text", (1, 10)),
    ("a: 'single quoted'\n", "quoted", (1, 12)),
    ("a: |\n  first\n  second line\n", "line", (3, 10)),
    ('a: "with \\n escape"\n', "escape", (1, 4)),
]


@pytest.mark.parametrize(("text", "word", "place"), PLACES)
def test_a_part_of_a_text_has_its_own_place(text: str, word: str, place: tuple[int, int]) -> None:
    root, _ = read_yaml(Source("a.yaml", text))
    assert isinstance(root, TableNode)
    node = root.entries[0][1]
    assert isinstance(node, ScalarNode)
    span = node.part(node.text.index(word), len(word))
    assert (span.line, span.column) == place


WORDS = st.sampled_from(
    (
        "sfmap event object match fields address custom from to targets parts suffix except template value default"
        " max type required write Email LastName traits.email traits|first {{ }} [ ] { } : - , \n ' \" & * ! | >"
        " 1 true ~ #"
    ).split(" ")
)


@given(st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=40).map(" ".join)))
def test_any_text_gives_a_mapping_or_diagnostics(text: str) -> None:
    try:
        mapping, mistakes = parse_mapping("any", Source("any.yaml", text))
        if mapping:
            _, found = compile_mapping(mapping)
            mistakes += found
    except Mistakes as raised:
        mistakes = list(raised.diagnostics)
    for mistake in mistakes:
        assert mistake.span.line >= 1
        assert mistake.span.column >= 1
        assert mistake.render()
