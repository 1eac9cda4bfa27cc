"""Searches: the records of some objects whose fields have the words that are sought."""

from collections.abc import Iterator

from sfmap.engine.local_org.calls.query_pages import found_by
from sfmap.engine.local_org.faults.org_faults import no_such_object
from sfmap.engine.local_org.records.object_schema import ObjectSchema, Schema
from sfmap.engine.local_org.records.store import Store
from sfmap.engine.local_org.soql.query_runs import FoundRows, Row
from sfmap.engine.local_org.soql.sosl_parser import Returned, SoslSearch, parse_search

_MOST_FOUND = 2_000
_TEXTS = ("string", "textarea", "email", "phone", "url", "combobox")
_SEARCHED = {
    "ALL": _TEXTS,
    "NAME": _TEXTS,
    "EMAIL": ("email",),
    "PHONE": ("phone",),
}


def search(text: str, schema: Schema, store: Store) -> Iterator[tuple[FoundRows, Row]]:
    """The rows that are found, each with the query that they belong to. Raises `Fault`."""
    sought = parse_search(text)
    left = min(sought.limit or _MOST_FOUND, _MOST_FOUND)
    for returned in sought.returned or _everything(schema):
        target = schema.object(returned.object_name)
        if target is None:
            raise no_such_object(returned.object_name)
        for found, row in _found(sought, returned, target, schema, store):
            if left == 0:
                return
            left -= 1
            yield found, row


def _everything(schema: Schema) -> tuple[Returned, ...]:
    return tuple(
        Returned(object_name=target.name, fields="", where="", order="")
        for target in schema.objects.values()
        if "searchable" not in target.cannot
    )


def _found(
    sought: SoslSearch, returned: Returned, target: ObjectSchema, schema: Schema, store: Store
) -> Iterator[tuple[FoundRows, Row]]:
    searched = [
        known.name
        for known in target.fields.values()
        if known.type in _SEARCHED[sought.scope]
        if sought.scope != "NAME" or target.name_field in (known.name, known.compound)
    ]
    where = f" WHERE {returned.where}" if returned.where else ""
    columns = ", ".join(["Id", *searched])
    candidates = found_by(f"SELECT {columns} FROM {target.name}{where}", schema, store, with_deleted=False)  # noqa: S608
    ids = [
        row[candidates.query.id_position]
        for row in candidates.rows
        if sought.matches([str(text) for text in row[1 : 1 + len(searched)] if text is not None])
    ][:_MOST_FOUND]
    among = ", ".join(f"'{one}'" for one in ids) or "''"
    # Asked also if nothing matches, so that wrong fields are a fault.
    query = f"SELECT {returned.fields or 'Id'} FROM {target.name} WHERE Id IN ({among}) {returned.order}"  # noqa: S608
    found = found_by(query, schema, store, with_deleted=False)
    return ((found, row) for row in found.rows)
