"""What delivery needs of an org's bulk jobs: each writes many records of one object in the background."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sfmap.engine.org.port import (
    NO_OPTIONS,
    CallRefused,
    OrgUnavailable,
    Refused,
    WriteOptions,
    Written,
)

BulkOperation = Literal["create", "update", "upsert", "delete"]

LARGEST_JOB = 100_000_000
"""The most bytes of CSV that one job takes (Bulk API 2.0 Developer Guide, "Limits")."""

ENDED = frozenset({"JobComplete", "Failed", "Aborted"})
"""The states of a job that changes nothing more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one job does with each of its rows."""

    operation: BulkOperation
    object_name: str
    external_id: str = ""
    """For an upsert, the field by which the org finds the records."""
    options: WriteOptions = NO_OPTIONS


class JobData(Protocol):
    """The CSV of one job, which can be read several times."""

    def __len__(self) -> int:
        """The number of bytes."""

    def __iter__(self) -> Iterator[bytes]:
        """The bytes, in pieces of any size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLook:
    """A job as the org shows it."""

    id: str
    operation: BulkOperation
    object_name: str
    state: str
    """Open, UploadComplete (it waits), InProgress, or one of `ENDED`."""
    processed: int = 0
    """The rows processed so far, with those that failed."""
    failed: int = 0
    error_message: str = ""
    """Why a job has failed as a whole."""

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedJob:
    """A job as the org lists it, without its external id, its size and its counters."""

    id: str
    operation: str
    """In the API's words: insert, update, upsert, delete or hardDelete."""
    object_name: str
    state: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Unprocessed:
    """A row that a failed or aborted job has not processed: nothing was written."""


RowOutcome = Written | Refused | Unprocessed


@dataclass(frozen=True, slots=True)
class AnsweredRow:
    """One row of a job's results: its outcome, and its cells as they were sent, in any order of rows."""

    outcome: RowOutcome
    cells: Mapping[str, str]
    """By column; without the empty ones."""


class NoBulkJobs(CallRefused):
    """The org takes no bulk jobs of this user, whatever they write."""


class ResultsLackRows(OrgUnavailable):
    """The results of a job are not those of all its rows. They may be later."""


class BulkOrg(Protocol):
    """The bulk jobs of an org. Every method may raise `OrgError`, as the calls of `Org` do.

    An error with `maybe_applied` means that the org may have executed the request although no answer came.
    """

    def why_not(self, load: Load) -> str:
        """Why this load must be written by `Org` instead, such as a header that jobs do not have; or empty."""

    def open(self, load: Load) -> str:
        """Creates a job and returns its id. The org processes nothing before the job is closed.

        If the answer is lost, an empty job may be left, which the org removes by itself.
        """

    def upload(self, job_id: str, data: JobData) -> None:
        """Sends the data of a job, once: a second upload spoils the job.

        If the answer is lost, abort the job and open another: nothing has been processed.
        """

    def close(self, job_id: str) -> None:
        """Has the org process the job. If the answer is lost, `look` shows whether the job is still Open."""

    def look(self, job_id: str) -> JobLook | None:
        """The job as it is now; None if the org does not know it (any more)."""

    def results(self, job: JobLook, rows: int, *, may_lack: bool = False) -> Iterator[AnsweredRow]:
        """The outcomes of all rows of a job that has ended; `rows` is the number of rows that it was given.

        Everything is fetched and counted before the first row is given. Raises `ResultsLackRows` if rows are
        missing, unless they `may_lack`: ask again.
        """

    def abort(self, job_id: str) -> None:
        """Ends a job. Rows that were written stay written; `results` tells which."""

    def delete(self, job_id: str) -> None:
        """Removes a job that has ended, with its data and results."""

    def recent(self, since: datetime) -> Sequence[ListedJob]:
        """The ingest jobs that this user has created since then, oldest first, by whichever program."""
