"""The bulk jobs of an org through Bulk API 2.0."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from sfmap.engine.messages.counts import counted
from sfmap.engine.org.bulk.job_requests import JobRequests, JsonObject
from sfmap.engine.org.bulk.result_files import count_rows, leave_whole_lines, read_outcomes
from sfmap.engine.org.bulk_csv import DamagedCsv
from sfmap.engine.org.bulk_port import (
    AnsweredRow,
    BulkOperation,
    JobData,
    JobLook,
    ListedJob,
    Load,
    ResultsLackRows,
)
from sfmap.engine.org.port import CallRefused, OrgUnavailable, WriteOptions
from sfmap.engine.org.soap.api_access import ApiAccess

_OPERATIONS: dict[BulkOperation, str] = {
    "create": "insert",
    "update": "update",
    "upsert": "upsert",
    "delete": "delete",
}
_OURS: dict[str, BulkOperation] = {name: operation for operation, name in _OPERATIONS.items()}
_FIRST_VERSION = 57
"""From here on columns name the object of a polymorphic parent by its full API name."""
_SUCCESSFUL, _FAILED, _UNPROCESSED = "successfulResults", "failedResults", "unprocessedrecords"


class IngestJobs:
    """A `BulkOrg`, with the sign-in, the connections and the count of calls of a `SoapOrg`. Thread-safe."""

    def __init__(self, access: ApiAccess, folder: Path | None = None) -> None:
        """Results wait in temporary files in `folder`, or else where the system keeps them."""
        self._settings = access.settings
        self._user_id = access.user_id
        self._requests = JobRequests(access)
        self._folder = folder

    def why_not(self, load: Load) -> str:
        version = self._settings.api_version
        if int(version.partition(".")[0]) < _FIRST_VERSION:
            return f"bulk jobs need API version {_FIRST_VERSION}.0, and this is {version}"
        return _without_header(load.options.over(self._settings.options), load.operation)

    def open(self, load: Load) -> str:
        sent = {
            "object": load.object_name,
            "operation": _OPERATIONS[load.operation],
            "contentType": "CSV",
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }
        if load.operation == "upsert":
            sent["externalIdFieldName"] = load.external_id
        rule = load.options.over(self._settings.options).assignment_rule
        if rule and load.operation != "delete":
            sent["assignmentRuleId"] = rule
        job_id = _text(self._requests.send("createJob", "POST", "", sent), "id")
        if not job_id:
            raise self._requests.unreadable("createJob", "a job without an id")
        return job_id

    def upload(self, job_id: str, data: JobData) -> None:
        self._requests.put_csv("uploadJob", f"/{job_id}/batches", data)

    def close(self, job_id: str) -> None:
        self._requests.send("closeJob", "PATCH", f"/{job_id}", {"state": "UploadComplete"})

    def abort(self, job_id: str) -> None:
        self._requests.send("abortJob", "PATCH", f"/{job_id}", {"state": "Aborted"})

    def delete(self, job_id: str) -> None:
        self._requests.delete("deleteJob", f"/{job_id}")

    def look(self, job_id: str) -> JobLook | None:
        try:
            said = self._requests.ask("jobInfo", f"/{job_id}")
        except CallRefused as error:
            if error.code == "NOTFOUND":
                return None
            raise
        operation, state = _OURS.get(_text(said, "operation")), _text(said, "state")
        if operation is None or not state:
            raise self._requests.unreadable("jobInfo", "something that is not a job")
        return JobLook(
            id=job_id,
            operation=operation,
            object_name=_text(said, "object"),
            state=state,
            processed=_number(said, "numberRecordsProcessed"),
            failed=_number(said, "numberRecordsFailed"),
            error_message=_text(said, "errorMessage"),
        )

    def results(self, job: JobLook, rows: int, *, may_lack: bool = False) -> Iterator[AnsweredRow]:
        with ExitStack() as stack:
            for file in self._result_files(job, rows, stack, may_lack):
                try:
                    yield from read_outcomes(file, upserts=job.operation == "upsert")
                except DamagedCsv as damage:
                    if not may_lack:
                        raise self._lacking(f"results that cannot be read ({damage})") from None

    def _result_files(self, job: JobLook, rows: int, stack: ExitStack, may_lack: bool) -> Sequence[BinaryIO]:
        """The files that together have so many rows: the later ones are not asked for if the earlier ones do."""
        names = [_FAILED, _SUCCESSFUL] if job.failed >= rows else [_SUCCESSFUL, _FAILED]
        if job.state != "JobComplete":
            names.append(_UNPROCESSED)
        files: list[BinaryIO] = []
        seen = 0
        for name in names:
            try:
                file = stack.enter_context(TemporaryFile(dir=self._folder))  # noqa: SIM115 - the stack closes it
                self._requests.fetch("jobResults", f"/{job.id}/{name}", file)
                if may_lack:
                    leave_whole_lines(file)
                else:
                    seen += count_rows(file)
            except DamagedCsv as damage:
                raise self._lacking(f"results that are cut short ({damage})") from None
            except OSError as error:
                raise _no_room(error) from None
            files.append(file)
            if seen >= rows:
                break
        if seen != rows and not may_lack:
            raise self._lacking(f"the outcomes of {counted(seen, 'row')} where the job has {rows:,}")
        return files

    def _lacking(self, what: str) -> ResultsLackRows:
        error = self._requests.unreadable("jobResults", what)
        return ResultsLackRows(error.message, hint=error.hint)

    def recent(self, since: datetime) -> Sequence[ListedJob]:
        user_id = self._user_id()
        found: list[ListedJob] = []
        path = "?jobType=V2Ingest"
        while path:
            page = self._requests.ask("jobInfo", path)
            records = page.get("records")
            if not isinstance(records, list):
                raise self._requests.unreadable("jobInfo", "a list without jobs")
            ours = (one for one in records if isinstance(one, dict) and _text(one, "createdById") == user_id)
            found += map(self._listed, ours)
            path = _text(page, "nextRecordsUrl")
        return sorted((job for job in found if job.created >= since), key=lambda job: job.created)

    def _listed(self, said: JsonObject) -> ListedJob:
        try:
            created = datetime.fromisoformat(_text(said, "createdDate"))
        except ValueError:
            raise self._requests.unreadable("jobInfo", "a job without the date of its creation") from None
        return ListedJob(
            id=_text(said, "id"),
            operation=_text(said, "operation"),
            object_name=_text(said, "object"),
            state=_text(said, "state"),
            created=created,
        )


def _no_room(error: OSError) -> OrgUnavailable:
    return OrgUnavailable(
        f"The results of a bulk job cannot be kept on this machine: {error.strerror or error}.",
        hint="Make room where temporary files are kept, or set TMPDIR to another folder. The org keeps the results"
        " for seven days.",
    )


def _without_header(options: WriteOptions, operation: BulkOperation) -> str:
    """Why jobs cannot write with these options; empty if they can, such as with those that ask for the default."""
    if options.all_or_none:
        return "all_or_none: a bulk job writes its records independently"
    if options.package_versions:
        return "package_versions: bulk jobs have no such header"
    if options.send_emails:
        return "send_emails: bulk jobs have no such header"
    if operation == "delete":
        return ""
    if options.assignment_rule in ("default", "off"):
        return f"assignment_rule: {options.assignment_rule}: a bulk job takes only the id of a rule"
    if options.allow_duplicates:
        return "allow_duplicates: bulk jobs have no such header"
    if options.truncate:
        return "truncate: bulk jobs have no such header"
    return ""


def _text(said: JsonObject, name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""


def _number(said: JsonObject, name: str) -> int:
    value = said.get(name)
    return value if isinstance(value, int) else 0
