"""Dead letters: records that failed for good, each kept with its event and reason until delivered or discarded."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import cast

from sfmap.engine.journal.database import Database
from sfmap.engine.journal.spool import SpoolFull

_PAGE = 500
_ASK_EVERY = 1.0
"""Seconds between two checks whether there is room again."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    id: int
    event: int
    file: str
    line: int
    mapping: str
    item_number: int
    object_name: str
    reason: str
    attempts: int
    first: str
    last: str
    """When it first and last failed, in UTC."""
    raw: bytes


def dead_letters(database: Database, org: str, reason: str = "", number: int = 0) -> Iterator[DeadLetter]:
    """The org's dead letters whose reason contains the text, or the one with that number; oldest first.

    Dead letters added during the iteration are left out. Raises `JournalFailed`.
    """
    last = cast(int, database.rows("SELECT coalesce(max(id), 0) FROM dead_letters")[0][0])
    seen = 0
    while True:
        rows = database.rows(
            "SELECT id, event, file, line, mapping, item, object, reason, attempts, first, last, raw"
            " FROM dead_letters WHERE org = ? AND id > ? AND id <= ? AND (? = 0 OR id = ?)"
            " AND lower(reason) LIKE lower(?) ESCAPE '!' ORDER BY id LIMIT ?",
            org,
            seen,
            last,
            number,
            number,
            _containing(reason),
            _PAGE,
        )
        if not rows:
            return
        for row in rows:
            letter = DeadLetter(*row)  # type: ignore[arg-type]
            seen = letter.id
            yield letter


def _containing(text: str) -> str:
    """The pattern of texts that contain this one."""
    for special in "!%_":
        text = text.replace(special, f"!{special}")
    return f"%{text}%"


def discard_dead_letters(database: Database, numbers: Iterable[int]) -> None:
    """Deletes dead letters. Raises `JournalFailed`."""
    with database.transaction() as connection:
        connection.executemany("DELETE FROM dead_letters WHERE id = ?", [(number,) for number in numbers])


def attempts_before(database: Database, org: str, digest: bytes) -> int:
    """How often a record has failed, by the digest of its letter. Raises `JournalFailed`."""
    rows = database.rows("SELECT attempts FROM dead_letters WHERE org = ? AND digest = ?", org, digest)
    return cast(int, rows[0][0]) if rows else 0


def count_dead_letters(database: Database, org: str) -> int:
    return cast(int, database.rows("SELECT count(*) FROM dead_letters WHERE org = ?", org)[0][0])


class DeadLetterRoom:
    """The space that dead letters take, limited for each source. Thread-safe.

    Every method may raise `JournalFailed`.
    """

    def __init__(self, database: Database, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`most` is the limit for each source, in bytes of events and reasons."""
        self._database = database
        self._most = most
        self._clock = clock
        self._bytes: dict[str, int] = {}
        self._asked = 0.0
        self.letters = 0
        self.size = 0
        self.look()

    def look(self) -> None:
        """Reads the sizes from the database."""
        self._asked = self._clock()
        rows = cast(
            list[tuple[str, int, int]],
            self._database.rows("SELECT file, letters, bytes FROM dead_letter_room WHERE letters > 0"),
        )
        self._bytes = {file: size for file, _, size in rows}
        self.letters = sum(letters for _, letters, _ in rows)
        self.size = sum(self._bytes.values())

    @property
    def full(self) -> list[str]:
        """The sources whose dead letters have reached the limit."""
        return sorted(source for source, size in self._bytes.items() if size >= self._most)

    def check(self, source: str) -> None:
        """Checks that events of the source can be accepted. Raises `SpoolFull` or `JournalFailed`."""
        if self._is_full(source) and self._clock() - self._asked >= _ASK_EVERY:
            self.look()
        if self._is_full(source):
            raise SpoolFull("too many events of this source have failed and are waiting as dead letters")

    def _is_full(self, source: str) -> bool:
        return self._bytes.get(source, 0) >= self._most
