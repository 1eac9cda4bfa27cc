"""Decides whether a record that the org refused is sent again, why, and how often."""

from sfmap.engine.delivery.folding import Cause
from sfmap.engine.org.port import Refused

_LOCK = "UNABLE_TO_LOCK_ROW"
"""Also occurs inside other errors' messages."""
GONE = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"})
_TAKEN = frozenset({"DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID"})
_ROLLED_BACK = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
_DUPLICATES = "DUPLICATES_DETECTED"
_UNAVAILABLE = frozenset({"SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION"})
"""Problems of the org that it reports as errors of records."""
_TOO_LONG = frozenset({"QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG"})
_LIMITS = (
    "too many soql queries",
    "too many query rows",
    "too many dml statements",
    "too many dml rows",
    "too many sosl queries",
    "too many future calls",
    "too many queueable jobs",
    "too many callouts",
    "too many email invocations",
    "apex cpu time limit exceeded",
    "apex heap size too large",
    "limitexception",
    "cpu time limit",
    "flow_elements_executed",
    "number of executed elements",
)
"""Messages when the org's triggers and flows exceed a governor limit (Apex Developer Guide, "Execution Governors
and Limits"): every record of the batch gets them, and a smaller batch may succeed.
"""
_MOST: dict[Cause, int] = {"locked": 10, "unavailable": 5, "too much": 12, "taken": 1}
_USUALLY = 3


def again_because(refused: Refused, verb: str, together: int) -> Cause | None:
    """Why the record may be sent again; None if it would be refused again. `together` is the size of its batch."""
    if _LOCK in refused.code or _LOCK in refused.message:
        return "locked"
    if is_too_much(refused):
        return "too much" if together > 1 else None
    if refused.code in GONE:
        return "gone" if verb in ("update", "delete") and not refused.fields else None
    if refused.code in _TAKEN:
        return "taken"
    if refused.code in _UNAVAILABLE:
        return "unavailable"
    others: dict[str, Cause] = {_ROLLED_BACK: "undone", _DUPLICATES: "duplicate"}
    return others.get(refused.code)


def most_again(cause: Cause) -> int:
    """The maximum number of repetitions for a cause."""
    return _MOST.get(cause, _USUALLY)


def is_too_much(refused: Refused) -> bool:
    """Whether a smaller batch may succeed."""
    said = refused.message.lower()
    return refused.code in _TOO_LONG or any(words in said for words in _LIMITS)
