"""Decides whether a record that the org refused is sent again, why, and how often."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sfmap.engine.delivery.batches import Sent
from sfmap.engine.delivery.item import Cause, Item, lookup_key
from sfmap.engine.mapping.values.record import Value
from sfmap.engine.org.port import Refused

_LOCK = "UNABLE_TO_LOCK_ROW"
"""Also occurs inside other errors' messages."""
_GONE = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"})
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


def to_send_again(sent: Sent, refused: Refused) -> list[Item] | None:
    """The items of a refused write to send again; None if that would not help."""
    items = sent.pending.fold.items
    head = items[0]
    cause = cause_of(refused, sent.pending.call.verb, sent.together)
    if cause == "taken" and not head.lookup_keys:
        cause = None
    if cause and head.again.count(cause) < _most_again(cause):
        if cause != "duplicate":
            is_found_by_lookup = cause in ("gone", "taken")
            return [_again(item, cause, is_found_by_lookup) for item in items]
        if despite := _despite_duplicates(items, refused):
            return despite
    if len(items) > 1:  # one of them is the cause: send each alone
        return [replace(_again(item, "refused together"), is_alone=True) for item in items]
    return None


def _again(item: Item, cause: Cause, is_found_by_lookup: bool = False) -> Item:
    """The item, to be sent again; with `is_found_by_lookup`, delivery looks it up instead of the org."""
    native_key = "" if is_found_by_lookup else item.native_key
    return replace(item, again=(*item.again, cause), native_key=native_key)


def _despite_duplicates(items: Sequence[Item], refused: Refused) -> list[Item] | None:
    """Applies the mapping's choice for duplicates: save the record anyway, or update the one that it duplicates.

    None if it chooses neither, or the org does not tell which record that is.
    """
    choice = items[0].record.on_duplicate
    if choice == "save":
        return [
            replace(
                _again(item, "duplicate"),
                record=item.record.with_headers(replace(item.record.headers, allow_duplicates=True)),
            )
            for item in items
        ]
    if choice == "fail" or not refused.duplicates:
        return None
    by_id: Mapping[str, Value] = {"Id": refused.duplicates[0]}
    return [
        replace(
            _again(item, "duplicate", is_found_by_lookup=True),
            fitted=replace(item.fitted, match=(by_id,)),
            lookup_keys=(lookup_key(item.record.object, by_id),),
        )
        for item in items
    ]


def cause_of(refused: Refused, verb: str, together: int) -> Cause | None:
    """Why the record may be sent again; None if it would be refused again. `together` is the size of its batch."""
    if _is_locked(refused):
        return "locked"
    if is_too_much(refused):
        return "too much" if together > 1 else None
    if refused.code in _GONE:
        return "gone" if verb in ("update", "delete") and not refused.fields else None
    if refused.code in _TAKEN:
        return "taken"
    if refused.code in _UNAVAILABLE:
        return "unavailable"
    others: dict[str, Cause] = {_ROLLED_BACK: "undone", _DUPLICATES: "duplicate"}
    return others.get(refused.code)


def _most_again(cause: Cause) -> int:
    """The maximum number of repetitions for a cause."""
    return _MOST.get(cause, _USUALLY)


def is_too_much(refused: Refused) -> bool:
    """Whether a smaller batch may succeed."""
    said = refused.message.lower()
    return refused.code in _TOO_LONG or any(words in said for words in _LIMITS)


def is_from_load(refused: Refused) -> bool:
    """Whether fewer writes at once may succeed."""
    return _is_locked(refused) or is_too_much(refused)


def _is_locked(refused: Refused) -> bool:
    return _LOCK in refused.code or _LOCK in refused.message
