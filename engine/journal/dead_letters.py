"""The dead letters: what failed for good, with the event and the reason, until it is delivered after all."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

from sfmap.engine.journal.database import Database

_PAGE = 500


@dataclass(frozen=True, slots=True)
class DeadLetter:
    id: int
    event: int
    file: str
    line: int
    mapping: str
    item: int
    object_name: str
    reason: str
    attempts: int
    first: str
    last: str
    """When it failed first and last, in UTC."""
    raw: bytes


def dead_letters(database: Database, org: str, reason: str = "", number: int = 0) -> Iterator[DeadLetter]:
    """Those of the org whose reason has this text, or the one of that number; in the order in which they came.

    Those that come while they are read are left out. Raises `JournalFailed`.
    """
    last = cast(int, database.rows("SELECT coalesce(max(id), 0) FROM dead_letters")[0][0])
    seen = 0
    while True:
        rows = database.rows(
            "SELECT id, event, file, line, mapping, item, object, reason, attempts, first, last, raw"
            " FROM dead_letters WHERE org = ? AND id > ? AND id <= ? AND (? = 0 OR id = ?)"
            " AND (? = '' OR instr(lower(reason), lower(?)) > 0) ORDER BY id LIMIT ?",
            org,
            seen,
            last,
            number,
            number,
            reason,
            reason,
            _PAGE,
        )
        if not rows:
            return
        for row in rows:
            letter = DeadLetter(*row)  # type: ignore[arg-type]
            seen = letter.id
            yield letter


def discard_dead_letters(database: Database, numbers: Iterable[int]) -> None:
    """Forgets them. Raises `JournalFailed`."""
    with database.transaction() as connection:
        connection.executemany("DELETE FROM dead_letters WHERE id = ?", [(number,) for number in numbers])


def count_dead_letters(database: Database, org: str) -> int:
    return cast(int, database.rows("SELECT count(*) FROM dead_letters WHERE org = ?", org)[0][0])
