"""What the nodes of a service that share a state tell one another: a port."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceNode:
    """A process that accepts events, as others see it. Times are in seconds ago."""

    name: str
    started: float
    seen: float
    accepted: int
    """The events that it has accepted since it started."""
    delivered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer:
    """The process that delivers to an org."""

    name: str
    command: str
    since: float
    """Seconds ago."""


class Nodes(Protocol):
    """The nodes for one org of sfmap.yaml. Thread-safe; every method may raise `JournalFailed`."""

    @property
    def own_name(self) -> str:
        """The name of this process."""

    def tell(self, accepted: int, delivered: int) -> None:
        """Tells the others that this process runs, and what it has done since it started."""

    def leave(self) -> None:
        """Tells the others that this process ends."""

    def all(self) -> Sequence[ServiceNode]:
        """This one and the others that told something not long ago, the first that started first."""

    def deliverer(self, org: str) -> Deliverer | None:
        """The process that delivers to the org of that key now."""

    def wish(self, org: str, letters: Iterable[int]) -> None:
        """Asks the one that delivers to the org to deliver dead letters again; 0 stands for all."""

    def wishes(self, org: str) -> Sequence[int]:
        """The dead letters that are to be delivered again, the earliest wish first."""

    def forget(self, org: str, letter: int) -> None:
        """Removes a wish."""
