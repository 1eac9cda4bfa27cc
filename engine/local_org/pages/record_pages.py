"""What the pages of records show: lists with chosen columns, and one record with its history."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sfmap.engine.local_org.calls.http_requests import sent_number
from sfmap.engine.local_org.records.object_schema import FieldSchema, ObjectSchema, Schema
from sfmap.engine.local_org.records.store import Change, Store, Stored, response_value

PAGE = 50
_MOST_CSV = 100_000
_LEADING = ("Id", "Name")
_MOST_COLUMNS = 8

Context = dict[str, Any]
Row = Mapping[str, Stored]


def records_context(store: Store, target: ObjectSchema, asked: Mapping[str, str]) -> Context:
    """A page of the object's records; search, order and columns are in the address."""
    start = sent_number(asked.get("start", "")) or 0
    query = {"q": asked.get("q", ""), "sort": asked.get("sort", ""), "desc": asked.get("desc", "")}
    total, records = store.records(
        target,
        search=query["q"],
        order=query["sort"],
        descending=query["desc"] == "1",
        most=PAGE,
        start=min(start, 10**9),
    )
    chosen = _chosen(target, asked)
    columns = chosen or _usual_columns(target, records)
    return {
        "title": target.label,
        "object": target.name,
        "label": target.label,
        "columns": [target.fields[name] for name in columns],
        "fields": _choices(target, _usual_columns(target, records)),
        "query": {key: value for key, value in query.items() if value}
        | ({"columns": ",".join(chosen)} if chosen else {}),
        "records": [{name: shown(target.fields[name], record[name]) for name in columns} for record in records],
        "ids": [record["Id"] for record in records],
        "deleted": [bool(record["IsDeleted"]) for record in records],
        "total": total,
        "start": start,
        "end": min(start + PAGE, total),
        "page": PAGE,
    }


def csv_lines(store: Store, target: ObjectSchema, asked: Mapping[str, str]) -> Iterator[str]:
    """The same list as CSV, all of it: the chosen columns, or every field."""
    columns = _chosen(target, asked) or list(target.fields)
    descending = asked.get("desc") == "1"
    _, records = store.records(
        target,
        search=asked.get("q", ""),
        order=asked.get("sort", ""),
        descending=descending,
        most=_MOST_CSV,
        start=0,
    )
    for row in (columns, *([shown(target.fields[name], one[name]) for name in columns] for one in records)):
        line = io.StringIO()
        csv.writer(line).writerow(row)
        yield line.getvalue()


def record_context(store: Store, schema: Schema, target: ObjectSchema, record_id: str) -> Context | None:
    record = store.get(target, record_id)
    if record is None:
        return None
    fields = [_field(schema, field, record[field.name]) for field in target.fields.values()]
    filled = [one for one in fields if one["value"] != ""]
    return {
        "title": str(record.get("Name") or record["Id"]),
        "object": target.name,
        "label": target.label,
        "id": record["Id"],
        "is_deleted": bool(record.get("IsDeleted")),
        "own": [one for one in filled if not one["is_system"]],
        "system": [one for one in filled if one["is_system"]],
        "without": [one for one in fields if one["value"] == ""],
        "history": _history(target, store.changes(str(record["Id"]))),
    }


def record_json(store: Store, target: ObjectSchema, record_id: str) -> Context | None:
    record = store.get(target, record_id)
    if record is None:
        return None
    return {name: response_value(field, record[name]) for name, field in target.fields.items()}


def shown(field: FieldSchema, value: Stored) -> str:
    """A value as a person reads it; empty for none."""
    if value is None:
        return ""
    return str(bool(value)).lower() if field.type == "boolean" else str(value)


def type_of(field: FieldSchema) -> str:
    return f"{field.type}({field.length})" if field.length else field.type


def _field(schema: Schema, field: FieldSchema, value: Stored) -> Context:
    return {
        "name": field.name,
        "label": field.label,
        "value": shown(field, value),
        "type": type_of(field),
        "link": _link(schema, field, value),
        "is_system": not (field.createable or field.updateable),
    }


def _link(schema: Schema, field: FieldSchema, value: Stored) -> str:
    """The page of the record that the value refers to; empty if it refers to none."""
    if field.type != "reference" or not isinstance(value, str):
        return ""
    return link_to(schema, value)


def link_to(schema: Schema, record_id: str) -> str:
    """The page of the record with this id; empty for an id of an object that is not here."""
    target = next((one for one in schema.objects.values() if record_id.startswith(one.key_prefix)), None)
    return f"/objects/{target.name}/{record_id}" if target else ""


def _history(target: ObjectSchema, changes: Sequence[Change]) -> list[Context]:
    """The writes, the newest first, each with what it changed."""
    now: dict[str, Stored] = {}
    told: list[Context] = []
    for change in changes:
        changed = [
            {"label": _label(target, name), "before": _old(target, name, now), "after": _text(target, name, value)}
            for name, value in change.values.items()
            if name not in now or now[name] != value
        ]
        told.append(
            {
                "verb": change.verb,
                "at": change.at[:19].replace("T", " "),
                "call": change.call,
                "changed": changed,
                "same": len(change.values) - len(changed),
            }
        )
        now |= change.values
    return told[::-1]


def _old(target: ObjectSchema, name: str, now: Row) -> str:
    return _text(target, name, now[name]) if name in now else ""


def _text(target: ObjectSchema, name: str, value: Stored) -> str:
    field = target.fields.get(name)
    return shown(field, value) if field else str(value or "")


def _label(target: ObjectSchema, name: str) -> str:
    field = target.fields.get(name)
    return field.label if field else name


def _chosen(target: ObjectSchema, asked: Mapping[str, str]) -> list[str]:
    """The columns of the address: as a list, or as the form of the page sends them."""
    many = getattr(asked, "getlist", lambda key: [asked[key]] if key in asked else [])
    names = [name for text in many("columns") for name in text.split(",")]
    return list(dict.fromkeys(name for name in names if name in target.fields))


def _choices(target: ObjectSchema, first: Sequence[str]) -> list[FieldSchema]:
    """The fields to choose columns from: those that identify records or are filled, then the others by label."""
    others = (field for name, field in target.fields.items() if name not in first)
    return [*(target.fields[name] for name in first), *sorted(others, key=lambda field: field.label)]


def _usual_columns(target: ObjectSchema, records: Sequence[Row]) -> list[str]:
    """The id, the name, the fields that identify records, and then fields with a value on the page."""
    own = [name for name, field in target.fields.items() if field.createable and field.type != "boolean"]
    filled = [name for name in own if any(record[name] is not None for record in records) and name != "OwnerId"]
    finding = [name for name, field in target.fields.items() if field.id_lookup or name in target.index]
    leading = [name for name in dict.fromkeys((*_LEADING, *finding)) if name in target.fields]
    return [*leading, *(name for name in filled if name not in leading)][: _MOST_COLUMNS + len(leading)]
