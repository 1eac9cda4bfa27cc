"""Groups dead letters by why they failed, so that hundreds of one cause are one line."""

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from sfmap.engine.journal.database import Database

_QUERY = (
    "SELECT mapping, reason, count(*), max(last), max(id) FROM dead_letters WHERE org = ?"
    " GROUP BY mapping, reason ORDER BY max(last) DESC LIMIT 2000"
)
_NUMBERS = "SELECT id FROM dead_letters WHERE org = ? AND mapping = ? AND reason = ? ORDER BY id"
_CODE = re.compile(r"([A-Z][A-Z0-9_]{5,}): (.*)", re.DOTALL)
_VARYING = re.compile(
    r"\b[a-zA-Z0-9]{3}[a-zA-Z0-9]{12}(?:[A-Z0-9]{3})?\b|[^\s@]{1,64}@[^\s@]{1,255}|\d+(?:[.,:]\d+)*"
)
"""What differs from record to record: ids, e-mail addresses, numbers."""
_RECORD_ID = re.compile(r"\d")
_COMPARED = 500
"""The characters of reasons that are compared."""
_REST = 20
"""The answer is used for so many times as long as it took to find."""


class Reason(NamedTuple):
    """A reason as the org or the mapping gave it."""

    code: str
    """The org's status code; empty for other reasons."""
    message: str


class _Row(NamedTuple):
    mapping: str
    reason: str
    letters: int
    last: str
    newest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """Dead letters of one mapping with one cause."""

    key: str
    mapping: str
    code: str
    message: str
    """Of the newest one."""
    letters: int
    last: str
    """When the newest failed, in UTC."""
    newest: int
    """The number of the newest dead letter."""
    reasons: tuple[str, ...]


def reason_of(text: str) -> Reason:
    found = _CODE.fullmatch(text)
    return Reason(found[1], found[2]) if found else Reason("", text)


class FailureGroups:
    """The groups of an org's dead letters. Thread-safe; its methods may raise `JournalFailed`."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Sequence[FailureGroup]]] = {}
        """By org: until when the groups are used, and the groups."""

    def all(self, org: str) -> Sequence[FailureGroup]:
        """The groups, the one that failed last first."""
        with self._lock:
            until, groups = self._known.get(org, (0.0, ()))
            began = self._clock()
            if began < until:
                return groups
            rows = [_Row(*row) for row in self._database.rows(_QUERY, org)]  # type: ignore[arg-type]
            groups = _grouped(rows)
            now = self._clock()
            self._known = {org: (now + (now - began) * _REST, groups)}
            return groups

    def forget(self) -> None:
        """Makes the next look a new one."""
        with self._lock:
            self._known = {}

    def find(self, org: str, key: str) -> FailureGroup | None:
        return next((group for group in self.all(org) if group.key == key), None)

    def numbers(self, org: str, group: FailureGroup) -> list[int]:
        """The numbers of its dead letters."""
        return [
            cast(int, row[0])
            for reason in group.reasons
            for row in self._database.rows(_NUMBERS, org, group.mapping, reason)
        ]


def _grouped(rows: Iterable[_Row]) -> Sequence[FailureGroup]:
    together: dict[tuple[str, str], list[_Row]] = {}
    for row in rows:
        together.setdefault((row.mapping, _VARYING.sub(_blanked, row.reason[:_COMPARED])), []).append(row)
    return [_group(key, found) for key, found in together.items()]


def _blanked(found: re.Match[str]) -> str:
    """The mark that stands for what varies; a long word without a digit is a word."""
    return "…" if _RECORD_ID.search(found[0]) or "@" in found[0] else found[0]


def _group(key: tuple[str, str], rows: Sequence[_Row]) -> FailureGroup:
    newest = rows[0]
    code, message = reason_of(newest.reason)
    return FailureGroup(
        key=hashlib.sha256("\n".join(key).encode("utf-8", "replace")).hexdigest()[:16],
        mapping=newest.mapping,
        code=code,
        message=message,
        letters=sum(row.letters for row in rows),
        last=newest.last,
        newest=newest.newest,
        reasons=tuple(row.reason for row in rows),
    )
