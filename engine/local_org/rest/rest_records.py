"""Single records over REST, by id or external id."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.calls.sessions import USER_ID
from sfmap.engine.local_org.faults.org_faults import Fault, InvalidRecord, RecordError, no_such_field, unexpected
from sfmap.engine.local_org.records.external_ids import external_id
from sfmap.engine.local_org.records.ids import full_id
from sfmap.engine.local_org.records.object_schema import COMPOUND_TYPES, FieldSchema, ObjectSchema
from sfmap.engine.local_org.records.record_writer import SaveResult, SentRecord, Writer
from sfmap.engine.local_org.records.references import References
from sfmap.engine.local_org.records.store import Stored
from sfmap.engine.local_org.records.validation import stored_value
from sfmap.engine.local_org.rest.rest_call import RestCall, deleted, json_object, not_found, refused_response
from sfmap.engine.local_org.rest.rest_values import compound_value, json_value, sent_record

MOST_RECORDS = 200
"""The most records that one request writes."""
_MULTIPLE_CHOICES = 300
_MOST_CHOICES = 10
_TELLS_CREATED = 46
"""The first version whose upserts tell in their body whether they created the record."""


def writer(call: RestCall) -> Writer:
    """The writer of the call, as its headers want it."""
    rule = call.headers.get("sforce-duplicate-rule-header", "").replace(" ", "").lower()
    return Writer(
        call.store, call.schema, USER_ID, allow_duplicates="allowsave=true" in rule, injected=call.injected
    )


def read_record(call: RestCall, target: ObjectSchema, members: Mapping[str, object]) -> SentRecord:
    """A record of the body, whose fields and relationships are known to exist. Raises `Fault`."""
    sent = sent_record(target, members, call.body)
    references = References(call.store, call.schema, USER_ID)
    for name, parent in sent.parents.items():
        references.parent(target, name, parent)
    return sent


def described(errors: Sequence[RecordError]) -> list[dict[str, object]]:
    """The errors of a record as the results of several records contain them."""
    return [{"statusCode": e.code, "message": e.message, "fields": list(e.fields)} for e in errors]


def create(call: RestCall) -> Response:
    target = call.target()
    (saved,) = writer(call).create([_sent(call, target, "Id")], all_or_none=False)
    return _created(call, target, saved)


def record_by_id(call: RestCall) -> Response:
    """Reads, updates or deletes a record."""
    target = call.target()
    record_id = full_id(call.params["id"])
    found = call.store.get(target, record_id) if record_id else None
    if record_id is None and call.method == "PATCH" and target.field(call.params["id"]):
        message = f"HTTP Method '{call.method}' not allowed. Allowed are GET,HEAD,POST"
        raise unexpected("METHOD_NOT_ALLOWED", message)
    return _record(call, target, found) if found else not_found()


def record_by_key(call: RestCall) -> Response:
    """Reads or deletes a record, or updates one by its id."""
    target = call.target()
    key = _key(call, target)
    holders = _holders(call, target, key, call.params["value"])
    if len(holders) > 1:
        return _several(call, target, holders)
    found = call.store.get(target, holders[0]) if holders else None
    return _record(call, target, found) if found else not_found()


def upsert(call: RestCall) -> Response:
    """Upserts by a key whose value is in the path."""
    target = call.target()
    key = _key(call, target)
    if key.type == "id":
        return record_by_key(call)
    sent = _sent(call, target, "Id", key.name)
    holders = _holders(call, target, key, call.params["value"])
    if len(holders) > 1:
        return _several(call, target, holders)
    if not holders and call.query.get("updateOnly", "").lower() == "true":
        return not_found()
    record = SentRecord(target.name, {**sent.values, key.name: call.params["value"]}, sent.parents)
    return _upserted(call, target, key, record)


def upsert_by_body(call: RestCall) -> Response:
    """Upserts by a key whose value is in the body; creates without one."""
    target = call.target()
    key = _key(call, target)
    sent = _sent(call, target, "Id")
    value = sent.values.get(key.name)
    if value is None:
        (saved,) = writer(call).create([sent], all_or_none=False)
        return _created(call, target, saved, created=True)
    holders = _holders(call, target, key, value)
    return _several(call, target, holders) if len(holders) > 1 else _upserted(call, target, key, sent)


def selected(target: ObjectSchema, names: str) -> list[FieldSchema]:
    """The fields that `?fields=` names, or all of them without it. Raises `Fault` for a name that is unknown."""
    if not names.strip():
        return list(target.fields.values())
    fields: dict[str, FieldSchema] = {}
    for name in names.split(","):
        field = target.field(name.strip())
        if field is None:
            raise no_such_field(name.strip(), target.name)
        fields[field.name] = field
    return list(fields.values())


def shown(
    call: RestCall, target: ObjectSchema, fields: list[FieldSchema], row: Mapping[str, Stored]
) -> dict[str, object]:
    """A record as responses contain it."""
    record_id = row["Id"]
    values = {
        field.name: compound_value(target, field, row)
        if field.type in COMPOUND_TYPES
        else json_value(field, row[field.name])
        for field in fields
    }
    return {"attributes": call.attributes(target, record_id), **values, "Id": record_id}


def _key(call: RestCall, target: ObjectSchema) -> FieldSchema:
    """The field that the path identifies records by. Raises `Fault`."""
    name = call.params["key"]
    try:
        return external_id(target, name)
    except Fault:
        message = f"Provided external ID field does not exist or is not accessible: {name[:80]}"
        raise unexpected("NOT_FOUND", message) from None


def _holders(call: RestCall, target: ObjectSchema, key: FieldSchema, text: str) -> list[str]:
    """The ids of the records with this key; the writer says what is wrong with one that cannot be stored."""
    try:
        value = stored_value(key, text, cut_long=False)
    except InvalidRecord:
        return []
    return call.store.holders(target, key.name, value, _MOST_CHOICES)


def _several(call: RestCall, target: ObjectSchema, ids: list[str]) -> Response:
    return JSONResponse([f"{call.root}/sobjects/{target.name}/{quote(one)}" for one in ids], _MULTIPLE_CHOICES)


def _record(call: RestCall, target: ObjectSchema, found: Mapping[str, Stored]) -> Response:
    if found["IsDeleted"]:
        return deleted()
    record_id = str(found["Id"])
    if call.method in ("GET", "HEAD"):
        return JSONResponse(shown(call, target, selected(target, call.query.get("fields", "")), found))
    if call.method == "DELETE":
        (saved,) = writer(call).delete([record_id], all_or_none=False)
    else:
        sent = _sent(call, target, "Id")
        record = SentRecord(target.name, {**sent.values, "Id": record_id}, sent.parents)
        (saved,) = writer(call).update([record], all_or_none=False)
    return refused_response(saved.errors) if saved.errors else Response(status_code=204)


def _upserted(call: RestCall, target: ObjectSchema, key: FieldSchema, sent: SentRecord) -> Response:
    (saved,) = writer(call).upsert(key.name, [sent], all_or_none=False)
    if saved.errors or saved.created:
        return _created(call, target, saved, created=True)
    if float(call.version) < _TELLS_CREATED:
        return Response(status_code=204)
    return JSONResponse({"id": saved.id, "success": True, "errors": [], "created": False})


def _created(call: RestCall, target: ObjectSchema, saved: SaveResult, *, created: bool | None = None) -> Response:
    if saved.errors:
        return refused_response(saved.errors)
    answer: dict[str, object] = {"id": saved.id, "success": True, "errors": []}
    if created and float(call.version) >= _TELLS_CREATED:
        answer["created"] = True
    return JSONResponse(answer, 201, {"Location": f"{call.root}/sobjects/{target.name}/{saved.id}"})


def _sent(call: RestCall, target: ObjectSchema, *known: str) -> SentRecord:
    """The record in the body, without the fields that the path tells. Raises `Fault` if it has one."""
    sent = read_record(call, target, json_object(call))
    for name in known:
        if name in sent.values:
            raise unexpected("INVALID_FIELD", f"The {name} field should not be specified in the sobject data.")
    return sent
