"""Moves the state of a project's folder into PostgreSQL, with everything that waits in it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

from sfmap.engine.journal.database import Database, JournalFailed, Transaction
from sfmap.engine.journal.ledger import highest_number
from sfmap.engine.journal.shared.postgres_journal import PostgresJournal
from sfmap.engine.journal.spool_file import SpoolFile
from sfmap.engine.messages.counts import counted
from sfmap.engine.messages.hints import command_line


class _Table(NamedTuple):
    """A table of the journal with its columns, but for a number that the database gives."""

    name: str
    columns: tuple[str, ...]


def _table(name: str, columns: str) -> _Table:
    return _Table(name, tuple(columns.split()))


_TABLES = (
    _table("files", "org source name place version"),
    _table("decided", "org source event digest mapping item day outcome"),
    _table("held", "org source event digest mapping item file line raw"),
    _table("dead_letters", "org digest event file line mapping item object reason attempts first last raw"),
    _table("organizations", "entry organization"),
    _table("delivered", "day message"),
    _table("newest", "org identity moment"),
    _table("sources", 'org source number file "offset" line digest cursor results results_size tally finished'),
)
_IN_FLIGHT = _table("in_flight", "id org day boot until traces part epoch")
_SENT = _table("sent", "in_flight org source event digest mapping item position verb record known")
_SPOOL = _table("events", "id source accepted event")
_IN_ORDER = ("held", "dead_letters")
_RAISED = """\
SELECT setval(pg_get_serial_sequence('spool', 'id'), greatest(?, (SELECT last_value FROM spool_id_seq)))"""


def take_over(journal: Database, spool: Database, into: PostgresJournal, *, folder: str, org_entry: str) -> int:
    """Copies the journal and the spool of a folder in one transaction; returns how many events of the spool wait.

    They will be delivered to the org with that name in sfmap.yaml. Raises `JournalFailed`.
    """
    if journal.rows("SELECT 1 FROM loads LIMIT 1"):
        raise JournalFailed(
            "records of this folder travel by bulk jobs: take `state` out of sfmap.yaml, run the same command"
            " again until it has finished, and then upgrade again"
        )
    with into.transaction() as connection:
        if connection.execute("SELECT 1 FROM taken_over WHERE folder = ?", (folder,)).fetchone():
            return 0  # it ended before the files were renamed
        connection.execute("INSERT INTO taken_over VALUES (?)", (folder,))
        waiting = _copy_spool(connection, spool, org_entry)
        connection.execute(_RAISED, (highest_number(journal, SpoolFile.name) + 1,))
        for table in _TABLES:
            _insert(connection, table, _moved(table, _rows(journal, table), org_entry))
        _copy_writes(connection, journal, org_entry)
    return waiting


def _copy_spool(connection: Transaction, spool: Database, org_entry: str) -> int:
    """Copies the waiting events with their numbers, by which the journal knows them."""
    rows = _rows(spool, _SPOOL)
    used = "SELECT 1 FROM sources WHERE source = ? UNION ALL SELECT 1 FROM spool WHERE org = ?"
    if rows and connection.execute(used, (f"spool {org_entry}", org_entry)).fetchone():
        raise JournalFailed(
            f"the spool of this folder has {counted(len(rows), 'event')}, and the one in PostgreSQL is in use"
            " already: take `state` out of sfmap.yaml, run this until no event is waiting, and then upgrade again:"
            f" {command_line('serve', '--org', org_entry)}"
        )
    connection.executemany(
        "INSERT INTO spool (id, org, source, accepted, event) OVERRIDING SYSTEM VALUE VALUES (?, ?, ?, ?, ?)",
        [(row[0], org_entry, *row[1:]) for row in rows],
    )
    size = sum(len(cast(bytes, row[3])) for row in rows)
    if rows:
        connection.execute("INSERT INTO spool_room VALUES (?, ?, ?)", (org_entry, len(rows), size))
        connection.execute(_RAISED, (rows[-1][0],))
    return len(rows)


def _copy_writes(connection: Transaction, journal: Database, org_entry: str) -> None:
    """Copies the writes without an answer, under new numbers, and what they sent."""
    numbers: dict[object, object] = {}
    columns = ", ".join(_IN_FLIGHT.columns[1:])
    for number, *row in _rows(journal, _IN_FLIGHT):
        added = connection.execute(
            f"INSERT INTO in_flight ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",  # noqa: S608
            row,
        )
        numbers[number] = added.fetchone()[0]
    sent = [(numbers[number], *row) for number, *row in _rows(journal, _SENT) if number in numbers]
    _insert(connection, _SENT, _moved(_SENT, sent, org_entry))


def _rows(database: Database, table: _Table) -> list[tuple[object, ...]]:
    order = " ORDER BY id" if "id" in table.columns or table.name in _IN_ORDER else ""
    return database.rows(f"SELECT {', '.join(table.columns)} FROM {table.name}{order}")  # noqa: S608


def _moved(table: _Table, rows: Sequence[tuple[object, ...]], org_entry: str) -> Iterator[tuple[object, ...]]:
    """The rows with the name that the spool has as a source in PostgreSQL."""
    place = table.columns.index("source") if "source" in table.columns else None
    for row in rows:
        if place is not None and row[place] == SpoolFile.name:
            yield (*row[:place], f"spool {org_entry}", *row[place + 1 :])
        else:
            yield row


def _insert(connection: Transaction, table: _Table, rows: Iterator[tuple[object, ...]]) -> None:
    """Inserts the rows, but for those that are there already, from another folder."""
    values = ", ".join("?" * len(table.columns))
    connection.executemany(
        f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({values})"  # noqa: S608
        " ON CONFLICT DO NOTHING",
        rows,
    )
