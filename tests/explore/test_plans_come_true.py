"""A plan tells what the run after it does: over drawn mappings and streams of events."""

import json
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

import orjson
import pytest

import sfmap
from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import LocalOrg, start_local_org
from sfmap.engine.planning.plan_summary import PlanSummary

from ..exactness.drawing import draw_events, draw_tables
from ..exactness.model import Table
from ..exactness.trial import FIELDS, PROJECT, SCHEMA, render
from ..examples import mostly_soak

READING = {"login", "describeGlobal", "describeSObjects", "query", "queryMore", "getUserInfo"}
PLANNED_ID = re.compile(r"^\w{3}PLAN\w{11}$")
"""The id that a plan gives a new record, which the org will give another one."""
NEW = "a new record"
SEEDS = range(int(os.environ.get("SFMAP_SEEDS", "16")))

Records = dict[str, dict[str, dict[str, str | None]]]
"""By object and id, the values of the fields."""


@dataclass(frozen=True)
class Stage:
    """An org, whose records and calls are looked at from behind."""

    local: LocalOrg
    folder: Path

    def records(self) -> Records:
        with closing(sqlite3.connect(self.folder / "org.db")) as connection:
            connection.row_factory = sqlite3.Row
            return {
                name: {
                    row["Id"]: {field: text(field, row[field]) for field in fields}
                    for row in connection.execute(f"SELECT * FROM {name} WHERE NOT IsDeleted")
                }
                for name, fields in FIELDS.items()
            }

    def calls(self) -> Counter[str]:
        lines = (self.folder / "calls.log").read_text().splitlines()
        return Counter(str(json.loads(line)["operation"]) for line in lines)


def text(field: str, value: object) -> str | None:
    """The value as Salesforce stores it: an address in lower case, several values in an order of its own."""
    if value is None:
        return None
    if field == "Tags__c":
        return ";".join(sorted(str(value).split(";")))
    return str(value).lower() if field == "Email" else str(value)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("org")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml", log=folder / "calls.log") as local:
        yield Stage(local, folder)


@pytest.mark.parametrize("seed", mostly_soak(SEEDS, quick=4))
def test_a_run_does_what_was_planned(
    seed: int, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", credentials.PASSWORD)
    monkeypatch.setenv("TOKEN", credentials.SECURITY_TOKEN)
    dice = Random(f"plan {seed}")
    tables = draw_tables(dice)
    (tmp_path / "mappings").mkdir()
    for table in tables:
        (tmp_path / "mappings" / f"{table.name}.yaml").write_text(render(table))
    known = {"url": stage.local.url, "username": credentials.USERNAME, "call_limit": 2, "batch_size": 200}
    use = json.dumps([table.name for table in tables])
    (tmp_path / "sfmap.yaml").write_text(PROJECT.format(use=use, repeats=7, **known))
    for name in ("first", "second"):
        events = (json.dumps(event) for event in draw_events(dice, tables))
        (tmp_path / f"{name}.ndjson").write_text("\n".join(events) + "\n")
    project = sfmap.Project(tmp_path)
    project.run(tmp_path / "first.ndjson", org="org")

    before, called = stage.records(), stage.calls()
    out = tmp_path / "plan.ndjson"
    planned = project.plan(tmp_path / "second.ndjson", org="org", out_file=str(out))
    assert {name for name, count in (stage.calls() - called).items() if count} <= READING
    assert stage.records() == before

    report = project.run(tmp_path / "second.ndjson", org="org")
    lines = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    names = named_in(tables)
    compare(planned, lines, report, only(before, names), only(stage.records(), names))


def named_in(tables: Iterable[Table]) -> set[str]:
    """The objects that the mappings write or look up: what deletes do to others, a plan does not tell."""
    pointers = [rule.pointer for table in tables for rule in table.rules if rule.pointer]
    pointed = {name for one in pointers for name in (one.object, *one.others)}
    return {table.object for table in tables} | pointed | {one.object for table in tables for one in table.unless}


def only(records: Records, names: Set[str]) -> Records:
    return {name: rows for name, rows in records.items() if name in names}


def compare(
    planned: PlanSummary,
    lines: list[dict[str, object]],
    report: sfmap.RunReport,
    before: Records,
    after: Records,
) -> None:
    assert planned.report.fates == report.summary.fates
    assert planned.report.skipped == report.summary.skipped
    records = [line for line in lines if "change" in line]
    new_ids = {one for name in before for one in after[name].keys() - before[name].keys()}
    for name in before:
        told = [line for line in records if line["object"] == name]
        ids = {str(line["id"]) for line in told if line["change"] == "deleted"}
        assert ids == before[name].keys() - after[name].keys()
        created = [after[name][one] for one in after[name].keys() - before[name].keys()]
        assert Counter(map(filled, created)) == Counter(
            filled(new_values(line)) for line in told if line["change"] == "created"
        )
        changed = {
            one: {
                field: (old[field], NEW if after[name][one][field] in new_ids else after[name][one][field])
                for field in old
                if old[field] != after[name][one][field]
            }
            for one, old in before[name].items()
            if one in after[name]
        }
        expected = {one: fields for one, fields in changed.items() if fields}
        assert {
            str(line["id"]): {
                field: (text(field, each["old"]), PLANNED_ID.sub(NEW, text(field, each["new"]) or "") or None)
                for field, each in fields_of(line).items()
            }
            for line in told
            if line["change"] == "changed"
        } == expected


def fields_of(line: Mapping[str, object]) -> dict[str, dict[str, str | None]]:
    fields = line["fields"]
    assert isinstance(fields, dict)
    return fields


def new_values(line: Mapping[str, object]) -> dict[str, str | None]:
    return {field: text(field, each["new"]) for field, each in fields_of(line).items()}


def filled(values: Mapping[str, str | None]) -> tuple[tuple[str, str], ...]:
    """The values of a new record, without ids of other new ones, which a plan cannot know."""
    return tuple(
        sorted((field, "" if len(one) == 18 else one) for field, one in values.items() if one is not None)
    )
