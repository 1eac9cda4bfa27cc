"""The room for dead letters: counted for each source, and limited."""

from pathlib import Path

import pytest

from sfmap.engine.journal.database import Database
from sfmap.engine.journal.dead_letter_store import DeadLetterRoom, dead_letters, discard_dead_letters
from sfmap.engine.journal.entries import Commit, Letter, RecordKey, digest
from sfmap.engine.journal.folder_state import journal_file
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.journal.spool import SpoolFull
from sfmap.engine.sources.event_source import START


def letter(number: int, source: str, raw: bytes, reason: str = "no") -> Letter:
    return Letter(
        key=RecordKey(number, "", "lead", 0), file=source, line=number, object_name="Lead", reason=reason, raw=raw
    )


def counted(database: Database) -> dict[str, int]:
    """As whoever looks at each letter counts."""
    sizes: dict[str, int] = {}
    for one in dead_letters(database, "org"):
        sizes[one.file] = sizes.get(one.file, 0) + len(one.raw) + len(one.reason.encode())
    return sizes


def test_the_size_follows_letters_that_come_change_and_go(tmp_path: Path) -> None:
    now = 0.0
    database = journal_file(tmp_path / "journal.db")
    ledger = Ledger(database, "org", "spool")
    ledger.commit(Commit(position=START, failed=[letter(1, "web", b"before")]))
    room = DeadLetterRoom(database, 100, lambda: now)
    other = DeadLetterRoom(journal_file(tmp_path / "journal.db"), 100, lambda: now)

    def check() -> None:
        room.look()
        sizes = counted(database)
        assert (room.size, room.letters) == (sum(sizes.values()), len(list(dead_letters(database, "org"))))
        assert room.full == sorted(source for source, size in sizes.items() if size >= 100)

    check()
    ledger.commit(Commit(position=START, failed=[letter(2, "web", b"x" * 80), letter(3, "app", b"y" * 90)]))
    check()
    assert room.full == []
    ledger.commit(
        Commit(position=START, failed=[letter(2, "app", b"x" * 80, "for a much longer reason, in \u00fctf-8")])
    )
    check()
    assert room.full == ["app"]
    ledger.commit(Commit(position=START, delivered=[digest(b"y" * 90, "lead", 0)]))
    check()
    with pytest.raises(SpoolFull):
        room.check("app")
    room.check("web")
    discard_dead_letters(database, [2])
    now += 2
    room.check("app")
    other.look()
    assert other.size == room.size
