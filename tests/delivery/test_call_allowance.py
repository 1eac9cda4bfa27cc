"""Where events never pause, windows that are not full wait so that the org's calls of a day last all day."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.delivery.call_allowance import CallAllowance
from sfmap.engine.org.port import ApiUsage, Org

DAY = 86_400
LINGER = 1.0


@dataclass
class SpentOrg:
    """An org that counts calls, in its own time."""

    limit: int
    reserved: int = 0
    others: float = 0.0
    """The calls of other programs."""
    made: int = 0
    now: float = 0.0

    def calls(self) -> Mapping[str, int]:
        return {"upsert": self.made}

    def usage(self) -> ApiUsage:
        return ApiUsage(self.made + round(self.others), self.limit, self.reserved)

    def deliver(self, seconds: float, calls: int, of_others: float = 0.0) -> list[float]:
        """How long each window waits where events never pause and a window takes so many calls."""
        allowance = CallAllowance(cast(Org, self), lambda: self.now)
        waits = []
        while self.now < seconds:
            began = self.now
            self.now += LINGER
            while wait := allowance.due_in():
                self.now += wait + 1e-6
            self.made += calls
            self.others += (self.now - began) * of_others
            waits.append(self.now - began)
        return waits


@given(
    limit=st.integers(15_000, 40_000),
    reserve=st.floats(0, 0.5),
    calls=st.integers(1, 8),
    of_others=st.floats(0, 0.3),
)
def test_the_calls_of_a_day_last_all_day(limit: int, reserve: float, calls: int, of_others: float) -> None:
    """Also if other programs use up to 30 % of what is not reserved."""
    org = SpentOrg(limit, reserved=round(limit * reserve))
    org.deliver(DAY, calls, of_others * (limit - org.reserved) / DAY)
    assert org.usage().used <= limit - org.reserved


def test_a_burst_does_not_wait() -> None:
    waits = SpentOrg(100_000).deliver(1_500, 2)
    assert max(waits) < LINGER * 1.01


def test_most_of_the_calls_are_used() -> None:
    org = SpentOrg(100_000)
    waits = org.deliver(DAY, 2)
    assert org.made > 60_000
    assert max(waits) < 6


def test_nothing_waits_for_longer_than_five_minutes() -> None:
    assert max(SpentOrg(100, reserved=10).deliver(DAY, 4)) <= 300 + LINGER + 1


def test_few_events_never_wait() -> None:
    """Nothing waits if a window begins every ten seconds."""
    org = SpentOrg(100_000)
    allowance = CallAllowance(cast(Org, org), lambda: org.now)
    waits = []
    for _ in range(DAY // 10):
        org.now += 10
        waits.append(allowance.due_in())
        org.made += 2
    assert max(waits) == 0
