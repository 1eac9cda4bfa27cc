"""Records and fates as JSON, for the lines of `sfmap render` and for snapshots."""

from collections.abc import Mapping

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
    line: Line = {"event": number, "item": record.item_number} if record.item_number else {"event": number}
    line |= record.plan.beginning
    line["match"] = [_contents(record, lookup) for lookup in record.match]
    if record.unless_found:
        line["unless_found"] = [content_as_json(one) for one in record.unless_found]
    fields, clear = record.fields, []
    if not record.plan.has_values_alone:
        clear = [name for name, content in fields.items() if content is None]
        fields = {name: content for name, content in fields.items() if content is not None}
    line["fields"] = _contents(record, fields)
    line["create_only"] = _contents(record, record.create_only)
    if record.update_only:
        line["update_only"] = _contents(record, record.update_only)
    if record.if_empty:
        line["if_empty"] = _contents(record, record.if_empty)
    line["clear"] = clear
    line["notes"] = list(map(str, record.notes))
    return line


def _contents(record: Record, contents: Mapping[str, FieldContent]) -> Mapping[str, object]:
    if record.plan.has_values_alone:
        return contents
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
