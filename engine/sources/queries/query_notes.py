"""What a query source tells the user: each note once a run."""

from collections.abc import Callable, Mapping, Sequence

from sfmap.engine.sources.queries.database_port import UnreadRows


class QueryNotes:
    def __init__(self, name: str, say: Callable[[str], object]) -> None:
        self._name = name
        self._say = say
        self._said: set[str] = set()

    def left_out(self, reasons: Mapping[str, str]) -> None:
        """`reasons` says by column why the value of one row is left out."""
        for column, reason in reasons.items():
            self._note(f"column {column} holds {reason}, which is left out")

    def unread(self, unread: UnreadRows, cursor: Sequence[str]) -> None:
        first = cursor[0]
        for count, why in (
            (unread.null, f"NULL in {' or '.join(cursor)}: not read"),
            (unread.infinite, f"infinity in {first}: not read"),
            (unread.future, f"{first} in the future: read when it has come"),
        ):
            if count:
                self._note(f"{_rows(count)} {why}")

    def no_index(self, relation: str, cursor: Sequence[str]) -> None:
        columns = ", ".join(cursor)
        self._note(f"each page sorts all rows: an index helps, CREATE INDEX ON {relation} ({columns})")

    def no_overlap(self, first: str) -> None:
        self._note(f"{first} is neither time nor number, so overlap does nothing: late rows are missed")

    def _note(self, what: str) -> None:
        if what not in self._said:
            self._said.add(what)
            self._say(f"{self._name}: {what}")


def _rows(count: int) -> str:
    return f"{count:,} row has" if count == 1 else f"{count:,} rows have"
