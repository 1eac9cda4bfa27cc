"""Refuses over SOAP to change passwords, and ends sessions."""

from sfmap.engine.local_org.faults.org_faults import Fault, unexpected
from sfmap.engine.local_org.records.ids import full_id
from sfmap.engine.local_org.soap.envelope import element
from sfmap.engine.local_org.soap.soap_call import SoapCall


def set_password(call: SoapCall) -> str:
    _check_user(call)
    raise Fault("INVALID_NEW_PASSWORD", "The passwords of the local org are fixed.", "InvalidNewPasswordFault")


def reset_password(call: SoapCall) -> str:
    _check_user(call)
    raise unexpected("INVALID_OPERATION", "The passwords of the local org are fixed.")


def invalidate_sessions(call: SoapCall) -> str:
    """Ends the sessions with these ids, known or not."""
    ids = call.request.texts("sessionIds")
    for session_id in ids:
        call.sessions.close(session_id.strip())
    return "".join(f"<result>{element('success', True)}</result>" for _ in ids)


def _check_user(call: SoapCall) -> None:
    record_id = full_id(call.request.text("userId").strip())
    if record_id is None or call.schema.object_of(record_id) is None:
        raise Fault("INVALID_ID_FIELD", "invalid user id", "InvalidIdFault")
