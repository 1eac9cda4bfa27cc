"""Properties that hold for any event."""

import copy

import orjson
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from sfmap.engine.inspect.explanation import explain
from sfmap.engine.inspect.payload import as_json
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Event, Json, Record
from sfmap.engine.mapping.values.values import length
from sfmap.engine.project.loading import ChosenMappings, compile_mappings, mapping_sources
from sfmap.engine.yaml_files.diagnostics import Source, Span
from sfmap.engine.yaml_files.nodes import ScalarNode

from ..strategies import EVENTS, JSON, KEYS
from .interpreter import interpret

EVERYTHING = """\
sfmap: 1
event: [identify, group]
when: traits.plan != 'none'
for_each: traits.items
object: Line__c
match: [Key__c, [Name__c, Code__c]]
fields:
  Key__c: {template: "{{ traits.email }}-{{ index }}{% for a in item %}{{ a }}{% endfor %}", max: 20}
  Name__c: {from: [item.name | first_name, "item | json | slice(0, 9)", traits.phones | join], on_null: clear}
  Code__c: {from: [traits.employees | number, traits.zip | int, $..id], type: number, on_invalid: reject}
  Day__c: {from: [traits.name | datetime, traits.created | date], type: date, write: empty}
  Rating__c: {from: traits.rating, values: {hot: Hot, 1: One}, else: Cold, when: traits.status is defined}
  Owner__c: {object: User, by: Email, from: traits.email | trim | lower}
  Text__c: {template: "{{ traits | json | replace_regex('[aeiou]+', '') }}", max: 30, default: x}
custom: {from: traits, objects: flatten, lists: join, rename: snake, on_null: clear}
"""
CHOSEN = tuple(
    ScalarNode(name, name, Span(Source("use", name), 1, 1), 0, 0)
    for name in ("everything", *mapping_sources(None))
)
MAPPER = Mapper(
    compile_mappings(
        ChosenMappings(
            sources={"everything": Source("everything.yaml", EVERYTHING), **mapping_sources(None)}, use=CHOSEN
        )
    )
)
ACTIVE = Mapper(compile_mappings(ChosenMappings(sources=mapping_sources(None))))
LIMITS = {
    (compiled.mapping.name, rule.field): rule.max
    for compiled in MAPPER.mappings
    for rule in compiled.mapping.rules
    if rule.max
}


MORE = """\
sfmap: 1
event: [identify, group]
object: Line__c
match: [[Email, plan__c], Name]
fields:
  Email: {from: [traits.email, userId], type: email, on_invalid: reject, max: 30}
  Name: {from: [traits.company.name, traits.name | last_name, groupId], required: true, max: 9, on_long: reject}
  City: {from: [traits.address.city, traits.city], on_null: clear}
  State: {from: ["traits.address.state[0]", traits.plan.code], values: {a: A}}
  Title: {from: traits.title, write: create}
  Website: {from: traits.website, type: url, write: empty, default: {value: none, write: create}}
  Rating: {from: traits.rating | upper, default: n/a}
  Status: {from: traits.status}
  Zip: {from: [traits.zip, traits.address.zip], type: number, on_invalid: reject}
custom: {from: traits, lists: json, on_null: clear}
"""
PIPES = r"""
sfmap: 1
event: [identify, group]
opt_in: "traits.title | replace_regex('^ +', '') | bool"
object: Line__c
operation: create
fields:
  Name: {from: ["traits.name | replace_regex('a', 'b')", traits.address.state.code], max: 9}
custom: {from: traits.address | flatten, rename: camel}
"""
RENAMED = """
sfmap: 1
event: [identify, group]
object: Line__c
match: [test_prop__c, Plan]
fields:
  Email: {from: [traits.email, traits.Email, traits.e-mail], max: 80}
  Plan: {from: traits.plan, type: date}
custom: {from: traits, rename: snake}
"""
BLANKS = """
sfmap: 1
event: [identify, group]
object: Line__c
match: [Email, plan__c]
blank_values: [a@b.co, 0, true, "x"]
fields:
  Email: {from: [traits.email, userId], type: email, blank_values: [A, Peter Gibbons], on_blank: clear}
  Name: {from: [traits.name | first_name, traits.company.name], blank_values: [Peter Gibbons, ß], max: 9}
  Zip: {from: traits.zip, type: number, blank_values: 1}
  Title: {from: traits.title, blank_values: [SS, false], on_blank: clear}
custom: {from: [traits, context.traits, traits.address], on_blank: clear}
"""
MORE_MAPPINGS = {
    name: Source(f"{name}.yaml", text)
    for name, text in (("more", MORE), ("pipes", PIPES), ("renamed", RENAMED), ("blanks", BLANKS))
}
FAST = (*MAPPER.mappings, *compile_mappings(ChosenMappings(sources=MORE_MAPPINGS)))
ALL = Mapper(FAST)
LONG = "x" * 10_001
DEEP: Json = "x"
for _ in range(120):
    DEEP = {"a": DEEP}


@given(EVENTS)
@example({"type": "identify", "traits": {"email": "\ufeffa\u200b@b.co", "plan": "\u200d", "name": "a\u00adb"}})
@example(
    {"type": "identify", "traits": {"title": "ß", "name": " peter gibbons", "email": "A", "zip": 1, "a": "X"}}
)
@example({"type": "identify", "traits": {"firstName": None, "first_name": "A", "email": "a@b.co"}})
@example({"type": "identify", "traits": {"first_name": "A", "firstName": None, "email": "a@b.co"}})
@example({"type": "identify", "traits": {"address": {"City": "A", "city": "B"}, "email": "a@b.co"}})
@example({"type": "identify", "traits": {"plan": "A", "plan__c": "B", "x": [1], "y": None, "email": "a@b.co"}})
@example({"type": "identify", "traits": {"foo\x01bar": "A", "a\x01b": "B", "ab": "C", "email": "a@b.co"}})
@example({"type": "identify", "traits": {"foo\ud83d": "A", "email": "a@b.co", "x" * 101: "B"}})
@example({"type": "identify", "traits": {"E-Mail": "a@b.co", "e_mail": "c@d.co", "EMAIL": None, "email": ""}})
@example({"type": "identify", "traits": {"address": DEEP, "name": LONG, "title": LONG}})
@example({"type": "identify", "traits": {"address": "461 2nd St", "name": {"first": "A"}, "email": "a@b.co"}})
@example({"type": "identify", "traits": {"address": {"state": "CA"}, "plan": ["pro"], "email": "a@b.co"}})
@example(
    {
        "type": "identify",
        "traits": {"employees": "a few", "employeeCount": 5, "birthday": "soon", "email": "a@b.co"},
    }
)
@example({"type": "identify", "traits": "x", "userId": "a@b.co"})
def test_the_generated_code_and_the_rules_give_the_same(event: Event) -> None:
    for compiled in FAST:
        view = compiled.plan.view(event)
        assert repr(compiled.record(view, 0)) == repr(compiled.plan.record_by_rules(view, 0))


@given(EVENTS)
@example({"type": "group", "groupId": float("nan"), "traits": {"name": "x"}, "integrations": {"Salesforce": True}})
@example({"type": "identify", "traits": {"address": DEEP, "title": LONG}})
@example({"type": "identify", "traits": {"address": DEEP, "title": "true"}})
def test_any_event_gives_records_a_skip_or_a_rejection(event: Event) -> None:
    before = copy.deepcopy(event)
    first, second = ALL.map(event), ALL.map(event)
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
    left, right = (as_json(1, *ACTIVE.map(event)) for event in (one, other))
    assert left.get("fields") == right.get("fields")


@given(EVENTS)
@example({"type": "identify", "traits": {"address": DEEP, "title": LONG}})
@example({"type": "identify", "traits": {"address": DEEP, "title": "true", "test_prop": "x"}})
def test_explain_gives_the_rendered_records(event: Event) -> None:
    explained = explain(ALL, event)
    assert repr([one.mapped for one in explained]) == repr(list(ALL.map(event)))
    for one in explained:
        if isinstance(one.mapped, Record):
            written = {story.field: story.content for story in one.stories if story.is_written}
            record = one.mapped
            contents = {**record.fields, **record.create_only, **record.update_only, **record.if_empty}
            assert repr(sorted(written.items())) == repr(sorted(contents.items()))


CODE = r"""
sfmap: 1
event: identify
object: Lead
match: Email
fields:
  Email: {from: ["traits['a\"]; import os; (\"']", traits.email]}
  LastName: {from: traits.x, default: "'); print('broken out'); ('"}
  City: {from: "traits[\"it's\"].b"}
custom: {from: traits}
"""


def test_a_rule_may_have_many_sources() -> None:
    sources = ", ".join(f"traits.t{number}" for number in range(150))
    text = f"sfmap: 1\nevent: identify\nobject: Lead\nmatch: Email\nfields: {{Email: {{from: [{sources}]}}}}\n"
    (record,) = Mapper(compile_mappings(ChosenMappings(sources={"many": Source("many.yaml", text)}))).map(
        {"type": "identify", "traits": {"t149": "a@b.co"}}
    )
    assert isinstance(record, Record)
    assert record.origins == {"Email": "traits.t149"}


def test_text_that_looks_like_code_is_not_run() -> None:
    """A mapping becomes Python text; what a person wrote stands in it as constants alone."""
    mapper = Mapper(compile_mappings(ChosenMappings(sources={"code": Source("code.yaml", CODE)})))
    traits: Event = {"email": "a@b.co", "it's": {"b": "Rome"}, "x'); print(1); ('": "y"}
    (record,) = mapper.map({"type": "identify", "traits": traits})
    assert isinstance(record, Record)
    assert record.fields == {"Email": "a@b.co", "LastName": "'); print('broken out'); ('", "City": "Rome"}


PLAIN = {compiled.mapping.name: compiled for compiled in ACTIVE.mappings}
TEXTS = {name: yaml.safe_load(source.text) for name, source in mapping_sources(None).items() if name in PLAIN}


@given(EVENTS)
@example(
    {
        "type": "identify",
        "traits": {"email": "\ufeffa\u200b@b.co", "plan": "\u200d", "name": "a\u00adb"},
        "integrations": {"Salesforce": True},
    }
)
@example(
    {
        "type": "group",
        "groupId": "\u200e12\u200d",
        "traits": {"name": "Initech\u200b"},
        "integrations": {"Salesforce": True},
    }
)
@example({"type": "group", "groupId": 10**400, "traits": {"name": "x"}, "integrations": {"Salesforce": True}})
@example(
    {
        "type": "identify",
        "traits": {"email": "a@b.co", "foo\x01bar": "A", "a\x01b": "x", "ab": "y", "n": 1.0, "m": -0.0, "t": True},
        "integrations": {"Salesforce": True},
    }
)
@example(
    {
        "type": "identify",
        "userId": "a@b.co",
        "traits": {"email": "a", "employees": "a few", "employeeCount": 5, "phone": {"x": 1}, "phones": ["555-1"]},
        "integrations": {"Salesforce": True},
    }
)
def test_the_engine_agrees_with_the_interpreter(event: Event) -> None:
    """The shipped Lead and Account mappings, read from their YAML by code that shares nothing with the engine."""
    for name, mapping in TEXTS.items():
        (mapped,) = PLAIN[name].map(event) if event.get("type") == mapping["event"] else (None,)
        found = (mapped.fields, *mapped.match) if isinstance(mapped, Record) else None
        assert repr(found) == repr(interpret(mapping, event))
