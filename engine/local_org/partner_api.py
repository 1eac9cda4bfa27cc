"""The operations of the partner API on the store: takes a request, returns a response."""

import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from lxml import etree

from sfmap.engine.local_org import credentials
from sfmap.engine.local_org.currencies import MANY, USUAL_CURRENCY
from sfmap.engine.local_org.envelope import (
    Request,
    answer,
    children,
    element,
    fault_answer,
    is_nil,
    local_name,
    text_of,
)
from sfmap.engine.local_org.fault_plan import Strike
from sfmap.engine.local_org.faults import Duplicate, Fault, RecordError, no_such_object, unexpected
from sfmap.engine.local_org.ids import full_id, new_id
from sfmap.engine.local_org.object_schema import NUMBER_TYPES, FieldSchema, ObjectSchema, Schema
from sfmap.engine.local_org.picklists import described_entries
from sfmap.engine.local_org.records import Saved, Sent, Writer
from sfmap.engine.local_org.references import SentParent
from sfmap.engine.local_org.sessions import ORGANIZATION_ID, SESSION_SECONDS, USER_ID, Session, Sessions
from sfmap.engine.local_org.soql_compiler import Compiled, compile_query
from sfmap.engine.local_org.store import LoggedCall, Store, Stored, now

_MOST_RECORDS = 200
_MOST_RETRIEVED = 2_000
_MOST_DESCRIBES = 100
_PAGE = 2_000
_NUMBER = re.compile("[0-9]{1,9}")
_VERSION = re.compile(r"(\d{2,3})\.\d")
FIRST_VERSION, LAST_VERSION = 31, 68
LAST_VERSION_WITH_LOGIN = 64


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes


class Service:
    """Answers SOAP requests, one at a time; sessions are in memory, records in the store."""

    def __init__(
        self,
        store: Store,
        schema: Schema,
        daily_limit: int,
        sessions: Sessions,
        watch: Callable[[LoggedCall], None],
    ) -> None:
        self._watch = watch
        self.store = store
        self.schema = schema
        self.daily_limit = daily_limit
        self.sessions = sessions
        self._lock = threading.Lock()
        self._strike: Strike | None = None
        """The fault that hits the current call."""
        self._operations: dict[str, Callable[[Request, Session], str]] = {
            "getUserInfo": lambda request, session: f"<result>{self._user_info()}</result>",
            "getServerTimestamp": lambda request, session: f"<result>{element('timestamp', now())}</result>",
            "logout": self._logout,
            "describeGlobal": self._describe_global,
            "describeSObject": self._describe_objects,
            "describeSObjects": self._describe_objects,
            "query": lambda request, session: self._query(request, session, with_deleted=False),
            "queryAll": lambda request, session: self._query(request, session, with_deleted=True),
            "queryMore": self._query_more,
            "retrieve": self._retrieve,
            "create": lambda request, session: self._write(request, Writer.create),
            "update": lambda request, session: self._write(request, Writer.update),
            "upsert": self._upsert,
            "delete": lambda request, session: self._write_ids(request, Writer.delete),
            "undelete": lambda request, session: self._write_ids(request, Writer.undelete),
        }

    def answer(self, request: Request, base_url: str, version: str, strike: Strike | None = None) -> Reply:
        """The response to one request; everything wrong with it becomes a fault."""
        with self._lock:
            started = time.perf_counter()
            try:
                reply, outcome = Reply(200, self._answer(request, base_url, version, strike)), "ok"
            except Fault as fault:
                reply, outcome = Reply(500, fault_answer(fault)), fault.code
            except sqlite3.Error as error:
                unusable = unexpected("SERVER_UNAVAILABLE", f"The local org's database: {error}.")
                return Reply(500, fault_answer(unusable))
            refused = reply.body.count(b"<success>false</success>")
            outcome = f"{refused} refused" if refused else outcome
            self._log(request, outcome, time.perf_counter() - started, strike)
            return reply

    def miss(self, request: Request, strike: Strike) -> None:
        """Logs a call that a fault of the plan kept from being executed."""
        with self._lock:
            self._log(request, "not done", 0, strike)

    def _log(self, request: Request, outcome: str, seconds: float, strike: Strike | None) -> None:
        sent = [child for child in children(request.body) if local_name(child) in ("sObjects", "ids")]
        kinds = [text_of(part) for child in sent[:1] for part in children(child) if local_name(part) == "type"]
        about = kinds or request.texts("sObjectType") or request.texts("queryString")
        fault = strike.kind if strike else ""
        self._note(request.operation, ", ".join(about), len(sent), outcome, seconds, fault)

    def _note(
        self, operation: str, about: str, records: int, outcome: str, seconds: float, fault: str = ""
    ) -> None:
        logged = LoggedCall(now(), operation, about[:200], records, outcome, round(seconds * 1000, 1), fault)
        with self.store.transaction():
            self.store.log(logged)
        self._watch(logged)

    def _answer(self, request: Request, base_url: str, version: str, strike: Strike | None) -> bytes:
        number = _version_number(version)
        if strike and strike.fault:
            if strike.kind == "expired_session":
                self.sessions.close(request.header("SessionHeader", "sessionId"))
            raise strike.fault
        if request.operation == "login":
            return answer("login", self._login(request, base_url, version, number), None)
        operation = self._operations.get(request.operation)
        session = self.sessions.find(request.header("SessionHeader", "sessionId"))
        if operation is None:
            raise unexpected("UNKNOWN_EXCEPTION", f"The local org has no operation {request.operation}.")
        usage = (self._counted(), self.daily_limit)
        self._strike = strike
        with self.store.transaction():
            return answer(request.operation, operation(request, session), usage)

    @contextmanager
    def look(self) -> Iterator[Store]:
        """Exclusive access to the store, for reading only."""
        with self._lock:
            yield self.store

    @contextmanager
    def call(self, token: str, operation: str, about: str) -> Iterator[Session]:
        """A counted call of another protocol, in a transaction of the store. Raises `Fault`."""
        with self._lock:
            started, outcome = time.perf_counter(), "ok"
            try:
                session = self.sessions.find(token)
                self._counted()
                with self.store.transaction():
                    yield session
            except Fault as fault:
                outcome = fault.code
                raise
            finally:
                self._note(operation, about, 0, outcome, time.perf_counter() - started)

    def _counted(self) -> int:
        """Counts one call of today, even if the call then fails. Raises `Fault` at the limit."""
        with self.store.transaction():
            used = self.store.calls_today()
            if used >= self.daily_limit:
                raise unexpected("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
            self.store.count_call()
        return used + 1

    def _login(self, request: Request, base_url: str, version: str, number: int) -> str:
        if number > LAST_VERSION_WITH_LOGIN:
            message = f"SOAP API login() is not available in API version {version}"
            raise unexpected("INVALID_OPERATION", message)
        username, password = ("".join(request.texts(name)) for name in ("username", "password"))
        known = username.casefold() == credentials.USERNAME
        if known and password == credentials.PASSWORD:
            message = "Invalid username, password, security token; or user locked out."
            raise Fault("LOGIN_MUST_USE_SECURITY_TOKEN", message, "LoginFault")
        if not known or password != credentials.PASSWORD + credentials.SECURITY_TOKEN:
            message = "Invalid username, password, security token; or user locked out."
            raise Fault("INVALID_LOGIN", message, "LoginFault")
        session = self.sessions.open("login")
        url = f"{base_url}/services/Soap/u/{version}/{ORGANIZATION_ID[:15]}"
        return (
            f"<result>{element('metadataServerUrl', url.replace('/u/', '/m/'))}"
            f"<passwordExpired>false</passwordExpired><sandbox>true</sandbox>{element('serverUrl', url)}"
            f"{element('sessionId', session.id)}{element('userId', USER_ID)}"
            f"<userInfo>{self._user_info()}</userInfo></result>"
        )

    def _user_info(self) -> str:
        return _user_info(self.schema.currency)

    def _logout(self, request: Request, session: Session) -> str:
        self.sessions.close(session.id)
        return ""

    def _describe_global(self, request: Request, session: Session) -> str:
        described = "".join(
            f"<sobjects>{_object_head(target)}</sobjects>" for target in self.schema.objects.values()
        )
        return (
            f"<result><encoding>UTF-8</encoding><maxBatchSize>{_MOST_RECORDS}</maxBatchSize>{described}</result>"
        )

    def _describe_objects(self, request: Request, session: Session) -> str:
        names = request.texts("sObjectType")
        if len(names) > _MOST_DESCRIBES:
            raise unexpected(
                "EXCEEDED_ID_LIMIT", f"describe limit reached. cannot describe more than {_MOST_DESCRIBES}"
            )
        return "".join(f"<result>{_described(self._object(name))}</result>" for name in names)

    def _object(self, name: str) -> ObjectSchema:
        target = self.schema.object(name)
        if target is None:
            raise no_such_object(name)
        return target

    def _query(self, request: Request, session: Session, with_deleted: bool) -> str:
        query = compile_query("".join(request.texts("queryString")), self.schema, with_deleted)
        rows = self.store.select(query.statement, query.parameters)
        if query.counts:
            return f"<result><done>true</done>{element('queryLocator', None)}<size>{rows[0][0]}</size></result>"
        return self._page(session, query, rows, 0, _page_size(request))

    def _query_more(self, request: Request, session: Session) -> str:
        locator, _, start = "".join(request.texts("queryLocator")).rpartition("-")
        if locator not in session.cursors or not _NUMBER.fullmatch(start):
            raise Fault("INVALID_QUERY_LOCATOR", "invalid query locator", "InvalidQueryLocatorFault")
        query, rows = session.cursors[locator]
        return self._page(session, query, rows, int(start), _page_size(request), locator)

    def _page(
        self,
        session: Session,
        query: Compiled,
        rows: list[tuple[Stored, ...]],
        start: int,
        size: int,
        locator: str = "",
    ) -> str:
        page, next_start = rows[start : start + size], start + size
        done = next_start >= len(rows)
        if not done and not locator:
            locator = new_id("01g", len(session.cursors) + 1)
            session.cursors[locator] = (query, rows)
        if done:
            session.cursors.pop(locator, None)
        records = "".join(_row(query, row) for row in page)
        further = element("queryLocator", None if done else f"{locator}-{next_start}")
        return f"<result>{element('done', done)}{further}{records}<size>{len(rows)}</size></result>"

    def _write(self, request: Request, write: Callable[[Writer, Sequence[Sent], bool], Sequence[Saved]]) -> str:
        sent = [_sent(child) for child in children(request.body) if local_name(child) == "sObjects"]
        _check_number(len(sent))
        return "".join(map(_saved, write(self._writer(request), sent, _all_or_none(request))))

    def _upsert(self, request: Request, session: Session) -> str:
        key = "".join(request.texts("externalIDFieldName")).strip()
        sent = [_sent(child) for child in children(request.body) if local_name(child) == "sObjects"]
        _check_number(len(sent))
        return "".join(map(_upserted, self._writer(request).upsert(key, sent, _all_or_none(request))))

    def _write_ids(self, request: Request, write: Callable[[Writer, Sequence[str], bool], Sequence[Saved]]) -> str:
        ids = request.texts("ids")
        _check_number(len(ids))
        return "".join(map(_saved, write(self._writer(request), ids, _all_or_none(request))))

    def _retrieve(self, request: Request, session: Session) -> str:
        """The records in the order of the ids; nil for those that do not exist."""
        target = self._object("".join(request.texts("sObjectType")))
        ids = [full_id(text.strip()) or text for text in request.texts("ids")]
        if len(ids) > _MOST_RETRIEVED:
            raise unexpected("EXCEEDED_ID_LIMIT", f"cannot retrieve more than {_MOST_RETRIEVED} records")
        names = [name.strip() for name in "".join(request.texts("fieldList")).split(",")]
        query = compile_query(f"SELECT {', '.join(names)} FROM {target.name}", self.schema)  # noqa: S608
        rows = []
        for record_id in ids:
            found = self.store.get(target, record_id)
            if found is None or found["IsDeleted"]:
                rows.append('<result xsi:nil="true"/>')
            else:
                rows.append(_row(query, [found[column.field.name] for column in query.columns], "result"))
        return "".join(rows)

    def _writer(self, request: Request) -> Writer:
        cut_long = request.header("AllowFieldTruncationHeader", "allowFieldTruncation") == "true"
        return Writer(
            self.store,
            self.schema,
            USER_ID,
            cut_long=cut_long,
            allow_duplicates=request.header("DuplicateRuleHeader", "allowSave") == "true",
            strike=self._strike,
        )


def _check_number(records: int) -> None:
    if records > _MOST_RECORDS:
        message = f"record limit reached. cannot submit more than {_MOST_RECORDS} records into this call"
        raise unexpected("EXCEEDED_ID_LIMIT", message)


def _all_or_none(request: Request) -> bool:
    return request.header("AllOrNoneHeader", "allOrNone") == "true"


def _page_size(request: Request) -> int:
    asked = request.header("QueryOptions", "batchSize")
    return min(max(int(asked), 200), _PAGE) if _NUMBER.fullmatch(asked) else _PAGE


def _sent(record: etree._Element) -> Sent:
    object_name = ""
    values: dict[str, str | None] = {}
    parents: dict[str, SentParent] = {}
    for child in children(record):
        name = local_name(child)
        if name == "type":
            object_name = text_of(child).strip()
        elif name == "fieldsToNull":
            values[text_of(child).strip()] = None
        elif len(child):
            parents[name] = _sent_parent(child)
        elif not is_nil(child):
            values[name] = text_of(child)
    return Sent(object_name, values, parents)


def _sent_parent(element: etree._Element) -> SentParent:
    values = {local_name(child): text_of(child) for child in children(element) if not is_nil(child)}
    return SentParent(values.pop("type", "").strip(), values)


def _upserted(saved: Saved) -> str:
    return f"<result>{element('created', saved.created)}{_outcome(saved)}</result>"


def _saved(saved: Saved) -> str:
    return f"<result>{_outcome(saved)}</result>"


def _outcome(saved: Saved) -> str:
    errors = "".join(map(_error, saved.errors))
    return f"{errors}{element('id', saved.id)}{element('success', not saved.errors)}"


def _error(error: RecordError) -> str:
    said = (
        f"{''.join(element('fields', name) for name in error.fields)}{element('message', error.message)}"
        f"{element('statusCode', error.code)}"
    )
    if error.duplicate is None:
        return f"<errors>{said}</errors>"
    return f'<errors xsi:type="DuplicateError">{said}{_duplicate_result(error.duplicate, error.message)}</errors>'


def _duplicate_result(duplicate: Duplicate, message: str) -> str:
    matches = "".join(
        '<matchRecords><matchConfidence>100.0</matchConfidence><record xsi:type="sf:sObject">'
        f"{element('sf:type', duplicate.object_name)}{element('sf:Id', record_id)}</record></matchRecords>"
        for record_id in duplicate.ids
    )
    found = (
        f"{element('entityType', duplicate.object_name)}<matchEngine>ExactMatchEngine</matchEngine>{matches}"
        f"{element('rule', duplicate.rule)}{element('size', len(duplicate.ids))}<success>true</success>"
    )
    return (
        f"<duplicateResult>{element('allowSave', duplicate.may_be_saved)}"
        f"{element('duplicateRule', duplicate.rule)}"
        f"{element('duplicateRuleEntityType', duplicate.object_name)}{element('errorMessage', message)}"
        f"<matchResults>{found}</matchResults></duplicateResult>"
    )


def _row(query: Compiled, row: Sequence[Stored], name: str = "records") -> str:
    values = [(column, shown(column.field, value)) for column, value in zip(query.columns, row, strict=True)]
    record_id = next((value for column, value in values if column.path == ("Id",)), None)
    # A real org sends a selected id twice: on its own and as a field.
    again = element("sf:Id", record_id) if record_id is not None else ""
    kind = "AggregateResult" if query.aggregates else query.target.name
    cells = _cells([(column.path, column.owners, value) for column, value in values if column.path != ("Id",)])
    head = f"<sf:type>{kind}</sf:type>{element('sf:Id', record_id)}"
    return f'<{name} xsi:type="sf:sObject">{head}{again}{cells}</{name}>'


_Cell = tuple[tuple[str, ...], tuple[str, ...], Stored | bool]
"""A value, the path to it, and the objects on that path."""


def _cells(cells: Sequence[_Cell]) -> str:
    """The values in order; those of one parent together, at the position of the first."""
    parts: list[str] = []
    done: set[str] = set()
    for path, owners, value in cells:
        if len(path) == 1:
            parts.append(element(f"sf:{path[0]}", value))
        elif path[0] not in done:
            done.add(path[0])
            parts.append(_parent(path[0], owners[0], [c for c in cells if len(c[0]) > 1 and c[0][0] == path[0]]))
    return "".join(parts)


def _parent(name: str, kind: str, cells: Sequence[_Cell]) -> str:
    if all(value is None for _, _, value in cells):
        return element(f"sf:{name}", None)
    inner = [(path[1:], owners[1:], value) for path, owners, value in cells]
    record_id = next((value for path, _, value in inner if path == ("Id",)), None)
    rest = _cells([cell for cell in inner if cell[0] != ("Id",)])
    head = f"<sf:type>{kind}</sf:type>{element('sf:Id', record_id)}"
    return f'<sf:{name} xsi:type="sf:sObject">{head}{rest}</sf:{name}>'


def shown(column: FieldSchema, value: Stored) -> Stored | bool:
    """The value as a response contains it."""
    if value is None:
        return None
    if column.type == "boolean":
        return bool(value)
    return float(value) if column.type in NUMBER_TYPES and column.type != "int" else value


def _object_head(target: ObjectSchema) -> str:
    facts: dict[str, object] = {
        "activateable": False,
        "createable": True,
        "custom": target.custom,
        "customSetting": False,
        "deletable": True,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "keyPrefix": target.key_prefix,
        "label": target.label,
        "labelPlural": target.plural,
        "layoutable": True,
        "mergeable": False,
        "name": target.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": True,
        "triggerable": True,
        "undeletable": True,
        "updateable": True,
    }
    return "".join(element(name, value) for name, value in facts.items())


def _described(target: ObjectSchema) -> str:
    fields = "".join(f"<fields>{_described_field(known, target)}</fields>" for known in target.fields.values())
    return _object_head(target) + fields


def _described_field(known: FieldSchema, target: ObjectSchema) -> str:
    facts: dict[str, object] = {
        "byteLength": known.length * 3,
        **({"controllerName": known.controller} if known.controller else {}),
        "createable": known.createable,
        "custom": known.custom,
        "defaultedOnCreate": known.defaulted,
        "dependentPicklist": bool(known.controller),
        "digits": known.digits,
        "externalId": known.external_id,
        "filterable": known.filterable,
        "idLookup": known.id_lookup,
        "label": known.label,
        "length": known.length,
        "name": known.name,
        "nillable": known.nillable,
        "precision": known.precision,
        "restrictedPicklist": known.restricted,
        "scale": known.scale,
        "type": known.type,
        "unique": known.unique,
        "updateable": known.updateable,
    }
    values = "".join(
        f"<picklistValues>{''.join(element(name, said) for name, said in entry.items())}</picklistValues>"
        for entry in described_entries(known, target)
    )
    references = "".join(element("referenceTo", name) for name in known.references)
    relationship = element("relationshipName", known.relationship_name) if known.relationship_name else ""
    return "".join(element(name, value) for name, value in facts.items()) + values + references + relationship


def _version_number(version: str) -> int:
    """Raises `Fault` for a version that the API does not have."""
    found = _VERSION.fullmatch(version)
    number = int(found[1]) if found else 0
    if not FIRST_VERSION <= number <= LAST_VERSION:
        raise unexpected("UNSUPPORTED_API_VERSION", f"Invalid Api version specified on URL: {version}")
    return number


def _user_info(currency: str) -> str:
    """The user information, in the API's order."""
    has_many = currency == MANY
    facts: dict[str, object] = {
        "accessibilityMode": False,
        "currencySymbol": None if has_many else "$" if currency == USUAL_CURRENCY else currency,
        "orgAttachmentFileSizeLimit": 5_242_880,
        "orgDefaultCurrencyIsoCode": None if has_many else currency,
        "orgDisallowHtmlAttachments": False,
        "orgHasPersonAccounts": False,
        "organizationId": ORGANIZATION_ID,
        "organizationMultiCurrency": has_many,
        "organizationName": "Local org",
        "profileId": new_id("00e", 1),
        "roleId": None,
        "sessionSecondsValid": SESSION_SECONDS,
        "userDefaultCurrencyIsoCode": USUAL_CURRENCY if has_many else None,
        "userEmail": credentials.USERNAME,
        "userFullName": "Local Developer",
        "userId": USER_ID,
        "userLanguage": "en_US",
        "userLocale": "en_US",
        "userName": credentials.USERNAME,
        "userTimeZone": "UTC",
        "userType": "Standard",
        "userUiSkin": "Theme3",
    }
    return "".join(element(name, value) for name, value in facts.items())
