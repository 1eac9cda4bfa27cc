"""Where a project keeps its journal and spool, and who may deliver: a port with two implementations."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from sfmap.engine.errors import ExitCode, SfmapError
from sfmap.engine.journal.database import Database
from sfmap.engine.journal.service_nodes import Nodes
from sfmap.engine.journal.spool import Bounds, Spool


class LeaseLost(SfmapError):
    """This process may no longer deliver to the org: another has taken over, or may have done so by now."""

    exit_code = ExitCode.NOT_FINISHED


class LeaseTaken(SfmapError):
    """Another process delivers to the org; the message says which."""


class Lease(Protocol):
    """The right to deliver to an org. Only one process has it, or one for each part of the events."""

    @property
    def database(self) -> Database:
        """The journal, whose transactions raise `LeaseLost` once another process has the lease."""

    def is_wanted(self) -> bool:
        """Whether a run waits for it, to which a service gives way between two windows. Raises `JournalFailed`."""


class State(Protocol):
    """The journal and the spool of a project."""

    @property
    def journal(self) -> Database:
        """For what needs no lease."""

    def deliver_alone(self, command: str) -> AbstractContextManager[None]:
        """Locks the folder of the project, if only one process may use it. Raises `ProjectBusy`.

        `command` is shown to others that find it locked.
        """

    def lease(
        self,
        org: str,
        command: str,
        *,
        part: str = "",
        gives_way: bool = False,
        wait: Callable[[], object] | None = None,
    ) -> AbstractContextManager[Lease]:
        """The right to deliver to an org, by its key in the journal, until the context ends.

        With a `part` others may deliver other parts to the same org at the same time, but nobody all of it.
        `command` is shown to others. One that `gives_way` asks `is_wanted` between two windows, and ends the
        context. With `wait`, it stands in line for a lease whose holder gives way; the function is called about
        each half second, and may raise to give up.

        Raises `LeaseTaken` or `JournalFailed`.
        """

    def check_leases(self) -> None:
        """To be called right before each API call. Raises `LeaseLost` if a lease that was taken may be over."""

    def spool(self, org_entry: str, bounds: Bounds) -> AbstractContextManager[Spool]:
        """The queue of events for an org of sfmap.yaml. Raises `JournalFailed`."""

    def open_history(self) -> Database:
        """A new connection to the history, which is created if there is none.

        Raises `JournalFailed`, of a history that cannot be read `JournalUnreadable`.
        """

    def set_history_aside(self) -> str:
        """Renames a history that cannot be read; returns what it is called now. Raises `JournalFailed`."""

    def nodes(self, org_entry: str) -> Nodes | None:
        """The processes that accept events for an org of sfmap.yaml; None if there can be one only."""
