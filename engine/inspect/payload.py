"""Records and fates as JSON, for the lines of `sfmap render` and for snapshots."""

from collections.abc import Mapping
from typing import Any

from sfmap.engine.mapping.values.record import (
    Addition,
    FieldContent,
    Line,
    Mapped,
    Record,
    RecordReference,
    Rejected,
)


def as_json(number: int, mapped: Mapped) -> Line:
    """One line: what would be sent, with create and update distinguished, or why nothing is."""
    if isinstance(mapped, Record):
        return _record(number, mapped)
    if isinstance(mapped, Rejected):
        item = {"item": mapped.item_number} if mapped.item_number else {}
        mapping = {"mapping": mapped.mapping} if mapped.mapping else {}
        return {"event": number, **item, **mapping, "rejected": mapped.reason}
    return {"event": number, "skipped": mapped.reason}


def payload(mapped: Mapped) -> Line:
    """The same without the number of the event."""
    line = as_json(0, mapped)
    del line["event"]
    return line


def _record(number: int, record: Record) -> Line:
    clear: list[str] = []
    if not record.plan.has_values_alone:
        clear = [name for name, content in record.fields.items() if content is None]
        record = _with_json_contents(record)
    line: Line = {"event": number}
    if record.item_number:
        line["item"] = record.item_number
    line |= record.plan.beginning
    line["match"] = [*record.match]
    if record.unless_found:
        line["unless_found"] = [content_as_json(one) for one in record.unless_found]
    line["fields"] = record.fields
    line["create_only"] = record.create_only
    if record.update_only:
        line["update_only"] = record.update_only
    if record.if_empty:
        line["if_empty"] = record.if_empty
    line["clear"] = clear
    line["notes"] = [str(note) for note in record.notes]
    return line


def _with_json_contents(record: Record) -> Record:
    """The record with the contents that are no values as JSON, and without those that empty a field."""
    contents = {name: content for name, content in record.fields.items() if content is not None}
    return record._replace(
        match=tuple(map(_contents, record.match)),
        fields=_contents(contents),
        create_only=_contents(record.create_only),
        update_only=_contents(record.update_only),
        if_empty=_contents(record.if_empty),
    )


def _contents(contents: Mapping[str, FieldContent]) -> Mapping[str, Any]:
    return {name: content_as_json(one) for name, one in contents.items()}


def content_as_json(content: FieldContent) -> object:
    """A value unchanged, null for a field to empty, a reference as its lookup."""
    if isinstance(content, Addition):
        return {"add": content.values}
    if isinstance(content, RecordReference):
        objects = content.objects[0] if len(content.objects) == 1 else list(content.objects)
        line: Line = {"object": objects, "by": content.by, "value": content.value}
        if content.where:
            line["where"] = content.where
        if content.on_many != "newest":
            line["on_many"] = content.on_many
        return line
    return content
