"""What the Tracking API needs of what takes its events, and of what counts them."""

from collections.abc import Sequence
from typing import Protocol

from sfmap.engine.errors import SfmapError


class NotStored(SfmapError):
    """The events are not stored now; the client should send them again. The message says why."""


class Accepting(Protocol):
    async def accept(self, source: str, events: Sequence[bytes]) -> None:
        """Returns once the events are stored. Raises `SpoolFull`, `JournalFailed` or `NotStored`."""

    def check(self) -> None:
        """Whether events can be accepted now. Raises as `accept` does."""


class Counting(Protocol):
    @property
    def standing(self) -> str:
        """What becomes of accepted events now."""

    @property
    def state_trouble(self) -> str:
        """Why a shared journal cannot be reached; empty if all is well."""

    def accept(self, source: str, events: int) -> None:
        """Counts events that were accepted."""

    def refuse(self, path: str, status: int, message: str) -> None:
        """Counts a request that was refused."""

    def text(self) -> bytes:
        """The Prometheus exposition format, version 0.0.4."""
