"""The result of a plan: what would be created and changed, field by field, as text and as JSON."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sfmap.engine.delivery.report import Report
from sfmap.engine.delivery.summary_text import summary_text
from sfmap.engine.messages.counts import counted
from sfmap.engine.org.port import FieldDescription, ObjectDescription
from sfmap.engine.planning.org_texts import is_same
from sfmap.engine.planning.planned_records import PlannedRecord

Change = Literal["created", "changed", "unchanged", "deleted"]
CHANGES: tuple[Change, ...] = ("created", "changed", "unchanged", "deleted")

_WIDTH = 80
_LONGEST_VALUE = 24
_MOST_DIFFERENT = 1_000
"""Transitions of one field that are counted separately."""
_MOST_SHOWN = 3
_OTHERS = ("...", "...")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a record: what it holds, and what it would hold; None if it is empty."""

    old: str | None
    new: str | None


@dataclass(frozen=True, kw_only=True)
class RecordChange:
    """What would happen to one record."""

    record: PlannedRecord
    change: Change
    fields: Mapping[str, FieldChange]
    """The fields that would hold something else than now."""

    def as_json(self) -> dict[str, object]:
        """A line of the output file."""
        one = self.record
        return {
            "object": one.object_name,
            "id": None if one.is_new else one.id,
            "change": self.change,
            "fields": {name: {"old": each.old, "new": each.new} for name, each in self.fields.items()},
            "events": list(one.events),
        }


def changes(
    records: Iterable[PlannedRecord], described: Mapping[str, ObjectDescription]
) -> Iterator[RecordChange]:
    """What would happen to each record that is written or deleted; those created and deleted are left out."""
    for one in records:
        if one.is_new and one.is_deleted:
            continue
        known = described.get(one.object_name)
        fields: Mapping[str, FieldDescription] = known.fields if known else {}
        differing = {
            name: FieldChange(one.before.get(name), text)
            for name, text in one.now.items()
            if not is_same(fields.get(name), one.before.get(name), text)
        }
        change: Change = "created" if one.is_new else "changed" if differing else "unchanged"
        yield RecordChange(record=one, change="deleted" if one.is_deleted else change, fields=differing)


@dataclass
class ObjectSummary:
    """What would happen to the records of one object."""

    records: Counter[Change] = field(default_factory=Counter)
    filled: Counter[str] = field(default_factory=Counter)
    """By field, how many of the created records have a value in it."""
    changed: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    """By field, how often which value would become which other one."""

    def add(self, one: RecordChange) -> None:
        self.records[one.change] += 1
        if one.change == "created":
            self.filled.update(list(one.fields))
        elif one.change == "changed":
            for name, each in one.fields.items():
                values = self.changed.setdefault(name, Counter())
                pair = (_shown(each.old), _shown(each.new))
                values[pair if pair in values or len(values) < _MOST_DIFFERENT else _OTHERS] += 1


@dataclass(frozen=True, kw_only=True)
class PlanSummary:
    """What a run would do."""

    report: Report
    """The outcomes of the events, as a run would report them."""
    objects: Mapping[str, ObjectSummary]

    @property
    def records(self) -> Counter[Change]:
        return sum((one.records for one in self.objects.values()), Counter())

    @property
    def touched(self) -> int:
        """Records that would be created, changed or deleted."""
        return sum(count for change, count in self.records.items() if change != "unchanged")

    def as_json(self) -> dict[str, object]:
        done = self.report.as_json()
        return {
            "events": done["events"],
            "records": {change: self.records[change] for change in CHANGES},
            "objects": {
                name: {
                    **{change: one.records[change] for change in CHANGES},
                    "filled": dict(one.filled),
                    "fields": {
                        field_name: {
                            "changed": values.total(),
                            "values": [
                                {"old": old, "new": new, "records": count}
                                for (old, new), count in values.most_common()
                            ],
                        }
                        for field_name, values in one.changed.items()
                    },
                }
                for name, one in self.objects.items()
            },
            "skipped": done["skipped"],
            "failed": done["failed"],
            "failures": done["failures"],
            "notes": done["notes"],
            "api_calls": done["api_calls"],
            "seconds": done["seconds"],
        }

    def __str__(self) -> str:
        """The plan as text."""
        blocks = [summary_text(self.report, records=list(self._counts()))]
        blocks += ["\n".join(block) for name, one in self.objects.items() for block in _of_object(name, one)]
        return "\n\n".join(blocks)

    def _counts(self) -> Iterator[str]:
        records = self.records
        for change in CHANGES:
            if records[change] or change in ("created", "changed"):
                told = (
                    f"{one.records[change]:,} {name}" for name, one in self.objects.items() if one.records[change]
                )
                yield f"  {change:<10} {records[change]:>9,}  {', '.join(told)}".rstrip()


def _of_object(name: str, one: ObjectSummary) -> Iterator[list[str]]:
    """What would be filled and changed in the records of an object, each as some lines."""
    if one.filled:
        filled = (f"{field_name} {count:,}" for field_name, count in one.filled.most_common())
        yield [f"{name}: {counted(one.records['created'], 'record')} created, with", *_wrapped(filled)]
    if one.changed:
        most_changed_first = sorted(one.changed.items(), key=lambda item: -item[1].total())
        lines = (line for field_name, values in most_changed_first for line in _of_field(field_name, values))
        yield [f"{name}: {counted(one.records['changed'], 'record')} changed", *lines]


def _of_field(name: str, values: Counter[tuple[str, str]]) -> Iterator[str]:
    yield f"  {name}: {values.total():,}"
    for (old, new), count in values.most_common(_MOST_SHOWN):
        yield f"    {count:>7,} × {old} → {new}"
    if len(values) > _MOST_SHOWN:
        yield f"    {'':7}   and {counted(len(values) - _MOST_SHOWN, 'other change')}"


def _wrapped(words: Iterable[str]) -> Iterator[str]:
    line = " "
    for word in words:
        if len(line) + len(word) + 2 > _WIDTH:
            yield line
            line = " "
        line += f" {word}" if line == " " else f", {word}"
    yield line


def _shown(text: str | None) -> str:
    if text is None:
        return "(empty)"
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."
