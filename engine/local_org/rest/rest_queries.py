"""Queries records over REST."""

import re
from collections.abc import Sequence

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.calls.query_pages import FoundPage, first_page, found_by, next_page, page_size
from sfmap.engine.local_org.records.store import Stored
from sfmap.engine.local_org.rest.rest_call import RestCall
from sfmap.engine.local_org.rest.rest_query_plans import described_columns, explained
from sfmap.engine.local_org.rest.rest_values import json_value
from sfmap.engine.local_org.soql.query_runs import FoundRows, Row
from sfmap.engine.local_org.soql.row_layout import (
    ChildrenCell,
    CompoundCell,
    ParentCell,
    ParentKind,
    RowCell,
    ValueCell,
)

_BATCH_SIZE = re.compile(r"batchSize\s*=\s*(\d+)")


def query(call: RestCall) -> Response:
    return _first_page(call, with_deleted=False)


def query_all(call: RestCall) -> Response:
    return _first_page(call, with_deleted=True)


def query_more(call: RestCall) -> Response:
    return JSONResponse(_page(call, next_page(call.session, call.params["locator"], _page_size(call))))


def _first_page(call: RestCall, *, with_deleted: bool) -> Response:
    text = call.query.get("q", "")
    if "explain" in call.query:
        return explained(call, call.query["explain"])
    if call.query.get("columns", "").lower() == "true":
        return described_columns(call, text)
    found = found_by(text, call.schema, call.store, with_deleted=with_deleted)
    return JSONResponse(_page(call, first_page(call.session, found, _page_size(call))))


def _page_size(call: RestCall) -> int:
    asked = _BATCH_SIZE.search(call.headers.get("sforce-query-options", ""))
    return page_size(asked[1] if asked else "")


def _page(call: RestCall, page: FoundPage) -> dict[str, object]:
    further = {"nextRecordsUrl": f"{call.root}/query/{page.further}"} if page.further else {}
    records = [record(call, page.found, row) for row in page.rows]
    return {"totalSize": page.found.total, "done": not page.further, **further, "records": records}


def record(call: RestCall, found: FoundRows, row: Row) -> dict[str, object]:
    """A record of a query, or a row of groups, as responses contain it."""
    query = found.query
    if query.has_groups:
        attributes: dict[str, object] = {"type": "AggregateResult"}
    else:
        attributes = call.attributes(query.target, row[query.id_position])
    return {"attributes": attributes, **_members(call, found, row, query.cells)}


def _members(call: RestCall, found: FoundRows, row: Row, cells: Sequence[RowCell]) -> dict[str, object]:
    members: dict[str, object] = {}
    for cell in cells:
        match cell:
            case ValueCell():
                members[cell.name] = _value(cell, row)
            case CompoundCell():
                parts = {part.name: _value(part, row) for part in cell.parts}
                members[cell.name] = parts if any(value is not None for value in parts.values()) else None
            case ParentCell():
                kind = next((kind for kind in cell.kinds if row[kind.id_position] is not None), None)
                members[cell.name] = _parent(call, found, row, kind) if kind else None
            case ChildrenCell():
                children = found.children_of(row, cell.number)
                page = first_page(call.session, children, _page_size(call), is_child=True)
                members[cell.name] = _page(call, page) if children.rows else None
    return members


def _value(cell: ValueCell, row: Row) -> Stored | bool:
    column, value = cell.column, row[cell.position]
    return column.written(value) if column.written else json_value(column.field, value)


def _parent(call: RestCall, found: FoundRows, row: Row, kind: ParentKind) -> dict[str, object]:
    url = f"{call.root}/sobjects/{kind.object_name}/{row[kind.id_position]}"
    return {"attributes": {"type": kind.shown, "url": url}, **_members(call, found, row, kind.cells)}
