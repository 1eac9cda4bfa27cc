"""The generated code of a mapping: what a person sees of it, and the plan that it is made from."""

import ast
import gc
import linecache
import re
import sys
import traceback
from pathlib import PurePath
from types import FrameType

import pytest
import yaml

from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.mapping.run.field_plan import FieldPlan
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Event, Json
from sfmap.engine.project.loading import ChosenMappings, compile_mappings, mapping_sources
from sfmap.engine.yaml_files.diagnostics import Source

from .interpreter import field_rules

MAPPING = """\
sfmap: 1
event: identify
object: Line__c
match: [Email, {Code__c: traits.code}]
unless_found: {object: Seat__c, by: Key__c, from: traits.seat}
fields:
  Email: {from: [traits.email, userId | trim], type: email}
  Name:
    from: traits.name
    max: 40
custom: {from: traits}
"""


class Hostile:
    """A value that no JSON has, at which the generated code itself fails."""

    def __getattribute__(self, name: str) -> object:
        raise AssertionError(name)


def compiled(file: str, text: str = MAPPING) -> CompiledMapping:
    (mapping,) = compile_mappings(ChosenMappings(sources={"line": Source(file, text)}))
    return mapping


def failure(mapping: CompiledMapping) -> str:
    """The traceback of an event at which the generated code fails."""
    traits: dict[str, Json] = {"email": "a@b.co", "name": Hostile()}  # type: ignore[dict-item]
    with pytest.raises(AssertionError) as failed:
        Mapper([mapping]).map({"type": "identify", "traits": traits})
    return "".join(traceback.format_exception(failed.value))


def test_a_traceback_shows_the_generated_lines() -> None:
    trace = failure(compiled("mappings/traced.yaml"))
    assert 'File "<sfmap traced.yaml>", line ' in trace
    assert "elif v.__class__ is str and v >= '!' and v.isprintable() and len(v) <= 20:" in trace


def test_mappings_of_one_file_name_keep_their_lines_apart() -> None:
    first, second = compiled("ours/same.yaml"), compiled("theirs/same.yaml", MAPPING.replace("40", "60"))
    assert "<= 20:" in failure(first)
    assert 'File "<sfmap same.yaml>"' in failure(first)
    assert "<= 30:" in failure(second)
    assert 'File "<sfmap same.yaml 2>"' in failure(second)


def test_a_mapping_has_its_code_once_an_event_needs_it_and_leaves_none_behind() -> None:
    mapping = compiled("forgotten.yaml")
    assert "<sfmap forgotten.yaml>" not in linecache.cache
    Mapper([mapping]).map({"type": "identify"})
    assert "<sfmap forgotten.yaml>" in linecache.cache
    del mapping
    gc.collect()
    assert "<sfmap forgotten.yaml>" not in linecache.cache


def test_each_part_follows_a_comment_with_its_line_in_the_yaml() -> None:
    comments = [line.strip() for line in compiled("mappings/line.yaml").code.splitlines() if "#" in line]
    assert comments == [
        "# line: mappings/line.yaml",
        "# line.yaml:7 Email",
        "# line.yaml:8 Name",
        "# line.yaml:11 custom",
        "# line.yaml:4 match by Code__c",
        "# line.yaml:5 unless_found",
        "except Unfit:  # a filter gave up: its rule says why",
    ]


def test_a_plain_event_runs_little_but_the_generated_code() -> None:
    traits: dict[str, Json] = {"email": "peter@initech.com", "firstName": "Peter", "plan": "pro"}
    event: Event = {"type": "identify", "traits": traits, "integrations": {"Salesforce": True}}
    mapper = Mapper(compile_mappings(ChosenMappings(sources=mapping_sources(None))))
    mapper.map({"type": "identify", "integrations": {"Salesforce": True}})  # for which the code is generated
    first, later = modules_run(mapper, event), modules_run(mapper, event)
    assert later == {"mapper.py", "event.py", "<sfmap lead.yaml>"}
    assert first == {*later, "key_spelling.py", "custom_fields.py", "custom_plan.py", "values.py"}


def modules_run(mapper: Mapper, event: Event) -> set[str]:
    """The files whose functions run while the event is mapped, without the standard library's."""
    seen: set[str] = set()

    def note(frame: FrameType, what: str, _: object) -> None:
        file = frame.f_code.co_filename
        if what == "call" and ("/engine/" in file or file.startswith("<sfmap")):
            seen.add(PurePath(re.sub(r" \d+>$", ">", file)).name)

    sys.setprofile(note)
    try:
        mapper.map(event)
    finally:
        sys.setprofile(None)
    return seen


@pytest.mark.parametrize("name", ["a\nb.yaml", "a\u2028raise SystemExit.yaml", "\udcff.yaml", "'''.yaml"])
def test_the_name_of_a_file_is_never_code(name: str) -> None:
    mapping = compiled(name)
    (record,) = mapping.map({"type": "identify", "traits": {"email": "a@b.co"}})
    assert record == mapping.plan.record_by_rules({"traits": {"email": "a@b.co"}}, 0)
    assert [type(node) for node in ast.parse(mapping.code).body] == [ast.FunctionDef, ast.FunctionDef]


@pytest.mark.parametrize("name", ["lead", "account"])
def test_the_plans_say_what_the_yaml_says(name: str) -> None:
    """What code, rules and explanations share, against a reading of the YAML that shares nothing with them."""
    source = mapping_sources(None)[name]
    (mapping,) = compile_mappings(ChosenMappings(sources={name: source}))
    rules = dict(field_rules(yaml.safe_load(source.text)))
    assert [plan.field for plan in mapping.plan.fields] == list(rules)
    for plan in mapping.plan.fields:
        assert facts(plan) == expected_facts(rules[plan.field])
        assert source.line(plan.span.line).strip().startswith(f"{plan.field.removeprefix('Billing')}:")


def facts(plan: FieldPlan) -> dict[str, object]:
    return {
        "sources": [one.text.removeprefix("$.") for one in plan.sources],
        "type": plan.type,
        "max": plan.max,
        "default": plan.default.value if plan.default else None,
        "required": plan.required,
        "write": plan.write,
        "blanks": plan.blanks,
    }


def expected_facts(rule: dict[str, Json]) -> dict[str, object]:
    sources, blanks = rule["from"], rule.get("blank_values", [])
    assert isinstance(sources, (str, list))
    assert isinstance(blanks, list)
    return {
        "sources": list(dict.fromkeys([sources] if isinstance(sources, str) else sources)),
        "type": rule.get("type", "string" if "max" in rule else None),
        "max": rule.get("max"),
        "default": rule.get("default"),
        "required": rule.get("required", False),
        "write": "always",
        "blanks": frozenset(str(one) for one in blanks),
    }
