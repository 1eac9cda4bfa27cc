"""Composite and batch requests: several requests in one, each answered as if it had come alone."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import parse_qsl, unquote

import orjson
from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.faults.org_faults import Fault, unexpected
from sfmap.engine.local_org.rest.composite_references import NoValue, check_nesting, resolved, resolved_text
from sfmap.engine.local_org.rest.rest_call import RestCall, error_response, fault_response, json_object

_MOST_REQUESTS = 25
_MOST_GRAPHS = 75
_MOST_NODES = 500
_MOST_OF_MANY = 5
"""The most queries and collections in one composite request."""
_FIRST_ERROR = 400
_HALTED = 412
_ID = re.compile(r"[A-Za-z]\w*", re.ASCII)
_MANY = re.compile(r"/services/data/v[\d.]+/(query|queryAll|composite/sobjects)(/|$)")
_NESTED = re.compile(r"/services/data/v[\d.]+/composite(/batch|/graph)?/?$")
_BATCH_HALTED = (
    "Batch processing was halted per the request after an error occurred in a preceding subrequest of the batch."
)
_NOT_OWN = ("accept", "authorization", "content-type")
"""Headers that a request within another cannot have."""


class _RolledBack(Exception):
    """Rolls back a composite request in which one part failed."""


def resources(call: RestCall) -> Response:
    """The kinds of composite requests."""
    names = ("batch", "graph", "sobjects", "tree")
    return JSONResponse({name: f"{call.root}/composite/{name}" for name in names})


def composite(call: RestCall) -> Response:
    body = json_object(call)
    parts = _parts(body, "compositeRequest")
    many = [part for part in parts if _MANY.match(_text(part, "url").partition("?")[0])]
    if len(many) > _MOST_OF_MANY:
        message = f"A composite request cannot have more than {_MOST_OF_MANY} queries and collections"
        raise unexpected("LIMIT_EXCEEDED", message)
    return JSONResponse({"compositeResponse": _answered(call, parts, all_or_none=_flag(body, "allOrNone"))})


def graph(call: RestCall) -> Response:
    """Several composite requests, each done as a whole or not at all."""
    graphs = _parts(json_object(call), "graphs", _MOST_GRAPHS)
    parts = {_text(one, "graphId"): _parts(one, "compositeRequest", _MOST_NODES) for one in graphs}
    if sum(map(len, parts.values())) > _MOST_NODES:
        raise unexpected("LIMIT_EXCEEDED", f"graphs cannot have more than {_MOST_NODES} requests")
    if len(parts) < len(graphs):
        raise unexpected("INVALID_INPUT", "Each graph must have a graphId of its own")
    answers = {one: _answered(call, requests, all_or_none=True) for one, requests in parts.items()}
    return JSONResponse(
        {
            "graphs": [
                {
                    "graphId": one,
                    "graphResponse": {"compositeResponse": results},
                    "isSuccessful": not any(map(_has_failed, results)),
                }
                for one, results in answers.items()
            ]
        }
    )


def _answered(call: RestCall, parts: Sequence[dict[str, object]], *, all_or_none: bool) -> list[dict[str, object]]:
    """The results of requests that refer to each other's responses. Raises `Fault` if they are malformed."""
    _check_references(parts)
    results: list[dict[str, object]] = []
    try:
        with call.store.savepoint():
            for part in parts:
                results.append(_composed(call, part, results))
                if all_or_none and _has_failed(results[-1]):
                    raise _RolledBack
    except _RolledBack:
        failed = results[-1]
        results = [failed if part["referenceId"] == failed["referenceId"] else _undone(part) for part in parts]
    return results


def batch(call: RestCall) -> Response:
    body = json_object(call)
    halts = _flag(body, "haltOnError")
    results: list[dict[str, object]] = []
    has_errors = False
    for part in _parts(body, "batchRequests"):
        if halts and has_errors:
            results.append({"statusCode": _HALTED, "result": _error("BATCH_PROCESSING_HALTED", _BATCH_HALTED)})
            continue
        response = _batched(call, part)
        results.append({"statusCode": response.status_code, "result": _body(response)})
        has_errors = has_errors or response.status_code >= _FIRST_ERROR
    return JSONResponse({"hasErrors": has_errors, "results": results})


def _batched(call: RestCall, part: dict[str, object]) -> Response:
    """The response to one part of a batch."""
    url = _text(part, "url")
    url = url if url.startswith("/services/") else f"/services/data/{url.lstrip('/')}"
    try:
        check_nesting(part.get("richInput"))
    except NoValue as error:
        return error_response(_FIRST_ERROR, "PROCESSING_HALTED", str(error))
    return _sent(call, part, url, part.get("richInput"))


def _parts(body: dict[str, object], name: str, most: int = _MOST_REQUESTS) -> list[dict[str, object]]:
    listed = body.get(name)
    parts = [part for part in listed if isinstance(part, dict)] if isinstance(listed, list) else []
    if not isinstance(listed, list) or not parts or len(parts) < len(listed):
        raise unexpected("JSON_PARSER_ERROR", f"{name} must be a list of JSON objects")
    if len(parts) > most:
        raise unexpected("LIMIT_EXCEEDED", f"{name} cannot have more than {most} elements")
    return parts


def _check_references(parts: Sequence[dict[str, object]]) -> None:
    """Raises `Fault` for parts whose references are not names, or not their own."""
    ids = [_text(part, "referenceId") for part in parts]
    for one in ids:
        if not _ID.fullmatch(one):
            message = f"Invalid reference ID: {one[:80]}. It starts with a letter, and has letters, digits and _"
            raise unexpected("INVALID_INPUT", message)
        if ids.count(one) > 1:
            raise unexpected("INVALID_INPUT", f"Duplicate ReferenceId provided in the request: {one}")


def _composed(
    call: RestCall, part: dict[str, object], results: Sequence[Mapping[str, object]]
) -> dict[str, object]:
    """The result of one part, which may refer to those before it."""
    responses = {str(one["referenceId"]): one["body"] for one in results if not _has_failed(one)}
    try:
        check_nesting(part.get("body"))
        url, body = resolved_text(_text(part, "url"), responses), resolved(part.get("body"), responses)
    except NoValue as error:
        return _result(part, _FIRST_ERROR, _error("PROCESSING_HALTED", str(error)))
    response = _sent(call, part, url, body)
    location = response.headers.get("location")
    return _result(part, response.status_code, _body(response), {"Location": location} if location else {})


def _sent(call: RestCall, part: dict[str, object], url: str, body: object) -> Response:
    """The response to one part; what it wrote before a fault is undone."""
    headers = part.get("httpHeaders", {})
    own = {name.lower(): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
    path, _, query = url.partition("?")
    asked = replace(
        call,
        method=_text(part, "method").upper(),
        path=unquote(path),
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers={name: value for name, value in own.items() if name not in _NOT_OWN},
        body=b"" if body is None else orjson.dumps(body),
    )
    try:
        if not path.startswith("/services/data/") or _NESTED.match(path):
            raise unexpected("INVALID_INPUT", f"A request within another cannot have the URL {url[:80]}")
        with call.store.savepoint():
            return call.send(asked)
    except Fault as fault:
        return fault_response(fault)


def _result(
    part: dict[str, object], status: int, body: object, headers: dict[str, str] | None = None
) -> dict[str, object]:
    return {
        "body": body,
        "httpHeaders": headers or {},
        "httpStatusCode": status,
        "referenceId": part["referenceId"],
    }


def _undone(part: dict[str, object]) -> dict[str, object]:
    message = "The transaction was rolled back since another operation in the same transaction failed."
    return _result(part, _FIRST_ERROR, _error("PROCESSING_HALTED", message))


def _has_failed(result: Mapping[str, object]) -> bool:
    status = result["httpStatusCode"]
    return isinstance(status, int) and status >= _FIRST_ERROR


def _error(code: str, message: str) -> list[dict[str, str]]:
    return [{"errorCode": code, "message": message}]


def _body(response: Response) -> object:
    return orjson.loads(response.body) if response.body else None


def _text(part: dict[str, object], name: str) -> str:
    value = part.get(name)
    if not isinstance(value, str) or not value:
        raise unexpected("JSON_PARSER_ERROR", f"Each request must have {name}, a text")
    return value


def _flag(body: dict[str, object], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise unexpected("JSON_PARSER_ERROR", f"{name} must be true or false")
    return value
