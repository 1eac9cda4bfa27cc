"""What a run did: its counts, the outcomes of its events, and whether it finished."""

import os
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import TypedDict

import orjson

from sfmap.engine.api.dead_letter_lines import DeadLetters
from sfmap.engine.delivery.outcome import Fate
from sfmap.engine.delivery.report import Report
from sfmap.engine.delivery.summary_text import summary_text
from sfmap.engine.errors import SfmapError
from sfmap.engine.files.output import Results
from sfmap.engine.yaml_files.files import CannotRead


class OutcomeLine(TypedDict, total=False):
    """The outcome of one record, or of an event without one: a line of the results file."""

    event: int
    """The number of the event in the run, from 1."""
    file: str
    line: int
    messageId: str | None
    outcome: Fate
    mapping: str | None
    item: int
    """The item of the event's list, where a mapping makes a record of each."""
    object: str | None
    id: str | None
    """The id of the record, if the org has it."""
    reason: str | None
    """Why it was skipped, or why it failed."""
    notes: list[str]
    """What was cut or left out."""


class Outcomes:
    """The outcomes in a results file, read as they are iterated."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.size = 0
        """The bytes that belong to the run; set when it ends."""

    @classmethod
    def in_a_temporary_file(cls) -> "Outcomes":
        """A private file that is deleted with the object."""
        descriptor, name = tempfile.mkstemp(prefix="sfmap-", suffix=".ndjson")
        os.close(descriptor)
        outcomes = cls(name)
        weakref.finalize(outcomes, _delete, name)
        return outcomes

    def end_at(self, written: Results) -> None:
        self.size = written.size

    def __iter__(self) -> Iterator[OutcomeLine]:
        """Each outcome, in the order of the events. Raises `CannotRead`."""
        if not self.file:
            raise CannotRead("the outcomes of this run were not kept: run it with keep_outcomes or a results_file")
        try:
            with open(self.file, "rb") as lines:
                left = takewhile(lambda _: lines.tell() <= self.size, iter(lines.readline, b""))
                yield from map(orjson.loads, left)
        except OSError as error:
            raise CannotRead(f"cannot read {self.file}: {error.strerror}") from None


def _delete(file: str) -> None:
    if os.path.exists(file):
        os.unlink(file)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a run did, together with earlier runs over the same source that did not finish."""

    summary: Report
    outcomes: Outcomes
    """An iterable of `OutcomeLine`: of this run, or with a results file of all runs over the source."""
    dead_letters: DeadLetters
    """An iterable of `DeadLetterLine`: the records that failed, in this run or before, and were not delivered."""
    error: SfmapError | None = None
    """Why the run ended early; None if every event has its outcome."""
    is_resumable: bool = True
    """Whether the same call continues a run that ended early: not if the source can be read only once."""
    undelivered: int | None = None
    """Of a source that can be read only once: how many events were read and not delivered."""

    @property
    def finished(self) -> bool:
        """Whether every event has its outcome; records may have failed nevertheless."""
        return self.error is None

    @property
    def events(self) -> int:
        """How many events have their outcome: all up to this one."""
        return self.summary.events

    @property
    def created(self) -> int:
        return self.summary.fates["created"]

    @property
    def updated(self) -> int:
        return self.summary.fates["updated"]

    @property
    def deleted(self) -> int:
        return self.summary.fates["deleted"]

    @property
    def unchanged(self) -> int:
        return self.summary.fates["unchanged"]

    @property
    def skipped(self) -> int:
        return self.summary.fates["skipped"]

    @property
    def failed(self) -> int:
        """How many records failed for good: they are kept as dead letters."""
        return self.summary.fates["failed"]

    @property
    def held(self) -> int:
        """How many records wait in the journal, for a write in doubt or a bulk job: see docs/reliability.md."""
        return self.summary.held

    @property
    def failures(self) -> dict[str, int]:
        """By reason, how many records failed."""
        return dict(self.summary.failed)

    @property
    def seconds(self) -> float:
        return self.summary.seconds

    def raise_for_error(self) -> "RunReport":
        """Returns the report of a run that finished; raises its `error` if it ended early."""
        if self.error:
            raise self.error
        return self

    def as_dict(self) -> dict[str, object]:
        """All counts with their reasons, API calls and seconds: the content of a report file."""
        return self.summary.as_json()

    def __str__(self) -> str:
        """The summary as text."""
        return summary_text(self.summary)

    def __repr__(self) -> str:
        counts = {name: count for name, count in self.summary.fates.items() if count}
        how = "finished" if self.finished else f"ended early: {self.error}"
        return f"<RunReport of {self.events} events, {how}: {counts}>"
