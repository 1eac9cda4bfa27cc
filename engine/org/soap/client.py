"""An org accessed through the partner SOAP API."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from lxml import etree

from sfmap.engine.org.port import (
    NO_OPTIONS,
    ApiUsage,
    CallRefused,
    FoundRecord,
    ObjectDescription,
    OrgError,
    OrgUnavailable,
    RecordWrite,
    Refused,
    Value,
    WriteOptions,
    WriteResult,
)
from sfmap.engine.org.soap import result_elements as results
from sfmap.engine.org.soap.api_access import ApiAccess
from sfmap.engine.org.soap.connection import CallContent, CallHeaders, Connection
from sfmap.engine.org.soap.failures import WRITES
from sfmap.engine.org.soap.org_settings import SoapSettings, server_address
from sfmap.engine.org.soap.session import Session, Sessions
from sfmap.engine.org.soap.transport import Transport
from sfmap.engine.org.soap.write_elements import RecordsXml, record_xml, write_headers
from sfmap.engine.org.soql import lookup_queries

DESCRIBES_PER_CALL = 100

_PAGE_SIZE: CallHeaders = {"QueryOptions": {"batchSize": 2_000}}


@dataclass(slots=True)
class _ObjectModel:
    """The descriptions read during one session."""

    session: Session
    names: frozenset[str] | None = None
    objects: dict[str, ObjectDescription] = field(default_factory=dict)
    currency: str | None = None
    user_id: str = ""


class SoapOrg:
    """An `Org`. It signs in on the first call. Thread-safe."""

    def __init__(self, settings: SoapSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._host = settings.host
        self._options = settings.options
        self._transport = Transport(settings)
        self._connection = Connection(settings, self._transport)
        self._sessions = Sessions(settings, self._connection, self._transport, clock=clock)
        self._known: _ObjectModel | None = None
        self._organization_id = ""

    def organization_id(self) -> str:
        """The org's id in 18 characters, after signing in; empty if it is not reported. Raises `OrgError`."""
        if not self._organization_id:
            self._organization_id = self._sessions.current().organization_id or self._told_by_the_org()
        return self._organization_id

    def access(self) -> ApiAccess:
        """This org's session, connections and count of calls, for its other APIs."""
        return ApiAccess(self._settings, self._sessions, self._transport, self._user_id)

    @property
    def address(self) -> str:
        """Scheme and host of the server that the session is at; empty before the first call."""
        known = self._known
        return server_address(known.session.url) if known else ""

    def object_names(self) -> frozenset[str]:
        known = self._object_model()
        if known.names is None:
            (answer,) = self._call("describeGlobal", {}, expected=1)
            known.names = frozenset(results.object_names(answer))
        return known.names

    def describe(self, objects: Sequence[str]) -> Mapping[str, ObjectDescription]:
        known = self._object_model().objects
        missing = [name for name in dict.fromkeys(objects) if name not in known]
        for start in range(0, len(missing), DESCRIBES_PER_CALL):
            asked = missing[start : start + DESCRIBES_PER_CALL]
            answers = self._call("describeSObjects", {"sObjectType": asked}, expected=len(asked))
            with self._understood("describeSObjects"):
                known.update((name, _description(name, one)) for name, one in zip(asked, answers, strict=True))
        return {name: known[name] for name in objects}

    def is_described(self, objects: Sequence[str]) -> bool:
        known = self._known
        if known is None or known.names is None or not self._sessions.is_current(known.session):
            return False
        return known.objects.keys() >= set(objects)

    def find(
        self,
        object_name: str,
        fields: tuple[str, ...],
        identities: Sequence[tuple[Value, ...]],
        also: tuple[str, ...] = (),
        where: str = "",
    ) -> Sequence[FoundRecord]:
        found: dict[str, FoundRecord] = {}
        try:
            for query in lookup_queries(object_name, fields, identities, also, where):
                for record in self._rows(object_name, query, (*fields, *also)):
                    found.setdefault(record.id, record)
        except CallRefused as refused:
            if refused.code != "QUERY_TOO_COMPLICATED" or len(identities) == 1:
                raise
            middle = len(identities) // 2
            for half in (identities[:middle], identities[middle:]):
                found.update((record.id, record) for record in self.find(object_name, fields, half, also, where))
        return list(found.values())

    def create(
        self, object_name: str, records: Sequence[RecordWrite], options: WriteOptions = NO_OPTIONS
    ) -> Sequence[WriteResult]:
        return self._write("create", object_name, records, options)

    def update(
        self, object_name: str, records: Sequence[RecordWrite], options: WriteOptions = NO_OPTIONS
    ) -> Sequence[WriteResult]:
        return self._write("update", object_name, records, options)

    def upsert(
        self,
        object_name: str,
        external_id: str,
        records: Sequence[RecordWrite],
        options: WriteOptions = NO_OPTIONS,
    ) -> Sequence[WriteResult]:
        return self._write("upsert", object_name, records, options, {"externalIDFieldName": external_id})

    def delete(
        self, object_name: str, ids: Sequence[str], options: WriteOptions = NO_OPTIONS
    ) -> Sequence[WriteResult]:
        # The API takes no object name: an id implies its object.
        headers = write_headers("delete", options.over(self._options))
        answers = self._call("delete", {"ids": ids}, headers, expected=len(ids)) if ids else ()
        with self._understood("delete"):
            return [results.write_result(answer, "", sent) for answer, sent in zip(answers, ids, strict=True)]

    def calls(self) -> Mapping[str, int]:
        return self._transport.calls()

    def usage(self) -> ApiUsage | None:
        return self._transport.usage()

    def currency(self) -> str:
        known = self._object_model()
        if known.currency is None:
            known.currency = known.session.currency
        if known.currency is None:
            (answer,) = self._call("getUserInfo", {}, expected=1)
            known.currency = results.currency(answer) or ""
        return known.currency

    def limits(self) -> ApiUsage | None:
        self._call("getUserInfo", {}, expected=1)
        return self._transport.usage()

    def _told_by_the_org(self) -> str:
        (answer,) = self._call("getUserInfo", {}, expected=1)
        return results.organization_id(answer)

    def _user_id(self) -> str:
        known = self._object_model()
        if not known.user_id:
            (answer,) = self._call("getUserInfo", {}, expected=1)
            known.user_id = results.user_id(answer)
        return known.user_id

    def _object_model(self) -> _ObjectModel:
        session = self._sessions.current()
        if self._known is None or self._known.session is not session:
            self._known = _ObjectModel(session)
        return self._known

    def _key_prefix(self, object_name: str) -> str:
        """The prefix of the object's record ids; empty if it has not been described."""
        known = self._known.objects.get(object_name) if self._known else None
        return known.key_prefix if known else ""

    def _rows(self, object_name: str, query: str, fields: Sequence[str]) -> Iterator[FoundRecord]:
        """Reads all pages. A lookup that misses a record leads to a duplicate, so the result must be complete."""
        operation, content, seen = "query", {"queryString": query}, 0
        while True:
            (answer,) = self._call(operation, content, _PAGE_SIZE, expected=1)
            with self._understood(operation):
                page = results.page(answer, fields, self._key_prefix(object_name))
                seen += len(page.records)
                if page.locator is None and seen < (page.size or 0):
                    raise results.UnreadableAnswerError(f"{seen} of {page.size} records")
            yield from page.records
            if page.locator is None:
                return
            operation, content = "queryMore", {"queryLocator": page.locator}

    def _write(
        self,
        operation: str,
        object_name: str,
        records: Sequence[RecordWrite],
        options: WriteOptions,
        arguments: CallContent | None = None,
    ) -> Sequence[WriteResult]:
        built = [record_xml(object_name, record) for record in records]
        sent = [one for one in built if not isinstance(one, Refused)]
        answers: Iterator[etree._Element] = iter(())
        if sent:
            content: CallContent = {**(arguments or {}), "_value_1": RecordsXml("".join(sent))}
            headers = write_headers(operation, options.over(self._options))
            answers = iter(self._call(operation, content, headers, expected=len(sent)))
        key_prefix = self._key_prefix(object_name)
        with self._understood(operation):
            return [
                one if isinstance(one, Refused) else results.write_result(next(answers), key_prefix, record.id)
                for one, record in zip(built, records, strict=True)
            ]

    def _call(
        self, operation: str, content: CallContent, headers: CallHeaders | None = None, *, expected: int
    ) -> Sequence[etree._Element]:
        """The call's result elements, as many as expected; an expired session is renewed once."""
        session = self._sessions.current()
        try:
            answers = self._send(session, operation, content, headers)
        except OrgError as error:
            if error.code != "INVALID_SESSION_ID":
                raise
            answers = self._send(self._sessions.renew(session), operation, content, headers)
        if len(answers) != expected:
            raise OrgUnavailable(
                f"{self._host} gave {len(answers)} results where the {operation} call needs {expected}.",
                maybe_applied=operation in WRITES,
            )
        return answers

    @contextmanager
    def _understood(self, operation: str) -> Iterator[None]:
        """Treats an answer that cannot be interpreted as no answer: the org may have executed the call."""
        try:
            yield
        except results.UnreadableAnswerError as error:
            raise OrgUnavailable(
                f"{self._host} answered the {operation} call with {error}.",
                maybe_applied=operation in WRITES,
                hint="Try again; if it persists, check for proxies between this machine and the org.",
            ) from None

    def _send(
        self, session: Session, operation: str, content: CallContent, headers: CallHeaders | None
    ) -> Sequence[etree._Element]:
        answer = self._connection.call(operation, session.url, content, {**session.headers, **(headers or {})})
        if usage := results.api_usage(answer.limits):
            self._transport.note_usage(usage)
        return answer.results


def _description(name: str, answer: etree._Element) -> ObjectDescription:
    """The object of that name. Raises `UnreadableAnswerError` if the answer describes another one."""
    described = results.object_description(answer)
    if described.name.casefold() != name.casefold():
        raise results.UnreadableAnswerError(f"the object {described.name!r} where {name} was requested")
    return described
