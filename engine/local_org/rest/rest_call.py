"""A REST call in a session, with what it works on; and how errors are answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.calls.sessions import ApiSession
from sfmap.engine.local_org.faults.org_faults import Fault, RecordError, no_such_object
from sfmap.engine.local_org.records.object_schema import ObjectSchema, Schema
from sfmap.engine.local_org.records.store import Store

_STATUSES = {"INVALID_SESSION_ID": 401, "REQUEST_LIMIT_EXCEEDED": 403, "NOT_FOUND": 404, "ENTITY_IS_DELETED": 404}


@dataclass(frozen=True, slots=True, kw_only=True)
class RestCall:
    request: Request
    body: bytes
    session: ApiSession
    store: Store
    schema: Schema
    daily_limit: int

    @property
    def root(self) -> str:
        """The path of the version's resources."""
        return f"/services/data/v{self.request.path_params['version']}"

    def target(self) -> ObjectSchema:
        """The object that the path names. Raises `Fault`."""
        name = self.request.path_params["object"]
        target = self.schema.object(name)
        if target is None:
            raise Fault("NOT_FOUND", "The requested resource does not exist", no_such_object(name).kind)
        return target

    def attributes(self, target: ObjectSchema, record_id: object) -> dict[str, object]:
        """The type and address of a record, as responses contain them."""
        url = f"{self.root}/sobjects/{target.name}"
        return {"type": target.name, "url": f"{url}/{record_id}" if record_id else url}


def error_response(status: int, code: str, message: str) -> Response:
    return JSONResponse([{"message": message, "errorCode": code}], status)


def not_found() -> Response:
    return error_response(404, "NOT_FOUND", "The requested resource does not exist")


def fault_response(fault: Fault) -> Response:
    message = "Session expired or invalid" if fault.code == "INVALID_SESSION_ID" else fault.message
    return error_response(_STATUSES.get(fault.code, 400), fault.code, message)


def refused_response(errors: Sequence[RecordError]) -> Response:
    """The response for a record that could not be written."""
    said = [{"message": e.message, "errorCode": e.code, "fields": list(e.fields)} for e in errors]
    return JSONResponse(said, _STATUSES.get(errors[0].code, 400))
