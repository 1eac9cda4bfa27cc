"""The REST resources that common clients use: queries, describes, and single records by id or external id."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sfmap.engine.http.bodies import UnreadableBody, read_body
from sfmap.engine.local_org import token_endpoint as oauth
from sfmap.engine.local_org.envelope import LARGEST_REQUEST
from sfmap.engine.local_org.faults import Fault, RecordError, no_such_object
from sfmap.engine.local_org.ids import full_id
from sfmap.engine.local_org.object_schema import FieldSchema, ObjectSchema
from sfmap.engine.local_org.partner_api import FIRST_VERSION, LAST_VERSION, Service, shown
from sfmap.engine.local_org.picklists import described_entries
from sfmap.engine.local_org.records import Saved, Sent, Writer
from sfmap.engine.local_org.references import SentParent
from sfmap.engine.local_org.sessions import ORGANIZATION_ID, USER_ID, Session
from sfmap.engine.local_org.soql_compiler import Compiled, compile_query
from sfmap.engine.local_org.store import Stored

_PAGE = 2_000
_STATUSES = {"INVALID_SESSION_ID": 401, "REQUEST_LIMIT_EXCEEDED": 403, "NOT_FOUND": 404, "ENTITY_IS_DELETED": 404}
_REFERENCE_TYPES = {"id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int"}

Verb = Callable[["Resources", Session, Request, bytes], Response]


class Resources:
    """Answers REST requests with the same service that answers SOAP."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[Route]:
        data = "/services/data"
        version = f"{data}/v{{version}}"
        return [
            Route("/services/oauth2/token", self._token, methods=["POST"]),
            Route("/services/oauth2/userinfo", self._with(_user_info)),
            Route("/services/oauth2/revoke", self._revoke, methods=["POST"]),
            Route(f"{data}", _versions),
            Route(f"{data}/", _versions),
            Route(version, self._with(_resources)),
            Route(f"{version}/", self._with(_resources)),
            Route(f"{version}/limits", self._with(_limits)),
            Route(f"{version}/limits/", self._with(_limits)),
            *(
                Route(f"{version}/{name}{end}", self._with(_query))
                for name in ("query", "queryAll")
                for end in ("", "/")
            ),
            Route(f"{version}/query/{{locator}}", self._with(_query_more)),
            Route(f"{version}/sobjects", self._with(_objects)),
            Route(f"{version}/sobjects/", self._with(_objects)),
            Route(f"{version}/sobjects/{{object}}/describe", self._with(_describe)),
            Route(f"{version}/sobjects/{{object}}/describe/", self._with(_describe)),
            Route(f"{version}/sobjects/{{object}}", self._with(_create), methods=["POST"]),
            Route(f"{version}/sobjects/{{object}}/", self._with(_create), methods=["POST"]),
            Route(
                f"{version}/sobjects/{{object}}/{{id}}", self._with(_record), methods=["GET", "PATCH", "DELETE"]
            ),
            Route(
                f"{version}/sobjects/{{object}}/{{key}}/{{value:path}}",
                self._with(_by_key),
                methods=["GET", "PATCH", "DELETE"],
            ),
        ]

    @property
    def service(self) -> Service:
        return self._service

    def _with(self, verb: Verb) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            try:
                body = await read_body(request, LARGEST_REQUEST)
            except UnreadableBody as error:
                return _error(413, "REQUEST_NOT_READ", str(error))
            return await run_in_threadpool(self._answer, verb, request, body)

        return answer

    def _answer(self, verb: Verb, request: Request, body: bytes) -> Response:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        try:
            token = bearer if scheme.lower() in ("bearer", "oauth") else ""
            about = request.query_params.get("q") or request.url.path
            with self._service.call(token, f"REST {request.method}", about) as session:
                return verb(self, session, request, body)
        except Fault as fault:
            return _error(_STATUSES.get(fault.code, 400), fault.code, _said(fault))

    async def _token(self, request: Request) -> Response:
        form = await _form(request)
        try:
            authorization = request.headers.get("authorization", "")
            return JSONResponse(dict(oauth.token(self._service.sessions, form, authorization, base_url(request))))
        except oauth.Refused as refused:
            return JSONResponse({"error": refused.error, "error_description": refused.description}, 400)

    async def _revoke(self, request: Request) -> Response:
        self._service.sessions.close((await _form(request)).get("token", ""))
        return Response(status_code=200)


async def _form(request: Request) -> dict[str, str]:
    """The fields of the form; empty if it cannot be read, which every sign-in refuses."""
    try:
        return dict(parse_qsl((await read_body(request, LARGEST_REQUEST)).decode("utf-8", "replace")))
    except UnreadableBody:
        return {}


def base_url(request: Request) -> str:
    return f"http://{request.headers.get('host', request.url.netloc)}"


def _said(fault: Fault) -> str:
    return "Session expired or invalid" if fault.code == "INVALID_SESSION_ID" else fault.message


def _error(status: int, code: str, message: str, fields: Sequence[str] = ()) -> Response:
    said: dict[str, object] = {"message": message, "errorCode": code}
    return JSONResponse([{**said, "fields": list(fields)} if fields else said], status)


def _not_found() -> Response:
    return _error(404, "NOT_FOUND", "The requested resource does not exist")


async def _versions(_: Request) -> Response:
    return JSONResponse(
        [
            {"label": f"Version {number}", "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
            for number in range(FIRST_VERSION, LAST_VERSION + 1)
        ]
    )


def _root(request: Request) -> str:
    return f"/services/data/v{request.path_params['version']}"


def _resources(resources: Resources, session: Session, request: Request, body: bytes) -> Response:
    names = ("limits", "query", "queryAll", "sobjects")
    return JSONResponse({name: f"{_root(request)}/{name}" for name in names})


def _limits(resources: Resources, session: Session, request: Request, body: bytes) -> Response:
    most = resources.service.daily_limit
    left = max(0, most - resources.service.store.calls_today())
    return JSONResponse({"DailyApiRequests": {"Max": most, "Remaining": left}})


def _user_info(resources: Resources, session: Session, request: Request, body: bytes) -> Response:
    return JSONResponse({"user_id": USER_ID, "organization_id": ORGANIZATION_ID, "active": True})


def _query(resources: Resources, session: Session, request: Request, body: bytes) -> Response:
    service = resources.service
    with_deleted = "queryAll" in request.url.path
    query = compile_query(request.query_params.get("q", ""), service.schema, with_deleted)
    rows = service.store.select(query.statement, query.parameters)
    if query.counts:
        return JSONResponse({"totalSize": rows[0][0], "done": True, "records": []})
    locator = f"01g{len(session.cursors) + 1:015}"
    session.cursors[locator] = (query, rows)
    return _page(session, request, locator, 0)


def _query_more(resources: Resources, session: Session, request: Request, body: bytes) -> Response:
    locator, _, start = request.path_params["locator"].rpartition("-")
    if locator not in session.cursors or not start.isdecimal():
        return _error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return _page(session, request, locator, int(start))


def _page(session: Session, request: Request, locator: str, start: int) -> Response:
    query, rows = session.cursors[locator]
    end = start + _PAGE
    answer: dict[str, object] = {
        "totalSize": len(rows),
        "done": end >= len(rows),
        "records": [_row(request, query, row) for row in rows[start:end]],
    }
    if end < len(rows):
        answer["nextRecordsUrl"] = f"{_root(request)}/query/{locator}-{end}"
    else:
        del session.cursors[locator]
    return JSONResponse(answer)


def _row(request: Request, query: Compiled, row: Sequence[Stored]) -> dict[str, object]:
    record: dict[str, object] = {}
    for column, value in zip(query.columns, row, strict=True):
        holder = record
        for name, owner in zip(column.path[:-1], column.owners, strict=True):
            inner = holder.setdefault(name, {"attributes": {"type": owner}})
            assert isinstance(inner, dict)
            holder = inner
        holder[column.name] = shown(column.field, value)
    if query.aggregates:
        return {"attributes": {"type": "AggregateResult"}, **record}
    whole = {name: _or_none(value) for name, value in record.items()}
    return {"attributes": _attributes(request, query.target, record.get("Id")), **whole}


def _or_none(value: object) -> object:
    """None for a parent without any value."""
    if not isinstance(value, dict):
        return value
    inner = {name: _or_none(part) for name, part in value.items() if name != "attributes"}
    return {**value, **inner} if any(part is not None for part in inner.values()) else None


def _attributes(request: Request, target: ObjectSchema, record_id: object) -> dict[str, object]:
    url = f"{_root(request)}/sobjects/{target.name}"
    return {"type": target.name, "url": f"{url}/{record_id}" if record_id else url}


def _objects(resources: Resources, session: Session, request: Request, body: bytes) -> Response:
    described = [_head(request, target) for target in resources.service.schema.objects.values()]
    return JSONResponse({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": described})


def _head(request: Request, target: ObjectSchema) -> dict[str, object]:
    url = f"{_root(request)}/sobjects/{target.name}"
    flags = ("createable", "deletable", "queryable", "retrieveable", "searchable", "undeletable", "updateable")
    return {
        "name": target.name,
        "label": target.label,
        "labelPlural": target.plural,
        "keyPrefix": target.key_prefix,
        "custom": target.custom,
        **dict.fromkeys(flags, True),
        "urls": {"sobject": url, "describe": f"{url}/describe", "rowTemplate": f"{url}/{{ID}}"},
    }


def _describe(resources: Resources, session: Session, request: Request, body: bytes) -> Response:
    target = _target(resources, request)
    fields = [_field(known, target) for known in target.fields.values()]
    return JSONResponse(
        {**_head(request, target), "fields": fields, "childRelationships": [], "recordTypeInfos": []}
    )


def _field(known: FieldSchema, target: ObjectSchema) -> dict[str, object]:
    return {
        "name": known.name,
        "label": known.label,
        "type": known.type,
        "soapType": _REFERENCE_TYPES.get(known.type, "xsd:string"),
        "length": known.length,
        "byteLength": known.length * 3,
        "precision": known.precision,
        "scale": known.scale,
        "digits": known.digits,
        "createable": known.createable,
        "updateable": known.updateable,
        "nillable": known.nillable,
        "defaultedOnCreate": known.defaulted,
        "externalId": known.external_id,
        "idLookup": known.id_lookup,
        "unique": known.unique,
        "custom": known.custom,
        "restrictedPicklist": known.restricted,
        "picklistValues": list(described_entries(known, target)),
        "filterable": known.filterable,
        "dependentPicklist": bool(known.controller),
        "controllerName": known.controller or None,
        "referenceTo": list(known.references),
        "relationshipName": known.relationship_name or None,
    }


def _target(resources: Resources, request: Request) -> ObjectSchema:
    name = request.path_params["object"]
    target = resources.service.schema.object(name)
    if target is None:
        raise Fault("NOT_FOUND", "The requested resource does not exist", no_such_object(name).kind)
    return target


def _create(resources: Resources, session: Session, request: Request, body: bytes) -> Response:
    target = _target(resources, request)
    (saved,) = _writer(resources).create([_sent(target, body)], all_or_none=False)
    return _created(saved)


def _created(saved: Saved) -> Response:
    if saved.errors:
        return _refused(saved.errors)
    return JSONResponse({"id": saved.id, "success": True, "errors": []}, 201)


def _refused(errors: Sequence[RecordError]) -> Response:
    status = _STATUSES.get(errors[0].code, 400)
    said = [{"message": e.message, "errorCode": e.code, "fields": list(e.fields)} for e in errors]
    return JSONResponse(said, status)


def _record(resources: Resources, session: Session, request: Request, body: bytes) -> Response:
    target = _target(resources, request)
    record_id = full_id(request.path_params["id"])
    found = resources.service.store.get(target, record_id) if record_id else None
    if found is None or record_id is None or found["IsDeleted"]:
        return _not_found()
    return _one(resources, request, target, record_id, found, body)


def _one(
    resources: Resources,
    request: Request,
    target: ObjectSchema,
    record_id: str,
    found: Mapping[str, Stored],
    body: bytes,
) -> Response:
    if request.method == "GET":
        wanted = request.query_params.get("fields", "")
        names = [name for name in wanted.split(",") if name] or list(target.fields)
        fields = [field for name in names if (field := target.field(name))]
        values = {field.name: shown(field, found[field.name]) for field in fields}
        return JSONResponse({"attributes": _attributes(request, target, record_id), **values, "Id": record_id})
    if request.method == "DELETE":
        (saved,) = _writer(resources).delete([record_id], all_or_none=False)
    else:
        sent = _sent(target, body)
        (saved,) = _writer(resources).update(
            [Sent(target.name, {**sent.values, "Id": record_id}, sent.parents)], False
        )
    return _refused(saved.errors) if saved.errors else Response(status_code=204)


def _by_key(resources: Resources, session: Session, request: Request, body: bytes) -> Response:
    target = _target(resources, request)
    key, value = request.path_params["key"], request.path_params["value"]
    if request.method == "PATCH":
        sent = _sent(target, body)
        record = Sent(target.name, {**sent.values, key: value}, sent.parents)
        (saved,) = _writer(resources).upsert(key, [record], all_or_none=False)
        if saved.errors:
            return _refused(saved.errors)
        answer: dict[str, object] = {"id": saved.id, "success": True, "errors": [], "created": saved.created}
        return JSONResponse(answer, 201 if saved.created else 200)
    field = target.field(key)
    if field is None or not (field.external_id or field.id_lookup):
        return _not_found()
    holders = resources.service.store.holders(target, field.name, value, 2)
    if len(holders) > 1:
        return JSONResponse([f"{_root(request)}/sobjects/{target.name}/{quote(one)}" for one in holders], 300)
    found = resources.service.store.get(target, holders[0]) if holders else None
    return _one(resources, request, target, holders[0], found, body) if found else _not_found()


def _writer(resources: Resources) -> Writer:
    return Writer(resources.service.store, resources.service.schema, USER_ID)


def _sent(target: ObjectSchema, body: bytes) -> Sent:
    try:
        raw = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Fault("JSON_PARSER_ERROR", str(error), "UnexpectedErrorFault") from None
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
    return Sent(target.name, values, parents)


def _text(value: object) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
