"""Fault plans: which calls to the local org fail, how and when; reproducible for a seed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Lock
from typing import Literal, TypeVar, get_args

from sfmap.engine.local_org.faults.org_faults import Fault, RecordError, no_session, unexpected
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import Mistakes, Source
from sfmap.engine.yaml_files.files import read_source
from sfmap.engine.yaml_files.nodes import ListNode, Node, ScalarNode, read_yaml
from sfmap.engine.yaml_files.reader import DiagnosticReport, Table

FaultKind = Literal[
    "expired_session", "server_unavailable", "lock_row", "day_limit", "concurrent_limit", "fault",
    "http_error", "html", "down", "reset", "timeout", "reset_after", "truncated", "slow", "late_commit",
    "record_lock", "record_lock_wrapped", "record_error", "governor_limit", "created_between", "deleted_between",
    "job_failed", "job_aborted", "answer_counts",
]  # fmt: skip
"""Described in docs/orgs.md."""

OPERATIONS = (
    "abortJob", "closeJob", "composite", "convertLead", "create", "createJob", "delete", "deleteJob",
    "describeGlobal", "describeLayout", "describeSObject", "describeSObjects", "describeTabs", "describeTheme",
    "emptyRecycleBin", "getDeleted", "getServerTimestamp", "getUpdated", "getUserInfo", "invalidateSessions",
    "jobInfo", "jobResults", "limits", "listViews", "login", "logout", "merge", "processBatch", "query",
    "queryAll", "queryMore", "recent", "resetPassword", "resources", "retrieve", "search", "setPassword",
    "undelete", "update", "uploadJob", "upsert",
)  # fmt: skip
"""What `calls` may name: the operations of all protocols."""
PROCESS_BATCH = "processBatch"
"""The operation of a chunk of a bulk job, which a rule without `calls` hits only with errors of records."""

_Result = TypeVar("_Result")

_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
_KEYS = (
    "kind", "calls", "at", "probability", "times", "seconds", "share", "records", "extra", "status", "code",
    "message",
)  # fmt: skip
_LOCKED = "unable to obtain exclusive access to this record or 1 records"
_FAULTS: dict[FaultKind, tuple[str, str]] = {
    "server_unavailable": ("SERVER_UNAVAILABLE", "Server unavailable"),
    "lock_row": ("UNABLE_TO_LOCK_ROW", _LOCKED),
    "day_limit": ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    "concurrent_limit": ("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."),
}
_WRAPPED = f"lead_assignment: execution of AfterInsert caused by: UNABLE_TO_LOCK_ROW, {_LOCKED}: []"
_REFUSED = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
_TOO_MANY = RecordError(
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
    "LeadTrigger: execution of BeforeInsert caused by: System.LimitException: Too many SOQL queries: 101",
)
_RECORD_ERRORS: dict[FaultKind, RecordError] = {
    "record_lock": RecordError("UNABLE_TO_LOCK_ROW", _LOCKED),
    "record_lock_wrapped": RecordError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", _WRAPPED),
}


_OF_RECORDS: tuple[FaultKind, ...] = (
    "record_lock", "record_lock_wrapped", "record_error", "governor_limit", "created_between", "deleted_between"
)  # fmt: skip
_OF_JOBS: tuple[FaultKind, ...] = ("job_failed", "job_aborted")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """One kind of fault, and the calls that it hits."""

    kind: FaultKind
    calls: frozenset[str] = frozenset()
    """The operations that the rule applies to; all if empty."""
    at: frozenset[int] = frozenset()
    """Which of those calls, counted from 1; if empty, chance decides."""
    probability: float = 1.0
    times: int | None = None
    """The maximum number of hits."""
    seconds: tuple[float, float] = (1.0, 1.0)
    """At least and at most; chance decides between them, for each hit."""
    share: float = 1.0
    """The share of a call's records, for faults of records."""
    records: int = 0
    """How many records a governor limit allows in one call, or how many results an answer lacks."""
    extra: int = 0
    """How many results an answer has too many."""
    status: int = 503
    code: str = ""
    message: str = ""

    def applies_to(self, operation: str) -> bool:
        """Whether a call of this operation may be hit; at sign-in there is no session that could expire."""
        if operation == PROCESS_BATCH and not self.calls:
            return self.kind in _OF_RECORDS + _OF_JOBS
        if self.kind in _OF_JOBS and operation != PROCESS_BATCH:
            return False
        return (not self.calls or operation in self.calls) and (
            self.kind != "expired_session" or operation != "login"
        )


@dataclass(slots=True)
class _Count:
    random: Random
    calls: int = 0
    hits: int = 0


class InjectedFault:
    """A fault that hits one call."""

    def __init__(self, rule: FaultRule, random: Random) -> None:
        self.kind = rule.kind
        least, most = rule.seconds
        # A fixed time draws no number, so that the same seed gives the same faults with and without it.
        self.seconds = least if least == most else random.uniform(least, most)
        self.status = rule.status
        self._rule = rule
        self._random = random

    @property
    def hits_records(self) -> bool:
        """Whether it is a fault of single records, not of the whole call."""
        return self._rule.kind in _OF_RECORDS

    def text(self, otherwise: str) -> str:
        """The code and the message of the rule."""
        rule = self._rule
        return f"{rule.code or 'InternalServerError'} : {rule.message}" if rule.message else otherwise

    @property
    def is_late(self) -> bool:
        """Whether the call is executed after its connection was closed."""
        return self.kind == "late_commit"

    @property
    def fault(self) -> Fault | None:
        """The fault that answers the whole call without executing it."""
        if self.kind == "fault":
            return unexpected(self._rule.code or "UNKNOWN_EXCEPTION", self._rule.message)
        if self.kind == "expired_session":
            return no_session()
        known = _FAULTS.get(self.kind)
        return unexpected(*known) if known else None

    def record_error(self, together: int) -> RecordError | None:
        """The error of the call's next record if it is hit; `together` records are written at once."""
        rule = self._rule
        if rule.kind == "governor_limit":
            return _TOO_MANY if together > rule.records else None
        if rule.kind == "record_error":
            error = RecordError(rule.code or _REFUSED, rule.message or "refused by the fault plan")
        elif rule.kind in _RECORD_ERRORS:
            error = _RECORD_ERRORS[rule.kind]
        else:
            return None
        return error if self._random.random() < rule.share else None

    def results(self, results: Sequence[_Result]) -> Sequence[_Result]:
        """The results that answer the call's records: with `answer_counts` fewer, or the last repeated."""
        rule = self._rule
        if rule.kind != "answer_counts":
            return results
        if rule.extra:
            return [*results, *list(results[-1:]) * rule.extra]
        return results[: max(0, len(results) - (rule.records or 1))]

    def interferes(self) -> bool:
        """Whether another client changes the next record of the call before it is written."""
        between = self.kind in ("created_between", "deleted_between")
        return between and self._random.random() < self._rule.share


class FaultPlan:
    """Decides for each call whether a fault hits it. Thread-safe."""

    def __init__(self, rules: Sequence[FaultRule] = (), seed: int = 0) -> None:
        self.rules = list(rules)
        self._off: set[int] = set()
        # Each rule has its own random numbers, independent of the other rules' calls.
        self._seed = seed
        self._counts = [self._count(number) for number in range(len(rules))]
        self._lock = Lock()

    def _count(self, number: int) -> _Count:
        return _Count(Random(f"{self._seed} {number}"))  # noqa: S311

    def add(self, rule: FaultRule) -> None:
        with self._lock:
            self._counts.append(self._count(len(self.rules)))
            self.rules.append(rule)

    def switch(self, number: int, *, on: bool) -> None:
        """Has the rule of that number, from 0, hit calls or not."""
        with self._lock:
            self._off = self._off - {number} if on else self._off | {number}

    def is_on(self, number: int) -> bool:
        return number not in self._off

    def fault_for(self, operation: str) -> InjectedFault | None:
        """The first fault that hits this call, if any."""
        with self._lock:
            for number, (rule, count) in enumerate(zip(self.rules, self._counts, strict=True)):
                if number in self._off or not rule.applies_to(operation):
                    continue
                count.calls += 1
                lucky = count.random.random() >= rule.probability
                missed = count.calls not in rule.at if rule.at else lucky
                if missed or count.hits == rule.times:
                    continue
                count.hits += 1
                return InjectedFault(rule, count.random)
        return None

    def counts(self) -> list[dict[str, str | int]]:
        """For each rule, the number of calls that it has seen and hit."""
        with self._lock:
            return [
                {"kind": rule.kind, "calls": count.calls, "struck": count.hits}
                for rule, count in zip(self.rules, self._counts, strict=True)
            ]


def load_fault_plan(path: Path | None) -> FaultPlan:
    """The plan in a file, or an empty one without a file. Raises `Mistakes` or `CannotRead`."""
    return read_fault_plan(read_source(path)) if path else FaultPlan()


def read_fault_plan(source: Source) -> FaultPlan:
    """The plan in a YAML text. Raises `Mistakes`."""
    root, mistakes = read_yaml(source)
    report = DiagnosticReport(mistakes)
    table = Table.open(root, report, "the fault plan", ("seed", "faults"))
    rules: list[FaultRule] = []
    seed = 0
    if table:
        seed = table.positive_integer("seed") or 0
        rules = [rule for node in _listed(table.get("faults")) if (rule := _rule(node, report))]
    if report.diagnostics:
        raise Mistakes(report.diagnostics)
    return FaultPlan(rules, seed)


def _listed(node: Node | None) -> Iterable[Node]:
    if node is None:
        return ()
    return node.items if isinstance(node, ListNode) else (node,)


def _rule(node: Node, report: DiagnosticReport) -> FaultRule | None:
    table = Table.open(node, report, "the fault", _KEYS)
    if table is None:
        return None
    table.require("kind", f"one of: {', '.join(_KINDS)}")
    code, message = table.text("code"), table.text("message")
    return FaultRule(
        kind=table.choice("kind", _KINDS) or "slow",
        calls=frozenset(table.items("calls", "an operation, such as create", _operation, OPERATIONS)),
        at=frozenset(table.items("at", "a whole number above 0", _whole)),
        probability=_number(table, "probability", 1.0, most=1.0),
        times=table.positive_integer("times"),
        seconds=_seconds(table),
        share=_number(table, "share", 1.0, most=1.0),
        records=table.positive_integer("records", least=0) or 0,
        extra=table.positive_integer("extra") or 0,
        status=next(iter(table.items("status", "an HTTP status: 200, or one from 400 to 599", _status)), 503),
        code=code.text if code else "",
        message=message.text if message else "",
    )


def _operation(node: Node) -> str | None:
    return node.text if isinstance(node, ScalarNode) and node.text in OPERATIONS else None


def _status(node: Node) -> int | None:
    number = _whole(node)
    # A page with the status 200 is what a proxy sends in the place of an answer.
    return number if number and (number == 200 or 400 <= number <= 599) else None


def _whole(node: Node) -> int | None:
    value = node.value if isinstance(node, ScalarNode) else None
    return value if type(value) is int and value > 0 else None


def _seconds(table: Table) -> tuple[float, float]:
    found = table.items("seconds", "a number from 0 to 86400, or two", _duration)
    node = table.get("seconds")
    if not node or not found:
        return 1.0, 1.0
    if len(found) > 2 or found[0] > found[-1]:
        table.report.error(kinds.WRONG_VALUE, node.span, "seconds must be a number, or two: at least and at most")
    return found[0], found[-1]


def _duration(node: Node) -> float | None:
    value = node.value if isinstance(node, ScalarNode) else None
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value <= 86_400 else None


def _number(table: Table, key: str, otherwise: float, most: float) -> float:
    node = table.scalar(key)
    if node is None:
        return otherwise
    if type(node.value) in (int, float) and 0 <= float(node.text) <= most:
        return float(node.text)
    table.report.error(kinds.WRONG_VALUE, node.span, f"{key} must be a number from 0 to {most:g}")
    return otherwise
