"""Single records over REST, by id or external id."""

from collections.abc import Mapping
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.calls.sessions import USER_ID
from sfmap.engine.local_org.faults.org_faults import Fault
from sfmap.engine.local_org.records.ids import full_id
from sfmap.engine.local_org.records.object_schema import ObjectSchema
from sfmap.engine.local_org.records.record_writer import SentRecord, Writer
from sfmap.engine.local_org.records.references import SentParent
from sfmap.engine.local_org.records.store import Stored, response_value
from sfmap.engine.local_org.rest.rest_call import RestCall, not_found, refused_response

_MULTIPLE_CHOICES = 300


def create(call: RestCall) -> Response:
    (saved,) = _writer(call).create([_sent(call, call.target())], all_or_none=False)
    if saved.errors:
        return refused_response(saved.errors)
    return JSONResponse({"id": saved.id, "success": True, "errors": []}, 201)


def record_by_id(call: RestCall) -> Response:
    """Reads, updates or deletes a record."""
    target = call.target()
    record_id = full_id(call.params["id"])
    found = call.store.get(target, record_id) if record_id else None
    if found is None or record_id is None or found["IsDeleted"]:
        return not_found()
    return _record(call, target, record_id, found)


def record_by_key(call: RestCall) -> Response:
    """Upserts, reads or deletes a record."""
    target = call.target()
    key, value = call.params["key"], call.params["value"]
    if call.method == "PATCH":
        return _upsert(call, target, key, value)
    field = target.field(key)
    if field is None or not (field.external_id or field.id_lookup):
        return not_found()
    holders = call.store.holders(target, field.name, value, 2)
    if len(holders) > 1:
        urls = [f"{call.root}/sobjects/{target.name}/{quote(one)}" for one in holders]
        return JSONResponse(urls, _MULTIPLE_CHOICES)
    found = call.store.get(target, holders[0]) if holders else None
    return _record(call, target, holders[0], found) if found else not_found()


def _upsert(call: RestCall, target: ObjectSchema, key: str, value: str) -> Response:
    sent = _sent(call, target)
    record = SentRecord(target.name, {**sent.values, key: value}, sent.parents)
    (saved,) = _writer(call).upsert(key, [record], all_or_none=False)
    if saved.errors:
        return refused_response(saved.errors)
    answer: dict[str, object] = {"id": saved.id, "success": True, "errors": [], "created": saved.created}
    return JSONResponse(answer, 201 if saved.created else 200)


def _record(call: RestCall, target: ObjectSchema, record_id: str, found: Mapping[str, Stored]) -> Response:
    if call.method == "GET":
        return _read(call, target, record_id, found)
    if call.method == "DELETE":
        (saved,) = _writer(call).delete([record_id], all_or_none=False)
    else:
        sent = _sent(call, target)
        record = SentRecord(target.name, {**sent.values, "Id": record_id}, sent.parents)
        (saved,) = _writer(call).update([record], all_or_none=False)
    return refused_response(saved.errors) if saved.errors else Response(status_code=204)


def _read(call: RestCall, target: ObjectSchema, record_id: str, found: Mapping[str, Stored]) -> Response:
    wanted = call.query.get("fields", "")
    names = [name for name in wanted.split(",") if name] or list(target.fields)
    fields = [field for name in names if (field := target.field(name))]
    values = {field.name: response_value(field, found[field.name]) for field in fields}
    return JSONResponse({"attributes": call.attributes(target, record_id), **values, "Id": record_id})


def _writer(call: RestCall) -> Writer:
    return Writer(call.store, call.schema, USER_ID)


def _sent(call: RestCall, target: ObjectSchema) -> SentRecord:
    raw = call.json()
    if not isinstance(raw, dict):
        raise Fault("JSON_PARSER_ERROR", "expected a JSON object", "UnexpectedErrorFault")
    values = {name: _text(value) for name, value in raw.items() if not isinstance(value, (dict, list))}
    parents = {
        name: SentParent(
            str(value.get("attributes", {}).get("type", "")) if isinstance(value.get("attributes"), dict) else "",
            {key: _text(part) or "" for key, part in value.items() if key != "attributes"},
        )
        for name, value in raw.items()
        if isinstance(value, dict) and name != "attributes"
    }
    return SentRecord(target.name, values, parents)


def _text(value: object) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
