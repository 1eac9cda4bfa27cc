"""A SOAP call in a session, with what it works on."""

from dataclasses import dataclass

from sfmap.engine.local_org.envelope import SoapRequest
from sfmap.engine.local_org.fault_plan import InjectedFault
from sfmap.engine.local_org.faults import no_such_object
from sfmap.engine.local_org.object_schema import ObjectSchema, Schema
from sfmap.engine.local_org.sessions import ApiSession, ApiSessions
from sfmap.engine.local_org.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class SoapCall:
    request: SoapRequest
    session: ApiSession
    sessions: ApiSessions
    store: Store
    schema: Schema
    injected: InjectedFault | None
    """The fault of the plan that hits the call."""

    def object(self, name: str) -> ObjectSchema:
        """The object of that name. Raises `Fault`."""
        target = self.schema.object(name)
        if target is None:
            raise no_such_object(name)
        return target
