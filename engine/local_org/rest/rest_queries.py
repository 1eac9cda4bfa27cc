"""Queries records over REST."""

from collections.abc import Sequence

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.calls.sessions import Cursor
from sfmap.engine.local_org.records.store import Stored, response_value
from sfmap.engine.local_org.rest.rest_call import RestCall, error_response
from sfmap.engine.local_org.soql.soql_compiler import CompiledQuery, compile_query

_PAGE_SIZE = 2_000


def query(call: RestCall) -> Response:
    return _first_page(call, with_deleted=False)


def query_all(call: RestCall) -> Response:
    return _first_page(call, with_deleted=True)


def query_more(call: RestCall) -> Response:
    locator, _, start = call.params["locator"].rpartition("-")
    if locator not in call.session.cursors or not start.isdecimal():
        return error_response(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return _page(call, locator, int(start))


def _first_page(call: RestCall, *, with_deleted: bool) -> Response:
    compiled = compile_query(call.query.get("q", ""), call.schema, with_deleted)
    rows = call.store.select(compiled.statement, compiled.parameters)
    if compiled.is_count:
        return JSONResponse({"totalSize": rows[0][0], "done": True, "records": []})
    locator = f"01g{len(call.session.cursors) + 1:015}"
    call.session.cursors[locator] = Cursor(compiled, rows)
    return _page(call, locator, 0)


def _page(call: RestCall, locator: str, start: int) -> Response:
    """A page from that row on; closes the cursor after the last."""
    cursor = call.session.cursors[locator]
    end = start + _PAGE_SIZE
    is_last = end >= len(cursor.rows)
    answer: dict[str, object] = {
        "totalSize": len(cursor.rows),
        "done": is_last,
        "records": [_row(call, cursor.query, row) for row in cursor.rows[start:end]],
    }
    if is_last:
        del call.session.cursors[locator]
    else:
        answer["nextRecordsUrl"] = f"{call.root}/query/{locator}-{end}"
    return JSONResponse(answer)


def _row(call: RestCall, query: CompiledQuery, row: Sequence[Stored]) -> dict[str, object]:
    record: dict[str, object] = {}
    for column, value in zip(query.columns, row, strict=True):
        holder = record
        for name, owner in zip(column.path[:-1], column.owners, strict=True):
            inner = holder.setdefault(name, {"attributes": {"type": owner}})
            assert isinstance(inner, dict)
            holder = inner
        holder[column.name] = response_value(column.field, value)
    if query.has_groups:
        return {"attributes": {"type": "AggregateResult"}, **record}
    whole = {name: _or_none(value) for name, value in record.items()}
    return {"attributes": call.attributes(query.target, record.get("Id")), **whole}


def _or_none(value: object) -> object:
    """None for a parent without any value."""
    if not isinstance(value, dict):
        return value
    inner = {name: _or_none(part) for name, part in value.items() if name != "attributes"}
    return {**value, **inner} if any(part is not None for part in inner.values()) else None
