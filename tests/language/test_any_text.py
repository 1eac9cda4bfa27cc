"""Any text as a mapping: it compiles, or has diagnostics."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.inspect.org_check import check_against_org
from sfmap.engine.inspect.standard_objects import standard_objects
from sfmap.engine.language.key import Key
from sfmap.engine.language.keys import TABLES
from sfmap.engine.project.loading import ChosenMappings, check_mappings
from sfmap.engine.yaml_files.diagnostics import Source

PLAIN = standard_objects(None)
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
    compiled, mistakes = check_mappings(ChosenMappings(sources={"any": Source("any.yaml", text)}))
    for mistake in mistakes:
        assert mistake.span.line >= 1
        assert mistake.span.column >= 1
        assert mistake.render()
        assert mistake.as_json()
    if not any(mistake.severity == "error" for mistake in mistakes):
        for one in compiled:
            assert check_against_org(one.mapping, PLAIN, is_whole=True) is not None
            assert one.map({"type": "identify", "traits": {"a": {"b": [1, "x"]}, "email": "a@b.co"}})
