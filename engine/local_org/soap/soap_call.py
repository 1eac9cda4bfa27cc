"""A SOAP call in a session, with what it works on."""

from dataclasses import dataclass

from sfmap.engine.local_org.calls.sessions import ApiSession, ApiSessions
from sfmap.engine.local_org.faults.fault_plan import InjectedFault
from sfmap.engine.local_org.faults.org_faults import no_such_object
from sfmap.engine.local_org.records.object_schema import ObjectSchema, Schema
from sfmap.engine.local_org.records.record_types import RecordTypeInfo
from sfmap.engine.local_org.records.store import Store
from sfmap.engine.local_org.soap.envelope import SoapRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class SoapCall:
    request: SoapRequest
    version: int
    base_url: str
    session: ApiSession
    sessions: ApiSessions
    store: Store
    schema: Schema
    injected: InjectedFault | None
    """The fault of the plan that hits the call."""
    descriptions: dict[tuple[str, int, tuple[RecordTypeInfo, ...]], str]
    """The objects that were described before, by name and version."""

    def object(self, name: str) -> ObjectSchema:
        """The object of that name. Raises `Fault`."""
        target = self.schema.object(name)
        if target is None:
            raise no_such_object(name)
        return target
