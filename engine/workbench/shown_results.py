"""What an event becomes, as the workbench shows it: each field with its source, and what HEAD made of it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sfmap.engine.inspect.coverage import unread_traits
from sfmap.engine.inspect.explanation import Explained, FieldStory, deciding_span, explain
from sfmap.engine.inspect.payload import content_as_json
from sfmap.engine.language.model import CONVENTIONS
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import (
    Addition,
    Event,
    FieldContent,
    Mapped,
    Record,
    RecordReference,
    Rejected,
    Skipped,
)
from sfmap.engine.org.fields import find_field
from sfmap.engine.workbench.org_notes import OrgNotes
from sfmap.engine.yaml_files.diagnostics import Span, listed

Shown = dict[str, object]
_Key = tuple[str, int, int]
"""The mapping, the item of the event, and which of several records of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownResults:
    """The mappings as they are edited and as HEAD has them."""

    now: Mapper
    before: Mapper | None
    """None if nothing is compared."""
    org: OrgNotes
    """The objects whose labels are known, and what they hold."""
    name_of: Callable[[str], str]
    """The name by which the page knows a file."""

    def compared(self, event: Event) -> tuple[list[Shown], list[Shown]]:
        """What the event becomes, record by record; and the records that only HEAD makes of it."""
        before = dict(_keyed(self.before, event)) if self.before else None
        now = dict(_keyed(self.now, event))
        made = {key for key, one in now.items() if isinstance(one.mapped, Record)}
        gone = [
            _fate(one) | {"mapping": key[0]}
            for key, one in (before or {}).items()
            if isinstance(one.mapped, Record) and key not in made
        ]
        return [self._result(one, before, key) for key, one in now.items()], gone

    def unread(self, event: Event) -> list[Shown]:
        """The values of the event that no rule of the mappings that take it reads."""
        found = unread_traits(self.now.taking(event), event)
        return [{"path": path, "value": value} for path, value in found.items()]

    def _result(self, explained: Explained, before: Mapping[_Key, Explained] | None, key: _Key) -> Shown:
        mapped = explained.mapped
        old = before.get(key) if before is not None else None
        compiled = next((one for one in self.now.mappings if one.mapping.name == key[0]), None)
        span = compiled.mapping.span if compiled else None
        return {
            "kind": _kind(explained),
            "mapping": key[0],
            "item": key[1],
            **self._place(span),
            **_fate(explained),
            "label": self._label(mapped.object) if isinstance(mapped, Record) else "",
            "reason_at": self._reason_at(explained, key[0], span),
            **self._fields(explained, old if before is not None else None, is_compared=before is not None),
            "before": None if before is None else _fate(old) | {"kind": _kind(old)} if old else {"kind": "none"},
        }

    def _place(self, span: Span | None) -> Shown:
        return {"file": self.name_of(span.source.file) if span else "", "line": span.line if span else 0}

    def _label(self, name: str) -> str:
        described = self.org.objects.get(name)
        return described.label if described else ""

    def _reason_at(self, explained: Explained, mapping: str, usual: Span | None) -> Shown | None:
        mapped = explained.mapped
        if isinstance(mapped, Record):
            return None
        if isinstance(mapped, Skipped):
            plans = [one.plan for one in self.now.mappings if one.mapping.name == mapping]
            span = deciding_span(plans[0], mapped) if plans else None
        else:
            told = (one.span for one in explained.stories if any(note in mapped.reason for note in one.notes))
            span = next(told, usual)
        return self._place(span) if span else None

    def _fields(self, explained: Explained, old: Explained | None, *, is_compared: bool) -> Shown:
        mapped = explained.mapped
        object_name = mapped.object if isinstance(mapped, Record) else ""
        is_like = old is not None and (isinstance(old.mapped, Record) or _kind(old) == _kind(explained))
        was = {one.field: one for one in old.stories} if old and is_like else {}
        groups: dict[str, list[Shown]] = {"fields": [], "left_out": [], "no_value": [], "removed": []}
        for story in explained.stories:
            group = "fields" if story.is_written else "left_out" if story.notes else "no_value"
            shown = self._field(story, object_name)
            if story.is_written:
                shown |= {"notes": [*story.notes, *self._org_notes(mapped, story)]}
            groups[group].append(shown | (_change(story, was.get(story.field)) if is_compared else _UNCOMPARED))
        now = {story.field for story in explained.stories if story.is_written}
        for name, story in was.items():
            if story.is_written and name not in now:
                gone = self._field(story, object_name) | {"state": "removed", "before": _said(story)}
                groups["removed"].append(gone | {"source": None, "tried": []})
        return dict(groups)

    def _field(self, story: FieldStory, object_name: str) -> Shown:
        described = self.org.objects.get(object_name)
        field = find_field(described, story.field) if described else None
        return {
            "field": story.field,
            "label": field.label if field else "",
            **_said(story),
            "source": self._source(story),
            "tried": [
                {"source": one.source, "found": one.outcome, **self._extent(one.span)} for one in story.tried
            ],
            "notes": list(story.notes),
            "rule": self._extent(story.span),
        }

    def _org_notes(self, mapped: Mapped, story: FieldStory) -> tuple[str, ...]:
        """What the org does with the value, unless it is one of a record that is not written."""
        if not isinstance(mapped, Record) or mapped.operation == "delete":
            return ()
        conventions = next(
            (one.mapping.conventions for one in self.now.mappings if one.mapping.name == mapped.mapping),
            CONVENTIONS,
        )
        return self.org.of(mapped.object, story.field, story.content, conventions)

    def _source(self, story: FieldStory) -> Shown | None:
        if not story.origin:
            return None
        return {"text": story.origin, **self._extent(story.origin_span or story.span)}

    def _extent(self, span: Span | None) -> Shown:
        if span is None:
            return {"file": "", "line": 0, "column": 0, "end_column": 0}
        return {**self._place(span), "column": span.column, "end_column": span.column + span.width}


_UNCOMPARED: Shown = {"state": "same", "before": None}


def _keyed(mapper: Mapper, event: Event) -> Iterator[tuple[_Key, Explained]]:
    seen: dict[tuple[str, int], int] = {}
    for mapping, one in _by_mapping(mapper, event):
        item = 0 if isinstance(one.mapped, Skipped) else one.mapped.item_number
        seen[mapping, item] = seen.get((mapping, item), 0) + 1
        yield (mapping, item, seen[mapping, item]), one


def _by_mapping(mapper: Mapper, event: Event) -> Iterator[tuple[str, Explained]]:
    """What the event becomes, each with the mapping's name; of a skipped event, why each mapping skips it."""
    explained = explain(mapper, event)
    taking = mapper.taking(event)
    if taking and all(isinstance(one.mapped, Skipped) for one in explained):
        yield from ((one.mapping.name, Explained(mapped)) for one in taking for mapped in one.map(event))
        return
    yield from (("" if isinstance(one.mapped, Skipped) else one.mapped.mapping, one) for one in explained)


def _kind(explained: Explained) -> str:
    if isinstance(explained.mapped, Record):
        return "record"
    return "rejected" if isinstance(explained.mapped, Rejected) else "skipped"


def _fate(explained: Explained) -> Shown:
    mapped = explained.mapped
    if isinstance(mapped, Record):
        told = {"operation": mapped.operation, "object": mapped.object, "match": match_text(mapped), "reason": ""}
        return dict(told)
    return {"operation": "", "object": "", "match": "", "reason": mapped.reason}


def _change(story: FieldStory, was: FieldStory | None) -> Shown:
    """Whether the field is written as before."""
    if was is None or not was.is_written:
        return {"state": "new" if story.is_written else "same", "before": None}
    if not story.is_written:
        return {"state": "removed", "before": _said(was)}
    is_same = (story.write, repr(story.content)) == (was.write, repr(was.content))
    return {"state": "same", "before": None} if is_same else {"state": "changed", "before": _said(was)}


def changes(shown: Sequence[Shown]) -> int:
    """How many fields of the results are not as before."""
    fields = (field for one in shown for group in ("fields", "removed") for field in _list(one[group]))
    return sum(field["state"] != "same" for field in fields)


def _list(value: object) -> list[Shown]:
    return value if isinstance(value, list) else []


def _said(story: FieldStory) -> Shown:
    value = content_as_json(story.content) if story.is_written else None
    return {"value": value, "shown": _text(story), "write": story.write}


def _text(story: FieldStory) -> str:
    if not story.is_written:
        return ""
    return "cleared" if story.content is None else content_text(story.content)


def content_text(content: FieldContent) -> str:
    """A value as a person reads it."""
    if isinstance(content, Addition):
        return f"{content.values}, added to the field's values"
    if isinstance(content, RecordReference):
        where = f", where {content.where}" if content.where else ""
        return f"the {listed(content.objects)} with {content.by} = {content_text(content.value)}{where}"
    return content if isinstance(content, str) else json.dumps(content)


def match_text(record: Record) -> str:
    """How the record is found: `Email = ana@example.com, else Phone = 5`."""
    lookups = [
        " and ".join(f"{name} = {content_text(one)}" for name, one in lookup.items()) for lookup in record.match
    ]
    unless = [f"unless there is {content_text(one)}" for one in record.unless_found]
    return ", ".join([*([", else ".join(lookups)] if lookups else []), *unless])
