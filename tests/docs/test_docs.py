"""The documentation is correct: its examples give what they show, and every key and filter is in it."""

import json
import re
from pathlib import Path
from typing import get_args

import orjson
import pytest

from sfmap.engine.language.key import Key
from sfmap.engine.language.keys import TABLES
from sfmap.engine.language.model import VALUE_TYPES
from sfmap.engine.local_org.faults.fault_plan import FaultKind, read_fault_plan
from sfmap.engine.local_org.records.schema_file import load_schema
from sfmap.engine.mapping.filters.filter import Filter
from sfmap.engine.mapping.filters.registry import FILTERS
from sfmap.engine.mapping.values.values import Unfit, convert
from sfmap.engine.project.project_file import load_project
from sfmap.engine.project.serve_entry import ServeEntry
from sfmap.engine.yaml_files.diagnostics import Source, listed

from ..folder import REPOSITORY
from .examples import Example, examples, mapper_of, rendered, shown
from .pages import page_of

DOCS = REPOSITORY / "docs"
LANGUAGE = (DOCS / "language.md").read_text("utf-8")
FOUND = [
    pytest.param(example, id=f"{page.name}-{example.title}")
    for page in (REPOSITORY / "README.md", DOCS / "language.md", DOCS / "cookbook.md")
    for example in examples(page.read_text("utf-8"))
]


@pytest.mark.parametrize("example", FOUND)
def test_an_example_gives_what_it_shows(example: Example, tmp_path: Path) -> None:
    mapper = mapper_of(example, tmp_path)
    for event, block in example.events:
        renderings = rendered(mapper, event)
        lines = block.strip().splitlines()
        assert len(renderings) == len(lines)
        for rendering, line in zip(renderings, lines, strict=True):
            assert shown(rendering, line) == orjson.loads(line)


ORGS = (DOCS / "orgs.md").read_text("utf-8")
ORG_ENTRIES = re.findall(r"^```yaml\n(orgs:\n.*?)^```$", ORGS, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", ORG_ENTRIES)
def test_every_org_entry_is_valid(text: str, tmp_path: Path) -> None:
    (tmp_path / "sfmap.yaml").write_text(text)
    assert load_project(tmp_path).orgs


def test_the_serve_entry_is_valid(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", (DOCS / "serve.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "sfmap.yaml").write_text(text)
    entry = load_project(tmp_path).serve
    assert [source.webhook for source in entry.sources] == [None, None, "segment", "rudderstack"]
    assert (entry.spool_megabytes, entry.spool_days) == (ServeEntry().spool_megabytes, ServeEntry().spool_days)
    assert entry.history == ServeEntry().history


def test_the_files_of_the_local_org_are_valid(tmp_path: Path) -> None:
    """The schema file and the fault plan of the page; every kind of fault is in its table."""
    text = dict(re.findall(r"^```yaml\n# ([\w-]+\.yaml)\n(.*?)^```$", ORGS, re.MULTILINE | re.DOTALL))
    (tmp_path / "schema.yaml").write_text(text["custom-fields.yaml"])
    lead = load_schema(tmp_path / "schema.yaml").object("Lead")
    assert lead
    assert lead.duplicate_rules
    (tmp_path / "picklists.yaml").write_text(text["picklists.yaml"])
    with_picklists = load_schema(tmp_path / "picklists.yaml").object("Lead")
    assert with_picklists
    assert [known.controller for known in with_picklists.fields.values() if known.controller] == [
        "CountryCode",
        "Plan__c",
    ]
    (tmp_path / "record-types.yaml").write_text(text["record-types.yaml"])
    case = load_schema(tmp_path / "record-types.yaml").object("Case")
    assert case
    assert [(one.name, one.active, one.default) for one in case.record_types] == [
        ("Small", True, True),
        ("Old", False, False),
    ]
    assert len(read_fault_plan(Source("faults.yaml", text["faults.yaml"])).counts()) == 3
    _, _, faults = ORGS.partition("### Faults on demand")
    rows = [line.split("|")[1] for line in faults.splitlines() if line.startswith("| `")]
    assert {kind for row in rows for kind in re.findall("`(.*?)`", row)} == set(get_args(FaultKind))


def test_every_way_to_sign_in_is_described(tmp_path: Path) -> None:
    ways = set()
    for text in ORG_ENTRIES:
        (tmp_path / "sfmap.yaml").write_text(text)
        ways |= {entry.auth for entry in load_project(tmp_path).orgs.values()}
    assert ways == {"login", "client_credentials", "jwt", "refresh_token", "session", "cli"}


def test_every_recipe_has_an_example() -> None:
    cook_book = (DOCS / "cookbook.md").read_text("utf-8")
    recipes = re.findall(r"^## (.*)$", cook_book, re.MULTILINE)
    assert len(recipes) >= 20
    assert set(recipes) == {example.title for example in examples(cook_book)}


KEYS = [(table, key) for table, keys in TABLES.items() for key in keys]


@pytest.mark.parametrize(("table", "key"), KEYS, ids=lambda value: getattr(value, "name", value))
def test_every_key_is_in_the_reference(table: str, key: Key) -> None:
    assert f"{key.meaning}{f' Default: {key.default}.' if key.default else ''}" in LANGUAGE, table


TYPES = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (.*?) \| (.*?) \|(.*)\|$", LANGUAGE, re.MULTILINE)


def test_the_table_of_types_is_correct() -> None:
    """Each type has a row; each value of it becomes, or is noted, as the row says."""
    assert sorted(name for names, *_ in TYPES for name in re.findall(r"\w+", names)) == sorted(VALUE_TYPES)
    for names, _, written, noted in TYPES:
        for kind in VALUE_TYPES:
            if f"`{kind}`" not in names:
                continue
            for value, result in re.findall("`(.*?)` → `(.*?)`", written):
                assert convert(json.loads(value), kind) == json.loads(result)
            for value, words in re.findall(r"`(.*?)` (.*?)(?:;|\s*$)", noted):
                with pytest.raises(Unfit, match=re.escape(words)):
                    convert(json.loads(value), kind)


INTRODUCTION = """\
# Filters

Pipes in source paths (`traits.name | first_name`) and templates (`{{ traits.name | first_name }}`) have the same
filters. A filter gives no value for one that it does not take or cannot read, and never stops a run; a pipe notes
that. A text that would become longer than 200,000 characters, and a list or object of more than 100,000 parts, are
left out with a note. A backslash in an argument is itself, as in regular expressions; `\\n` and `\\t` are a new
line and a tab.
"""


def filter_reference() -> str:
    """`docs/filters.md`, made of the filters' own examples."""
    parts = [INTRODUCTION]
    for known in sorted(FILTERS.values(), key=lambda known: known.name):
        names = [f"[{p.name}]" if p.optional else p.name for p in known.parameters]
        arguments = f"({', '.join(names)})" if names else ""
        rows = [
            f"| `{shown_value(e.value)}` | `{known.name}{shown_arguments(e.arguments)}` |"
            f" `{shown_value(e.result)}` |"
            for e in known.examples
        ]
        parts.append(
            f"## {known.name}{arguments}\n\n{known.summary[0].upper()}{known.summary[1:]}. {taken(known)}\n\n"
            "| value | filter | result |\n|---|---|---|\n" + "\n".join(rows) + "\n"
        )
    return "\n".join(parts)


WORDS = {str: "texts", int: "numbers", bool: "booleans", list: "lists", dict: "objects"}


def taken(known: Filter) -> str:
    words = [word for kind, word in WORDS.items() if kind in known.takes]
    return "Takes any value." if len(words) == len(WORDS) else f"Takes {listed(words, 'and')}."


def shown_value(value: object) -> str:
    return "no value" if value is None else json.dumps(value, ensure_ascii=False).replace("|", "\\|")


def shown_arguments(arguments: tuple[object, ...]) -> str:
    words = ("null" if a is None else f"'{a}'" if isinstance(a, str) else json.dumps(a) for a in arguments)
    return f"({', '.join(words)})".replace("|", "\\|") if arguments else ""


def test_the_filter_reference_is_up_to_date() -> None:
    assert page_of("filters.md", filter_reference()) == filter_reference()
