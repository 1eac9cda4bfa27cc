"""A REST call in a session, with what it works on; and how errors are answered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson
from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.calls.sessions import ApiSession
from sfmap.engine.local_org.faults.fault_plan import InjectedFault
from sfmap.engine.local_org.faults.org_faults import Fault, RecordError, no_such_object, unexpected
from sfmap.engine.local_org.records.object_schema import ObjectSchema, Schema
from sfmap.engine.local_org.records.store import Store

_STATUSES = {
    "INVALID_SESSION_ID": 401,
    "API_DISABLED_FOR_ORG": 403,
    "API_CURRENTLY_DISABLED": 403,
    "INSUFFICIENT_ACCESS": 403,
    "REQUEST_LIMIT_EXCEEDED": 403,
    "NOT_FOUND": 404,
    "ENTITY_IS_DELETED": 404,
    "METHOD_NOT_ALLOWED": 405,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "UNKNOWN_EXCEPTION": 500,
    "SERVER_UNAVAILABLE": 503,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RestCall:
    """One request; the requests within a composite request are calls, too."""

    method: str
    path: str
    """Decoded, without the query string."""
    version: str = ""
    """Such as 66.0; empty for resources that have no versions."""
    params: Mapping[str, str]
    """The parts of the path that the resource's template names."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes
    base_url: str
    session: ApiSession
    store: Store
    schema: Schema
    daily_limit: int
    injected: InjectedFault | None
    """The fault of the plan that hits the call."""
    send: Callable[["RestCall"], Response]
    """Answers a request within this one: a call with another method, path, query and body. Raises `Fault`."""

    @property
    def root(self) -> str:
        """The path of the version's resources."""
        return f"/services/data/v{self.version}"

    def target(self) -> ObjectSchema:
        """The object that the path names. Raises `Fault`."""
        name = self.params["object"]
        target = self.schema.object(name)
        if target is None:
            raise Fault("NOT_FOUND", "The requested resource does not exist", no_such_object(name).kind)
        return target

    def attributes(self, target: ObjectSchema, record_id: object) -> dict[str, object]:
        """The type and address of a record, as responses contain them."""
        url = f"{self.root}/sobjects/{target.name}"
        return {"type": target.name, "url": f"{url}/{record_id}" if record_id else url}

    def json(self) -> object:
        """The body. Raises `Fault` if it is not JSON."""
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in ("", "application/json"):
            raise unexpected("UNSUPPORTED_MEDIA_TYPE", f"Content-Type {media_type[:80]} is not supported")
        if not self.body:
            message = "The HTTP entity body is required, but this request has no entity body."
            raise unexpected("JSON_PARSER_ERROR", message)
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise unexpected(
                "JSON_PARSER_ERROR", f"{error.msg} at [line:{error.lineno}, column:{error.colno}]"
            ) from None


class LaterResponse(Response):
    """A response that takes long to make, and is made when other calls may run."""

    def __init__(self, make: Callable[[], Response]) -> None:
        super().__init__()
        self._make = make

    def made(self) -> Response:
        """Uses what was read in the call, and not the store. Raises `Fault`."""
        return self._make()


def whole(response: Response) -> Response:
    return response.made() if isinstance(response, LaterResponse) else response


def deleted() -> Response:
    return error_response(404, "ENTITY_IS_DELETED", "entity is deleted")


def json_object(call: RestCall) -> dict[str, object]:
    """The body. Raises `Fault` if it is not an object in JSON."""
    body = call.json()
    if not isinstance(body, dict):
        raise unexpected("JSON_PARSER_ERROR", "The body must be a JSON object at [line:1, column:1]")
    return body


def error_response(status: int, code: str, message: str) -> Response:
    return JSONResponse([{"message": message, "errorCode": code}], status)


def not_found() -> Response:
    return error_response(404, "NOT_FOUND", "The requested resource does not exist")


def fault_response(fault: Fault) -> Response:
    message = "Session expired or invalid" if fault.code == "INVALID_SESSION_ID" else fault.message
    return error_response(_STATUSES.get(fault.code, 400), fault.code, message)


def refused_call(fault: Fault, _content_type: str) -> Response:
    """The response to a request of any content type."""
    return fault_response(fault)


def refused_response(errors: Sequence[RecordError]) -> Response:
    """The response for a record that could not be written."""
    said = [{"message": e.message, "errorCode": e.code, "fields": list(e.fields)} for e in errors]
    return JSONResponse(said, _STATUSES.get(errors[0].code, 400))
