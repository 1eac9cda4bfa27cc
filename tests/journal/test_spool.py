"""The spool: limited in size and age, with numbers that are never given twice."""

from pathlib import Path

import pytest

from sfmap.engine.journal.spool import Bounds, SpoolFull
from sfmap.engine.journal.spool_file import SpoolFile


def test_events_are_read_in_order_and_removed(tmp_path: Path) -> None:
    spool = SpoolFile(tmp_path / "spool.db", Bounds())
    spool.append([("web", [b"1", b"2"]), ("app", [b"3"])])
    found = spool.after(0, 2, 100)
    assert [(one.number, one.source, one.event) for one in found] == [(1, "web", b"1"), (2, "web", b"2")]
    spool.remove(2)
    assert [one.event for one in spool.after(2, 10, 100)] == [b"3"]
    assert (spool.events, spool.size) == (1, 1)
    spool.close()
    again = SpoolFile(tmp_path / "spool.db", Bounds())
    assert (again.events, again.size) == (1, 1)
    again.remove(3)
    again.append([("web", [b"4"])])
    assert again.after(0, 10, 100)[0].number == 4


def test_a_read_is_limited_by_bytes(tmp_path: Path) -> None:
    spool = SpoolFile(tmp_path / "spool.db", Bounds())
    spool.append([("web", [b"12345"] * 9)])
    taken = [len(spool.after(0, 9, most_bytes)) for most_bytes in (1, 6, 21, 100)]
    assert taken == [1, 2, 5, 9]


def test_a_new_spool_continues_the_numbers(tmp_path: Path) -> None:
    spool = SpoolFile(tmp_path / "spool.db", Bounds(), after=41)
    spool.append([("web", [b"x"])])
    assert spool.after(41, 1, 100)[0].number == 42


def test_a_full_or_old_spool_refuses_events(tmp_path: Path) -> None:
    now = 1_000.0
    spool = SpoolFile(tmp_path / "spool.db", Bounds(size=10, age=3_600), clock=lambda: now)
    spool.check_room()
    spool.append([("web", [b"12345"])])
    spool.check_room()
    now += 3_601
    with pytest.raises(SpoolFull, match="more than 1 hour"):
        spool.check_room()
    now -= 3_601
    spool.append([("web", [b"67890"])])
    with pytest.raises(SpoolFull, match="2 events waiting"):
        spool.check_room()
    spool.remove(2)
    spool.check_room()
    assert spool.age == 0
