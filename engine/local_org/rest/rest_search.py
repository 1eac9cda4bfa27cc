"""Searches records over REST."""

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.calls.searches import search
from sfmap.engine.local_org.faults.org_faults import unexpected
from sfmap.engine.local_org.rest.rest_call import RestCall
from sfmap.engine.local_org.rest.rest_queries import record
from sfmap.engine.local_org.rest.rest_router import RestResource

_SIMPLE = "/parameterizedSearch"
_RESERVED = str.maketrans({sign: f"\\{sign}" for sign in "{}\\"})


def _search(call: RestCall) -> Response:
    return _found(call, call.query.get("q", ""))


def _simple_search(call: RestCall) -> Response:
    """A search by a term, and optionally objects and fields, in the query string or as JSON."""
    asked = _of_body(call.json()) if call.method == "POST" else _of_query(call.query)
    return _found(call, asked)


def _found(call: RestCall, text: str) -> Response:
    records = [record(call, found, row) for found, row in search(text, call.schema, call.store)]
    return JSONResponse({"searchRecords": records})


def _of_query(query: Mapping[str, str]) -> str:
    objects = [name.strip() for name in query.get("sobject", "").split(",") if name.strip()]
    fields = query.get("fields", "")
    returned = [
        _returned(
            name,
            query.get(f"{name}.fields", fields),
            query.get(f"{name}.where", ""),
            query.get(f"{name}.limit", ""),
        )
        for name in objects
    ]
    return _sosl(query.get("q", ""), query.get("in", ""), returned, query.get("overallLimit", ""))


def _of_body(body: object) -> str:
    if not isinstance(body, dict):
        raise unexpected("JSON_PARSER_ERROR", "The body of a search is an object")
    usual = _listed(body, "fields")
    objects = [one for one in _listed(body, "sobjects") if isinstance(one, dict)]
    returned = [
        _returned(
            str(one.get("name", "")),
            ", ".join(map(str, _listed(one, "fields") or usual)),
            str(one.get("where", "")),
            str(one.get("limit", "")),
        )
        for one in objects
    ]
    return _sosl(str(body.get("q", "")), str(body.get("in", "")), returned, str(body.get("overallLimit", "")))


def _listed(holder: Mapping[str, object], name: str) -> list[object]:
    """The list of that name; none is sent as null, too. Raises `Fault` for anything else."""
    listed = holder.get(name)
    if listed is not None and not isinstance(listed, list):
        raise unexpected("JSON_PARSER_ERROR", f"{name} must be a list")
    return listed or []


def _returned(name: str, fields: str, where: str, limit: str) -> str:
    condition, ending = f" WHERE {where}" if where else "", f" LIMIT {limit}" if limit else ""
    return f"{name}({fields or 'Id'}{condition}{ending})"


def _sosl(term: str, scope: str, returned: list[str], limit: str) -> str:
    fields = f" IN {scope} FIELDS" if scope else ""
    objects = f" RETURNING {', '.join(returned)}" if returned else ""
    return f"FIND {{{term.translate(_RESERVED)}}}{fields}{objects}{f' LIMIT {limit}' if limit else ''}"


SEARCH_RESOURCES = (
    RestResource(path="/search", resource=_search, operation="search"),
    RestResource(path=_SIMPLE, methods=("GET", "POST"), resource=_simple_search, operation="search"),
)
