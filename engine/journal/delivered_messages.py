"""The ids of the messages that were delivered to an org, as short digests."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from sfmap.engine.journal.database import Database, Transaction

_MOST_DELIVERED = 5_000_000
"""The most message ids that are remembered; each takes about 30 bytes."""
_ASKED_AT_ONCE = 500


class DeliveredMessages:
    """The message ids of one org."""

    def __init__(self, org: str) -> None:
        self._digest_key = hashlib.sha256(org.encode()).digest()

    def remember(self, connection: Transaction, day: int, messages: Iterable[str]) -> None:
        connection.executemany(
            "INSERT INTO delivered (day, message) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(day, self._digest(message)) for message in messages],
        )

    def among(self, database: Database, messages: Iterable[str]) -> set[str]:
        """Those of the message ids that are remembered."""
        asked = {self._digest(message): message for message in messages}
        query = "SELECT message FROM delivered WHERE day = ? AND message"
        return {
            asked[cast(bytes, row[0])]
            for day in _days(database)
            for row in rows_among(database, query, day, list(asked))
        }

    def forget(self, connection: Transaction, oldest: int) -> None:
        """Forgets what was remembered up to a day, and the oldest if there are too many."""
        connection.execute("DELETE FROM delivered WHERE day <= ?", (oldest,))
        while connection.execute("SELECT count(*) FROM delivered").fetchone()[0] > _MOST_DELIVERED:
            connection.execute("DELETE FROM delivered WHERE day = (SELECT min(day) FROM delivered)")

    def _digest(self, message: str) -> bytes:
        """A short digest that differs by org: it keeps the table, which is written at random places, small."""
        return hashlib.blake2b(message.encode("utf-8", "replace"), digest_size=16, key=self._digest_key).digest()


def _days(database: Database) -> Iterator[int]:
    """The days whose message ids are remembered."""
    day: object = -1
    while (day := database.rows("SELECT min(day) FROM delivered WHERE day > ?", day)[0][0]) is not None:
        yield cast(int, day)


def rows_among(
    database: Database, query: str, given: object, values: Sequence[bytes]
) -> Iterator[tuple[object, ...]]:
    """The rows of a query with one given value whose last column is one of the values."""
    for start in range(0, len(values), _ASKED_AT_ONCE):
        asked = values[start : start + _ASKED_AT_ONCE]
        yield from database.rows(f"{query} IN ({', '.join('?' * len(asked))})", given, *asked)
