"""Dead letters: records that failed for good, each kept with its event and reason until delivered or discarded."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
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


_SELECT = (
    "SELECT id, event, file, line, mapping, item, object, reason, attempts, first, last, raw"
    " FROM dead_letters WHERE org = ? AND lower(reason) LIKE lower(?) ESCAPE '!'"
)


def dead_letters(
    database: Database, org: str, reason: str = "", numbers: Sequence[int] = ()
) -> Iterator[DeadLetter]:
    """The org's dead letters whose reason contains the text, or of these those with the numbers; oldest first.

    Dead letters added during the iteration are left out. Raises `JournalFailed`.
    """
    pages = _chosen(database, org, reason, numbers) if numbers else _all(database, org, reason)
    for rows in pages:
        yield from (DeadLetter(*row) for row in rows)  # type: ignore[arg-type]


def _all(database: Database, org: str, reason: str) -> Iterator[list[tuple[object, ...]]]:
    last = cast(int, database.rows("SELECT coalesce(max(id), 0) FROM dead_letters")[0][0])
    query = f"{_SELECT} AND id > ? AND id <= ? ORDER BY id LIMIT ?"
    seen = 0
    while rows := database.rows(query, org, _containing(reason), seen, last, _PAGE):
        seen = cast(int, rows[-1][0])
        yield rows


def _chosen(
    database: Database, org: str, reason: str, numbers: Sequence[int]
) -> Iterator[list[tuple[object, ...]]]:
    query = f"{_SELECT} AND id IN ({', '.join('?' * _PAGE)}) ORDER BY id"
    wanted = sorted(set(numbers))
    for start in range(0, len(wanted), _PAGE):
        asked = wanted[start : start + _PAGE]
        yield database.rows(query, org, _containing(reason), *asked, *[asked[0]] * (_PAGE - len(asked)))


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


def letter_number(database: Database, org: str, digest: bytes) -> int:
    """The number of the dead letter of a record, by its digest; 0 if there is none. Raises `JournalFailed`."""
    rows = database.rows("SELECT id FROM dead_letters WHERE org = ? AND digest = ?", org, digest)
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
