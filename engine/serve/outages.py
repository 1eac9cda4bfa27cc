"""Pauses of delivery while the org, the journal or a secret is unavailable: how long, and what the log says."""

from sfmap.engine.errors import SfmapError
from sfmap.engine.journal.database import JournalOutOfReach
from sfmap.engine.local_org.process import LocalOrgFailed
from sfmap.engine.org.port import LimitReached, OrgError, OrgOutOfReach, OrgUnavailable, SignInRefused
from sfmap.engine.project.secrets import SecretMissing
from sfmap.engine.serve.log import Log
from sfmap.engine.serve.metrics import Metrics
from sfmap.engine.wiring.org_opening import OpenOrg
from sfmap.engine.yaml_files.files import CannotRead

_LONGEST_PAUSE = 60.0
_LONGEST_WITHOUT_JOURNAL = 5.0
"""Trying to reach a database costs nothing, and it may be back soon, or its successor."""
_LIMIT_PAUSE = 3600.0
"""Finding out whether calls are available again takes calls, so it is done rarely."""


class Outages:
    def __init__(self, metrics: Metrics, log: Log) -> None:
        self._metrics = metrics
        self._log = log
        self._failures = 0
        """How often delivery has failed since it last succeeded."""
        self._is_of_journal = False
        """Whether it was the journal that failed last."""

    @property
    def is_under_way(self) -> bool:
        return self._failures > 0

    def begin(self, error: SfmapError) -> float | None:
        """Logs the problem; returns how long to wait, None for until the project is read again.

        A refused sign-in is not retried before that: the org might lock the user.
        """
        longest = _LONGEST_WITHOUT_JOURNAL if isinstance(error, JournalOutOfReach) else _LONGEST_PAUSE
        seconds: float | None = min(longest, 2.0 ** min(self._failures, 6))
        if isinstance(error, (SignInRefused, LimitReached)):
            seconds = _LIMIT_PAUSE if isinstance(error, LimitReached) else None
        self._failures += 1
        self._is_of_journal = isinstance(error, JournalOutOfReach)
        trouble = str(error) if isinstance(error, OrgError) else f"{str(error).rstrip('.')}."
        self._metrics.trouble = trouble
        when = "" if seconds is None else f"in {seconds:g} s, or "
        self._log(
            "error",
            f"{trouble} Accepted events wait in the spool; delivery starts again {when}when the"
            " project is read again (SIGHUP).",
        )
        return seconds

    def stand_by(self) -> None:
        """Notes that another node delivers: an outage of the journal is over, one of the org may not be."""
        if self._is_of_journal:
            self.end()
        self._metrics.trouble = ""

    def end(self) -> None:
        """Notes that delivery works."""
        if self._failures:
            self._log("info", "Delivery continues.")
        self._failures = 0
        self._metrics.trouble = ""


def must_open_again(error: SfmapError, opened: OpenOrg) -> bool:
    """Whether the org must be opened again: with credentials that may have been corrected, or after a restart.

    Also after a limit, since only a call shows whether calls are available again.
    """
    if opened.is_local and isinstance(error, OrgUnavailable):
        return True
    return isinstance(
        error, (SignInRefused, OrgOutOfReach, LimitReached, LocalOrgFailed, SecretMissing, CannotRead)
    )
