"""The faults that a person can switch on and off, and what each does."""

from collections.abc import Mapping

from sfmap.engine.local_org.faults.fault_plan import FaultKind, FaultPlan, FaultRule

WHAT: Mapping[FaultKind, str] = {
    "expired_session": "The session has expired: the client must sign in again.",
    "server_unavailable": "The call is not executed: SERVER_UNAVAILABLE.",
    "lock_row": "The call is not executed: UNABLE_TO_LOCK_ROW.",
    "day_limit": "The call is not executed: the daily limit of API requests is reached.",
    "concurrent_limit": "The call is not executed: too many long calls at once.",
    "fault": "The call is not executed, and answered with a fault of your own.",
    "http_error": "The call is not executed, and answered with a plain text and an HTTP status.",
    "html": "The call is not executed, and answered with a web page, as a proxy does.",
    "down": "The call is not executed, and connections are refused for some seconds.",
    "reset": "The call is not executed, and its connection is closed at once.",
    "timeout": "The call is not executed, and its connection is closed after some seconds.",
    "reset_after": "The call is executed, but its answer is lost.",
    "truncated": "The call is executed, but half of its answer is lost.",
    "slow": "The call is executed and answered after some seconds.",
    "late_commit": "The connection is closed at once, and the call is executed some seconds later.",
    "record_lock": "Records are refused: UNABLE_TO_LOCK_ROW.",
    "record_lock_wrapped": "Records are refused: a lock inside the error of a trigger.",
    "record_error": "Records are refused, as by a validation rule.",
    "governor_limit": "Each record is refused if more are written together than a trigger can take.",
    "created_between": "Somebody else creates the same record before a create.",
    "deleted_between": "Somebody else deletes the record before an update.",
    "job_failed": "A bulk job fails; the rows that are not yet processed stay so.",
    "job_aborted": "Somebody else aborts a bulk job while it is processed.",
    "answer_counts": "The call is executed, but its answer has fewer or more results than records.",
}
"""Described in full in docs/orgs.md."""


def switches(plan: FaultPlan) -> list[dict[str, object]]:
    """A line for each rule of the plan, and for each kind that it does not have."""
    own: list[dict[str, object]] = [
        {
            "number": number,
            "kind": rule.kind,
            "what": WHAT[rule.kind],
            "when": _when(rule),
            "calls": count["calls"],
            "struck": count["struck"],
            "is_on": plan.is_on(number),
        }
        for number, (rule, count) in enumerate(zip(plan.rules, plan.counts(), strict=True))
    ]
    known = {rule.kind for rule in plan.rules}
    others: list[dict[str, object]] = [
        {"number": None, "kind": kind, "what": what, "when": "", "calls": 0, "struck": 0, "is_on": False}
        for kind, what in WHAT.items()
        if kind not in known
    ]
    return [*own, *others]


def switch(plan: FaultPlan, name: str, *, on: bool) -> bool:
    """Switches the rule of a number, or adds one of a kind; whether there is such a fault."""
    if name.isdecimal() and len(name) < 6 and int(name) < len(plan.rules):
        plan.switch(int(name), on=on)
        return True
    kind = next((one for one in WHAT if one == name), None)
    if kind is None or not on:
        return False
    plan.add(FaultRule(kind=kind))
    return True


def _when(rule: FaultRule) -> str:
    """Which calls it hits; empty for every call."""
    parts = [
        f"only {', '.join(sorted(rule.calls))}" if rule.calls else "",
        f"call {', '.join(map(str, sorted(rule.at)))}" if rule.at else "",
        f"{rule.probability:.0%} of calls" if rule.probability < 1 else "",
        f"at most {rule.times} times" if rule.times is not None else "",
        f"{_seconds(rule)} s" if rule.seconds != (1, 1) else "",
        f"{rule.share:.0%} of records" if rule.share < 1 else "",
        rule.code,
    ]
    return ", ".join(filter(None, parts))


def _seconds(rule: FaultRule) -> str:
    least, most = rule.seconds
    return f"{least:g}" if least == most else f"{least:g} to {most:g}"
