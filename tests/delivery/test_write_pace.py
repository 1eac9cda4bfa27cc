"""`--connections auto`: as many writes at once as the org bears, found by an org that is simulated in its time."""

import heapq
from contextlib import AbstractContextManager, suppress

import pytest

from sfmap.engine.delivery.write_pace import MOST_CONNECTIONS, WritePace

RECORDS = 200


class SimulatedOrg:
    """Answers each write after a second, and later if more than `bears` are under way."""

    def __init__(self, bears: int) -> None:
        self.bears = bears
        self.now = 0.0
        self.pace = WritePace("auto", lambda: self.now)
        self._calls: list[tuple[float, int, AbstractContextManager[bool]]] = []
        self._sent = 0

    def send(self, writes: int) -> None:
        """Sends so many writes, each as soon as one may be sent."""
        for _ in range(writes):
            while len(self._calls) >= self.pace.limit:
                self._answer()
            call = self.pace.one_write(RECORDS, lambda: False)
            call.__enter__()
            self._sent += 1
            seconds = max(1.0, (len(self._calls) + 1) / self.bears)
            heapq.heappush(self._calls, (self.now + seconds, self._sent, call))
        while self._calls:
            self._answer()

    def _answer(self) -> None:
        self.now, _, call = heapq.heappop(self._calls)
        with suppress(StopIteration):
            call.__exit__(None, None, None)


@pytest.mark.parametrize(("bears", "fewest", "most"), [(1, 4, 4), (6, 4, 9), (12, 9, 13), (100, 25, 25)])
def test_connections_grow_while_the_org_delivers_more_by_them(bears: int, fewest: int, most: int) -> None:
    org = SimulatedOrg(bears)
    org.send(1_500)
    assert fewest <= org.pace.limit <= most
    assert org.pace.found().startswith(f"{org.pace.limit}, up to ")


def test_a_refusal_for_load_takes_connections_back() -> None:
    org = SimulatedOrg(100)
    org.send(1_500)
    org.pace.too_many("the org refused records: UNABLE_TO_LOCK_ROW")
    assert org.pace.limit == MOST_CONNECTIONS * 3 // 4
    assert org.pace.found() == "18, up to 25: the org refused records: UNABLE_TO_LOCK_ROW"
    for _ in range(20):
        org.pace.too_many("again")
    assert org.pace.limit == 1


def test_a_refusal_is_told_though_few_writes_were_measured_until_more_are_borne() -> None:
    org = SimulatedOrg(100)
    org.pace.too_many("the org refused more calls at once: REQUEST_LIMIT_EXCEEDED")
    org.send(15)
    assert org.pace.found() == "3, up to 3: the org refused more calls at once: REQUEST_LIMIT_EXCEEDED"
    org.send(1_500)
    assert org.pace.found() == "25, up to 25: the most that is tried"


def test_few_writes_change_nothing() -> None:
    org = SimulatedOrg(100)
    org.send(15)
    assert (org.pace.limit, org.pace.found()) == (4, "")


def test_a_number_stays_what_it_is() -> None:
    pace = WritePace(7)
    pace.too_many("the org refused records: UNABLE_TO_LOCK_ROW")
    assert (pace.limit, pace.most, pace.found()) == (7, 7, "")
