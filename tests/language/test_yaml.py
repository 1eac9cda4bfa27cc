"""YAML is read as YAML 1.2: what stands in a mapping means what it says."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.inspect.org_check import plain_org, review
from sfmap.engine.language.keys import TABLES, Key
from sfmap.engine.project.loading import check_mappings
from sfmap.engine.yaml_files.diagnostics import Source
from sfmap.engine.yaml_files.nodes import ScalarNode, TableNode, YamlValue, read_yaml

PLAIN = plain_org(None)

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
        " 1 true ~ # extends lead when for_each values else on_null clear write empty where external_id object by"
        " operation delete null traits.a|replace_regex('(') {%for(a)in(b)%}"
    ).split(" ")
)


def values_of(schema: object) -> st.SearchStrategy[object]:
    """Values near to what a key takes, and others."""
    wild = st.sampled_from(
        [None, True, 0, -1, 1.5, "", "x", "traits.a", "{{ a }}", [], {}, ["a", ["b"]], {"a": 1}]
    )
    words = [word for word in schema.get("enum", ())] if isinstance(schema, dict) else []  # noqa: C416
    return st.one_of(st.sampled_from(words), wild) if words else wild


def tables_of(name: str) -> st.SearchStrategy[dict[str, object]]:
    inner = {"fields": "rule", "address": "address", "custom": "custom", "default": "default", "parts": "rule"}

    def value(key: Key) -> st.SearchStrategy[object]:
        if key.name in ("fields", "parts"):
            names = st.sampled_from(["Email", "Title", "Custom__c", "bad name", ""])
            rules = st.one_of(tables_of(inner[key.name]), tables_of("reference"), values_of(key.schema))
            return st.one_of(st.dictionaries(names, rules, max_size=3), values_of(key.schema))
        if key.name in inner:
            return st.one_of(tables_of(inner[key.name]), values_of(key.schema))
        return values_of(key.schema)

    return st.fixed_dictionaries({}, optional={key.name: value(key) for key in TABLES[name]})


TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(WORDS, max_size=40).map(" ".join),
    tables_of("mapping").map(lambda table: orjson.dumps({"sfmap": 1, "event": "identify", **table}).decode()),
)


@given(TEXTS)
def test_any_text_gives_a_mapping_or_diagnostics(text: str) -> None:
    compiled, mistakes = check_mappings({"any": Source("any.yaml", text)}, (), ())
    for mistake in mistakes:
        assert mistake.span.line >= 1
        assert mistake.span.column >= 1
        assert mistake.render()
        assert mistake.as_json()
    if not any(mistake.severity == "error" for mistake in mistakes):
        for one in compiled:
            assert review(one.mapping, PLAIN, is_whole=True) is not None
            assert one.map({"type": "identify", "traits": {"a": {"b": [1, "x"]}, "email": "a@b.co"}})
