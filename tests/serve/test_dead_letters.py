"""Dead letters have bounds: who fills them up keeps nobody else out, and whoever makes room is heard again."""

from pathlib import Path

import pytest

from sfmap.engine.journal.database import Database
from sfmap.engine.journal.dead_letter_store import DeadLetterRoom, dead_letters, discard_dead_letters
from sfmap.engine.journal.ledger import Commit, Ledger, Letter, RecordKey, digest
from sfmap.engine.journal.spool import SpoolFull
from sfmap.engine.sources.event_source import START

from ..service import PROJECT, SECRETS, Service

OPTED_IN = {"Salesforce": True}


def fail(service: Service, message: str, key: str) -> int:
    """An event that no Lead can be made of; the status of its answer."""
    body = {"writeKey": SECRETS[key], "messageId": message, "traits": {"x": "y" * 3_000}, "integrations": OPTED_IN}
    return service.ask("/v1/identify", body).status


def test_who_fills_them_up_is_refused_until_there_is_room(service: Service) -> None:
    project = PROJECT.replace("serve:\n", "serve:\n  dead_letter_megabytes: 0.01\n")
    (service.folder.path / "sfmap.yaml").write_text(project)
    service.start()
    statuses = []
    for number in range(6):
        statuses.append(fail(service, str(number), "WEBSITE_KEY"))
        service.wait_until_delivered()
    assert statuses == [200, 200, 200, 200, 503, 503]
    refused = service.ask("/v1/page", {"writeKey": SECRETS["WEBSITE_KEY"]})
    assert (refused.status, refused.headers["retry-after"]) == (503, "30")
    assert b"too many events of this source have failed" in refused.body
    assert "Too many events of website have failed" in service.ask("/").body.decode()
    assert service.metric("sfmap_dead_letters") == 4
    assert service.metric("sfmap_dead_letter_bytes") > 12_000
    # Others are heard, and who comes again after a restart is not.
    assert fail(service, "other", "SERVER_KEY") == 200
    service.wait_until_delivered()
    assert service.stop() == 0
    service.start()
    assert fail(service, "again", "WEBSITE_KEY") == 503
    # Another program makes room.
    discarded = service.folder.sfmap("dead-letters", "--reason", "Email is required", "--discard")
    assert discarded.returncode == 0, discarded.stderr
    assert service.wait_for(lambda: fail(service, "again", "WEBSITE_KEY") == 200)


def letter(number: int, source: str, raw: bytes, reason: str = "no") -> Letter:
    return Letter(RecordKey(number, "", "lead", 0), source, number, "Lead", reason, raw)


def counted(database: Database) -> dict[str, int]:
    """As whoever looks at each letter counts."""
    sizes: dict[str, int] = {}
    for one in dead_letters(database, "org"):
        sizes[one.file] = sizes.get(one.file, 0) + len(one.raw) + len(one.reason.encode())
    return sizes


def test_the_count_follows_whatever_happens_to_letters(tmp_path: Path) -> None:
    now = 0.0
    database = Database(tmp_path / "journal.db")
    ledger = Ledger(database, "org", "spool")
    ledger.commit(Commit(START, failed=[letter(1, "web", b"before")]))
    room = DeadLetterRoom(database, 100, lambda: now)
    other = DeadLetterRoom(Database(tmp_path / "journal.db"), 100, lambda: now)

    def check() -> None:
        room.look()
        sizes = counted(database)
        assert (room.size, room.letters) == (sum(sizes.values()), len(list(dead_letters(database, "org"))))
        assert room.full == sorted(source for source, size in sizes.items() if size >= 100)

    check()
    ledger.commit(Commit(START, failed=[letter(2, "web", b"x" * 80), letter(3, "app", b"y" * 90)]))
    check()
    assert room.full == []
    ledger.commit(Commit(START, failed=[letter(2, "app", b"x" * 80, "for a much longer reason, in \u00fctf-8")]))
    check()
    assert room.full == ["app"]
    ledger.commit(Commit(START, delivered=[digest(b"y" * 90, "lead", 0)]))
    check()
    with pytest.raises(SpoolFull):
        room.check("app")
    room.check("web")
    discard_dead_letters(database, [2])
    now += 2
    room.check("app")
    other.look()
    assert other.size == room.size
