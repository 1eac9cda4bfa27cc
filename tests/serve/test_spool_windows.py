"""How long accepted events wait for others."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from sfmap.engine.delivery.call_allowance import CallAllowance
from sfmap.engine.delivery.windows import WINDOW_SIZE
from sfmap.engine.journal.spool import Bounds
from sfmap.engine.journal.spool_file import SpoolFile
from sfmap.engine.org.port import Org
from sfmap.engine.serve.spool_windows import SpoolWindows

from ..delivery.test_call_allowance import SpentOrg

PLENTY = CallAllowance(cast(Org, SpentOrg(limit=100_000)))


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[SpoolFile]:
    with closing(SpoolFile(tmp_path / "spool.db", Bounds(), clock=lambda: 0.0)) as ready:
        yield ready


def test_an_event_that_waited_while_there_was_no_room_does_not_wait_again(spool: SpoolFile) -> None:
    now = [0.0]
    windows = SpoolWindows(spool, 0, linger=10.0, allowance=PLENTY, clock=lambda: now[0])
    spool.append([("web", [b"1"] * WINDOW_SIZE)])
    windows.look()
    assert len(windows.next(WINDOW_SIZE)) == WINDOW_SIZE
    spool.append([("web", [b"2"])])
    windows.look()  # and takes nothing
    now[0] = 10.0
    windows.look()
    assert [one.event for one in windows.next(WINDOW_SIZE)] == [b"2"]


def test_an_event_behind_a_full_window_waits_no_longer_than_others(spool: SpoolFile) -> None:
    now = [0.0]
    windows = SpoolWindows(spool, 0, linger=10.0, allowance=PLENTY, clock=lambda: now[0])
    spool.append([("web", [b"1"] * WINDOW_SIZE), ("web", [b"2"])])
    windows.look()
    now[0] = 6.0
    assert len(windows.next(WINDOW_SIZE)) == WINDOW_SIZE
    windows.look()
    assert windows.next(WINDOW_SIZE) == []
    now[0] = 10.0
    windows.look()
    assert [one.event for one in windows.next(WINDOW_SIZE)] == [b"2"]
