"""Collections: up to 200 records in one request, each with a result of its own."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.faults.org_faults import Fault, RecordError, no_such_object, unexpected
from sfmap.engine.local_org.records.external_ids import external_id
from sfmap.engine.local_org.records.ids import full_id
from sfmap.engine.local_org.records.record_writer import SaveResult, SentRecord, rolled_back
from sfmap.engine.local_org.rest.rest_call import RestCall, json_object
from sfmap.engine.local_org.rest.rest_records import MOST_RECORDS, described, read_record, selected, shown, writer
from sfmap.engine.local_org.rest.rest_values import attribute

_MOST_RETRIEVED = 2_000
_MOST_CHUNKS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """The records of a body in order, each as the writer takes it or with what is wrong with it."""

    records: Sequence[SentRecord | RecordError]
    all_or_none: bool


def create(call: RestCall) -> Response:
    return _written(call, lambda sent, whole: writer(call).create(sent, whole))


def update(call: RestCall) -> Response:
    return _written(call, lambda sent, whole: writer(call).update(sent, whole))


def upsert(call: RestCall) -> Response:
    target = call.target()
    key = external_id(target, call.params["key"])
    return _written(
        call, lambda sent, whole: writer(call).upsert(key.name, sent, whole), only=target.name, tells_created=True
    )


def delete(call: RestCall) -> Response:
    ids = _listed(call.query.get("ids", ""))
    if not ids:
        raise unexpected("MISSING_ARGUMENT", "The ids parameter is required")
    _check_number(len(ids), MOST_RECORDS)
    all_or_none = call.query.get("allOrNone", "").lower() == "true"
    saved = writer(call).delete(ids, all_or_none)
    return _results(call, [_result(one) for one in saved])


def retrieve(call: RestCall) -> Response:
    return _retrieved(call, _listed(call.query.get("ids", "")), call.query.get("fields", ""))


def retrieve_many(call: RestCall) -> Response:
    body = json_object(call)
    ids, fields = (_texts(body, name) for name in ("ids", "fields"))
    return _retrieved(call, ids, ",".join(fields))


def _retrieved(call: RestCall, ids: Sequence[str], names: str) -> Response:
    target = call.target()
    for name, given in (("ids", ids), ("fields", names.strip())):
        if not given:
            raise unexpected("MISSING_ARGUMENT", f"The {name} parameter is required")
    _check_number(len(ids), _MOST_RETRIEVED)
    fields = selected(target, names)
    found = [call.store.get(target, full_id(one) or "") for one in ids]
    exist = [row if row and not row["IsDeleted"] else None for row in found]
    return _results(call, [shown(call, target, fields, row) if row else None for row in exist])


def _written(
    call: RestCall,
    write: Callable[[Sequence[SentRecord], bool], list[SaveResult]],
    *,
    only: str = "",
    tells_created: bool = False,
) -> Response:
    sent = _sent(call, only)
    readable = [record for record in sent.records if isinstance(record, SentRecord)]
    if sent.all_or_none and len(readable) < len(sent.records):
        written = iter([rolled_back()] * len(readable))
    else:
        written = iter(write(readable, sent.all_or_none))
    saved = [
        next(written) if isinstance(record, SentRecord) else SaveResult(None, (record,)) for record in sent.records
    ]
    return _results(call, [_result(one, tells_created=tells_created) for one in saved])


def _results(call: RestCall, results: Sequence[dict[str, object] | None]) -> Response:
    return JSONResponse(list(call.injected.results(results) if call.injected else results))


def _result(saved: SaveResult, *, tells_created: bool = False) -> dict[str, object]:
    named: dict[str, object] = {"id": saved.id} if saved.id else {}
    created: dict[str, object] = {"created": saved.created} if tells_created else {}
    return {**named, "success": not saved.errors, "errors": described(saved.errors), **created}


def _sent(call: RestCall, only: str) -> _Sent:
    body = json_object(call)
    records = body.get("records")
    if not isinstance(records, list):
        raise unexpected("JSON_PARSER_ERROR", "The body must have the records as a list at [line:1, column:1]")
    _check_number(len(records), MOST_RECORDS)
    kinds = [attribute(record, "type") if isinstance(record, dict) else "" for record in records]
    if sum(1 for _ in groupby(kinds)) > _MOST_CHUNKS:
        message = (
            f"Cannot have more than {_MOST_CHUNKS} chunks in a single operation. Please rearrange the data to"
            " reduce chunking."
        )
        raise unexpected("LIMIT_EXCEEDED", message)
    all_or_none = body.get("allOrNone", False)
    if not isinstance(all_or_none, bool):
        raise unexpected("JSON_PARSER_ERROR", "allOrNone must be true or false")
    return _Sent(records=list(_read(call, records, only)), all_or_none=all_or_none)


def _read(call: RestCall, records: Sequence[object], only: str) -> Iterator[SentRecord | RecordError]:
    for record in records:
        try:
            yield _one(call, record, only)
        except Fault as fault:
            yield RecordError(fault.code, fault.message)


def _one(call: RestCall, record: object, only: str) -> SentRecord:
    """A record of the body. Raises `Fault`."""
    if not isinstance(record, dict):
        raise unexpected("JSON_PARSER_ERROR", "A record must be a JSON object")
    kind = attribute(record, "type")
    if not kind:
        raise unexpected("INVALID_TYPE", "Each record must have its type in its attributes")
    target = call.schema.object(kind)
    if target is None:
        raise no_such_object(kind)
    if only and target.name != only:
        raise unexpected("INVALID_TYPE", f"The records must be of type {only}")
    return read_record(call, target, record)


def _texts(body: dict[str, object], name: str) -> list[str]:
    values = body.get(name, [])
    if isinstance(values, list):
        texts = [value for value in values if isinstance(value, str)]
        if len(texts) == len(values):
            return texts
    raise unexpected("JSON_PARSER_ERROR", f"{name} must be a list of texts")


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _check_number(records: int, most: int) -> None:
    if records > most:
        message = f"record limit reached. cannot submit more than {most} records into this call"
        raise unexpected("EXCEEDED_ID_LIMIT", message)
