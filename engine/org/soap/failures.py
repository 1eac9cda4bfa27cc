"""Converts failures of calls into the port's errors: what happened, why, and what to do."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree
from requests import RequestException
from zeep.exceptions import Error as ZeepError
from zeep.exceptions import Fault

from sfmap.engine.org.login_url import split
from sfmap.engine.org.port import CallRefused, OrgError, OrgUnavailable
from sfmap.engine.org.soap.failure_meanings import (
    EXCEPTIONS,
    FAULTS,
    FAULTS_THAT_MAY_HAVE_APPLIED,
    OTHER_STATUS,
    REDIRECT,
    STATUSES,
    UNKNOWN_FAULT,
    UNKNOWN_SIGN_IN_FAULT,
    UNREADABLE,
    FaultMeaning,
    Meaning,
)
from sfmap.engine.org.soap.result_elements import UnreadableAnswerError, text_of
from sfmap.engine.org.soap.sign_in import Secret
from sfmap.engine.org.soap.transport import NotTheApiError, causes, never_sent

WRITES = frozenset({"create", "update", "upsert", "delete"})
OF_JOBS = frozenset({"createJob", "uploadJob", "closeJob", "abortJob", "deleteJob"})
"""Requests that change a bulk job."""
_LONGEST_QUOTE = 500
_QUERY_SHOWN = re.compile(r"\A.*?\^\s*ERROR at Row:-?\d+:Column:-?\d+\s+", re.DOTALL)
"""What an org puts before the message: the part of a query around the place, with values of events."""
_NO_SUCH_FIELD = re.compile(r"No such column '(\w+)' on ")


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedCall:
    """A failed call, as far as an error message needs it."""

    operation: str
    host: str
    user: str
    secrets: tuple[Secret, ...]
    """Secrets that no message may quote."""


Failure = Fault | ZeepError | NotTheApiError | UnreadableAnswerError | RequestException
FAILURES = (ZeepError, NotTheApiError, UnreadableAnswerError, RequestException)
"""Everything that a call may raise; zeep's Fault is a ZeepError."""


def error_from(failure: Failure, call: FailedCall) -> OrgError:
    match failure:
        case Fault() if isinstance(failure.detail, bytes):
            return _error(UNREADABLE, call, "an error status, but no fault", applied=True)
        case Fault():
            return _from_fault(failure, call)
        case NotTheApiError():
            return _from_status(failure, call)
        case RequestException():
            return _from_exception(failure, call)
        case UnreadableAnswerError():
            return _error(UNREADABLE, call, str(failure), applied=True)
        case _:
            return _error(UNREADABLE, call, "incomplete or malformed", applied=True)


def fault_code(fault: Fault) -> str:
    """The API's exception code; empty if the SOAP stack raised the fault."""
    code = _detail(fault, "exceptionCode") or (fault.code or "").rpartition(":")[2]
    return code if code.isupper() else ""


def _from_fault(fault: Fault, call: FailedCall) -> OrgError:
    code = fault_code(fault)
    said = _detail(fault, "exceptionMessage") or (fault.message or "").removeprefix(f"{code}: ")
    return refusal(code, said, call)


def refusal(code: str, said: str, call: FailedCall, otherwise: Meaning | None = None) -> OrgError:
    """The error for a fault with this code and message; `otherwise` explains one that is not known.

    The org may have executed a call that failed for an unknown reason which may pass.
    """
    said = _QUERY_SHOWN.sub("", said)
    meaning = _fault_meaning(code, said, call.operation, otherwise)
    may_pass = meaning is otherwise and meaning.error is OrgUnavailable
    applied = code in FAULTS_THAT_MAY_HAVE_APPLIED or may_pass
    known = isinstance(meaning, FaultMeaning)
    error = _error(meaning, call, said if known or not code else f"{said} ({code})", code=code, applied=applied)
    unknown_field = _NO_SUCH_FIELD.search(said) if code == "INVALID_FIELD" else None
    if unknown_field and isinstance(error, CallRefused):
        error.field = unknown_field[1]
    return error


def _fault_meaning(code: str, said: str, operation: str, otherwise: Meaning | None) -> Meaning:
    unknown = otherwise or (UNKNOWN_SIGN_IN_FAULT if operation == "login" else UNKNOWN_FAULT)
    meanings = (m for m in FAULTS if m.code == code and m.words in said and m.operation in ("", operation))
    return next(meanings, unknown)


def _detail(fault: Fault, name: str) -> str:
    if not isinstance(fault.detail, etree._Element):
        return ""
    return next((text_of(element) for element in fault.detail.iterfind(f".//{{*}}{name}")), "")


def _from_status(answer: NotTheApiError, call: FailedCall) -> OrgError:
    kind = answer.kind or "no content type"
    if 300 <= answer.status < 400:
        return _error(REDIRECT, call, f"HTTP {answer.status} to {split(answer.location).hostname or 'nowhere'}")
    meaning = STATUSES.get(answer.status, OTHER_STATUS)
    said = kind if meaning is not OTHER_STATUS else f"HTTP {answer.status}, {kind}"
    return _error(meaning, call, said, applied=not 400 <= answer.status < 500)


def _from_exception(failure: RequestException, call: FailedCall) -> OrgError:
    chain = list(causes(failure))
    meaning = next(meaning for kind, meaning in EXCEPTIONS if any(isinstance(cause, kind) for cause in chain))
    return _error(meaning, call, "", applied=not never_sent(failure))


def _error(meaning: Meaning, call: FailedCall, said: str, *, code: str = "", applied: bool = False) -> OrgError:
    said = _quote(said, call.secrets)
    message = meaning.message.format(host=call.host, user=call.user, operation=call.operation, said=said)
    changes = call.operation in WRITES | OF_JOBS
    return meaning.error(message, code=code, hint=meaning.hint, maybe_applied=applied and changes)


def _quote(said: str, secrets: Sequence[Secret]) -> str:
    for secret in secrets:
        if secret.text:
            said = said.replace(secret.text, repr(secret))
    said = " ".join(said.split())
    return said if len(said) <= _LONGEST_QUOTE else f"{said[:_LONGEST_QUOTE]}…"
