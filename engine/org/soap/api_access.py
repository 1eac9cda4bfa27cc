"""What all APIs of one org share: one sign-in, one pool of connections, and one count of calls."""

from collections.abc import Callable
from dataclasses import dataclass

from sfmap.engine.org.soap.org_settings import SoapSettings
from sfmap.engine.org.soap.session import Sessions
from sfmap.engine.org.soap.transport import Transport


@dataclass(frozen=True, slots=True)
class ApiAccess:
    settings: SoapSettings
    sessions: Sessions
    transport: Transport
    user_id: Callable[[], str]
    """Asks for the id of the signed-in user in 18 characters, once a session. Raises `OrgError`."""
