"""YAML is read as YAML 1.2, with the position of each part."""

import pytest

from sfmap.engine.yaml_files.diagnostics import Source
from sfmap.engine.yaml_files.nodes import ScalarNode, TableNode, YamlValue, read_yaml

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
def test_scalars_are_read_as_yaml_1_2(text: str, value: YamlValue) -> None:
    root, mistakes = read_yaml(Source("a.yaml", f"key: {text}\n"))
    assert isinstance(root, TableNode)
    node = root.entries[0][1]
    assert isinstance(node, ScalarNode)
    assert (node.value, type(node.value), mistakes) == (value, type(value), [])


def test_aliases_are_resolved() -> None:
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
def test_a_part_of_a_text_has_its_own_position(text: str, word: str, place: tuple[int, int]) -> None:
    root, _ = read_yaml(Source("a.yaml", text))
    assert isinstance(root, TableNode)
    node = root.entries[0][1]
    assert isinstance(node, ScalarNode)
    span = node.part(node.text.index(word), len(word))
    assert (span.line, span.column) == place
