"""Records and fates as the JSON lines that `sfmap render` prints and snapshots hold."""

from collections.abc import Mapping
from dataclasses import asdict

from sfmap.engine.mapping.record import Content, Mapped, Record, Reference, Rejected
from sfmap.engine.spec.model import NO_HEADERS, WriteHeaders


def as_json(number: int, mapped: Mapped) -> dict[str, object]:
    """One line: what would be sent, create and update told apart, or why nothing is."""
    if isinstance(mapped, Record):
        return _record(number, mapped)
    if isinstance(mapped, Rejected):
        mapping = {"mapping": mapped.mapping} if mapped.mapping else {}
        return {"event": number, **_item(mapped.item), **mapping, "rejected": mapped.reason}
    return {"event": number, "skipped": mapped.reason}


def _item(item: int) -> dict[str, object]:
    return {"item": item} if item else {}


def _record(number: int, record: Record) -> dict[str, object]:
    line: dict[str, object] = {
        "event": number,
        **_item(record.item),
        "mapping": record.mapping,
        "object": record.object,
        "operation": record.operation,
        "match": list(record.match),
    }
    if record.external_id:
        line["external_id"] = record.external_id
    if record.where:
        line["where"] = record.where
    if record.on_duplicate != "fail":
        line["on_duplicate"] = record.on_duplicate
    if record.skip_unchanged:
        line["skip_unchanged"] = True
    if record.timestamp_guard:
        line["timestamp_guard"] = True
    if record.headers is not NO_HEADERS and record.headers != NO_HEADERS:
        line["headers"] = _headers(record.headers)
    fields = record.fields
    clear = [name for name, content in fields.items() if content is None] if None in fields.values() else []
    line["fields"] = _contents({name: one for name, one in fields.items() if one is not None} if clear else fields)
    line["create_only"] = _contents(record.create_only)
    if record.update_only:
        line["update_only"] = _contents(record.update_only)
    if record.if_empty:
        line["if_empty"] = _contents(record.if_empty)
    line["clear"] = clear
    line["notes"] = [str(note) for note in record.notes] if record.notes else []
    return line


def _headers(headers: WriteHeaders) -> dict[str, object]:
    said = {name: value for name, value in asdict(headers).items() if value not in (None, ())}
    return {**said, "package_versions": dict(headers.package_versions)} if headers.package_versions else said


def _contents(contents: Mapping[str, Content]) -> Mapping[str, object]:
    if Reference not in set(map(type, contents.values())):
        return contents
    return {name: content_as_json(one) for name, one in contents.items()}


def content_as_json(content: Content) -> object:
    """A value as it is, null for a field to empty; a reference as the look-up that it is."""
    if isinstance(content, Reference):
        return {"object": content.object, "by": content.by, "value": content.value}
    return content
