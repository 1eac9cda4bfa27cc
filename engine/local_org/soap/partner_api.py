"""The partner API: each operation by its name, and the response to a request."""

import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from sfmap.engine.local_org.calls.api_calls import ApiCalls
from sfmap.engine.local_org.calls.api_versions import version_number
from sfmap.engine.local_org.faults.fault_plan import InjectedFault
from sfmap.engine.local_org.faults.org_faults import Fault, database_failed, unexpected
from sfmap.engine.local_org.records.exchanges import Exchange
from sfmap.engine.local_org.records.record_types import RecordTypeInfo
from sfmap.engine.local_org.records.store import now
from sfmap.engine.local_org.soap import (
    soap_changes,
    soap_conversions,
    soap_describes,
    soap_layouts,
    soap_passwords,
    soap_queries,
    soap_sign_in,
    soap_writes,
)
from sfmap.engine.local_org.soap.envelope import SoapRequest, answer, element, fault_answer
from sfmap.engine.local_org.soap.sent_sobjects import sent_record
from sfmap.engine.local_org.soap.soap_call import SoapCall


def _server_timestamp(_call: SoapCall) -> str:
    return f"<result>{element('timestamp', now())}</result>"


_OPERATIONS: Mapping[str, Callable[[SoapCall], str]] = {
    "convertLead": soap_conversions.convert_lead,
    "create": soap_writes.create,
    "delete": soap_writes.delete,
    "describeGlobal": soap_describes.describe_global,
    "describeLayout": soap_layouts.describe_layout,
    "describeSObject": soap_describes.describe_object,
    "describeSObjects": soap_describes.describe_objects,
    "describeTabs": soap_layouts.describe_tabs,
    "emptyRecycleBin": soap_writes.empty_recycle_bin,
    "getDeleted": soap_changes.get_deleted,
    "getServerTimestamp": _server_timestamp,
    "getUpdated": soap_changes.get_updated,
    "getUserInfo": soap_sign_in.get_user_info,
    "invalidateSessions": soap_passwords.invalidate_sessions,
    "logout": soap_sign_in.log_out,
    "merge": soap_conversions.merge,
    "query": soap_queries.query,
    "queryAll": soap_queries.query_all,
    "queryMore": soap_queries.query_more,
    "resetPassword": soap_passwords.reset_password,
    "retrieve": soap_queries.retrieve,
    "search": soap_queries.search_records,
    "setPassword": soap_passwords.set_password,
    "undelete": soap_writes.undelete,
    "update": soap_writes.update,
    "upsert": soap_writes.upsert,
}


@dataclass(frozen=True, slots=True)
class SoapReply:
    status: int
    body: bytes


class PartnerApi:
    """Answers SOAP requests."""

    def __init__(self, calls: ApiCalls) -> None:
        self._calls = calls
        self._descriptions: dict[tuple[str, int, tuple[RecordTypeInfo, ...]], str] = {}

    def answer(
        self,
        request: SoapRequest,
        base_url: str,
        version: str,
        exchange: Exchange,
        injected: InjectedFault | None = None,
    ) -> SoapReply:
        """The response to one request; everything wrong with it becomes a fault."""
        with self._calls.lock:
            started = time.perf_counter()
            try:
                exchange.response = self._answer(request, base_url, version, injected)
                refused = exchange.response.count(b"<success>false</success>")
                exchange.outcome = f"{refused} refused" if refused else "ok"
                return SoapReply(200, exchange.response)
            except (Fault, sqlite3.Error) as error:
                fault = error if isinstance(error, Fault) else database_failed(error)
                exchange.response, exchange.outcome = fault_answer(fault), fault.code
                return SoapReply(500, exchange.response)
            finally:
                with suppress(sqlite3.Error):  # a call is answered even if it cannot be logged
                    self._log(request, exchange, exchange.outcome, time.perf_counter() - started, injected)

    def miss(self, request: SoapRequest, exchange: Exchange, injected: InjectedFault) -> None:
        """Logs a call that a fault of the plan kept from being executed."""
        with self._calls.lock:
            self._log(request, exchange, "not done", 0, injected)

    def _log(
        self,
        request: SoapRequest,
        exchange: Exchange,
        outcome: str,
        seconds: float,
        injected: InjectedFault | None,
    ) -> None:
        records = request.elements("sObjects")
        kinds = [sent_record(one).object_name for one in records[:1]]
        about = kinds or request.texts("sObjectType") or request.texts("queryString")
        self._calls.log(
            request.operation,
            ", ".join(about),
            outcome=outcome,
            seconds=seconds,
            exchange=exchange,
            records=len(records) or len(request.texts("ids")),
            fault=injected.kind if injected else "",
        )

    def _answer(self, request: SoapRequest, base_url: str, version: str, injected: InjectedFault | None) -> bytes:
        calls = self._calls
        number = version_number(version)
        session_id = request.header("SessionHeader", "sessionId")
        calls.check(session_id, injected)
        if request.operation == "login":
            signed_in = soap_sign_in.log_in(
                request, calls.sessions, base_url=base_url, version=version, schema=calls.schema
            )
            return answer("login", signed_in, None)
        operation = _OPERATIONS.get(request.operation)
        session = calls.sessions.find(session_id, was_accepted=injected is not None and injected.is_late)
        if operation is None:
            raise unexpected("UNKNOWN_EXCEPTION", f"The local org has no operation {request.operation}.")
        usage = (calls.count(), calls.daily_limit)
        call = SoapCall(
            request=request,
            version=number,
            base_url=base_url,
            descriptions=self._descriptions,
            session=session,
            sessions=calls.sessions,
            store=calls.store,
            schema=calls.schema,
            injected=injected,
        )
        with calls.store.transaction():
            return answer(request.operation, operation(call), usage)
