"""Ingest jobs of Bulk API 2.0: created, given data once, closed, watched, and their results."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.bulk.bulk_jobs import ENDED, BulkJob, BulkJobs, JobType
from sfmap.engine.local_org.bulk.csv_columns import read_columns
from sfmap.engine.local_org.bulk.csv_dialects import CsvTable, InvalidBatch, csv_text, read_table
from sfmap.engine.local_org.bulk.job_json import (
    check_change,
    counters,
    csv_response,
    invalid_job,
    job_head,
    parsed_json,
    sent_dialect,
    sent_job,
    whole_job,
    wrong_state,
)
from sfmap.engine.local_org.bulk.job_lists import job_list
from sfmap.engine.local_org.bulk.job_parts import read_parts
from sfmap.engine.local_org.bulk.job_runner import JobRunner
from sfmap.engine.local_org.bulk.job_targets import checked_target
from sfmap.engine.local_org.bulk.row_results import (
    FILES,
    UNPROCESSED,
    RowResult,
    read_results,
    results_file,
    with_columns,
)
from sfmap.engine.local_org.faults.org_faults import Fault, unexpected
from sfmap.engine.local_org.rest.rest_call import LaterResponse, RestCall, fault_response, not_found
from sfmap.engine.local_org.rest.rest_router import RestResource

_LARGEST_UPLOAD = 150 * 1024 * 1024 * 3 // 4
"""In bytes; Salesforce takes 150 MB of base64."""
_FIRST_VERSION = 41
_LARGEST_PART = 100_000
"""In characters, for data sent with the request that creates the job."""
_MEMBERS = (
    "object", "operation", "externalIdFieldName", "contentType", "lineEnding", "columnDelimiter",
    "assignmentRuleId",
)  # fmt: skip
_JOB = "/jobs/ingest/{job}"


class IngestApi:
    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner

    def resources(self) -> tuple[RestResource, ...]:
        resources = (
            RestResource(path="/jobs/ingest", methods=("POST",), resource=self._create, operation="createJob"),
            RestResource(path="/jobs/ingest", resource=_listed, operation="jobInfo"),
            RestResource(path=_JOB, resource=_info, operation="jobInfo"),
            RestResource(
                path=_JOB,
                methods=("PATCH",),
                resource=self._change,
                operation="closeJob",
                operations={b"Aborted": "abortJob"},
            ),
            RestResource(path=_JOB, methods=("DELETE",), resource=_delete, operation="deleteJob"),
            RestResource(
                path=f"{_JOB}/batches",
                methods=("PUT",),
                resource=_upload,
                operation="uploadJob",
                largest=_LARGEST_UPLOAD,
            ),
            RestResource(path=f"{_JOB}/{{file}}", resource=_results, operation="jobResults"),
        )
        return tuple(replace(one, since=_FIRST_VERSION) for one in resources)

    def _create(self, call: RestCall) -> Response:
        jobs = BulkJobs(call.store)
        jobs.expire()
        content_type = call.headers.get("content-type", "")
        if not content_type.startswith("multipart/form-data"):
            return JSONResponse(whole_job(_created(jobs, call, call.json())))
        asked, content = read_parts(content_type, call.body)
        if len(content.decode("utf-8", "replace")) > _LARGEST_PART:
            raise invalid_job(f"The content of a multipart request has at most {_LARGEST_PART:,} characters")
        job = _created(jobs, call, parsed_json(asked))
        jobs.add_batch(job, content)
        return JSONResponse(whole_job(self._closed(jobs, jobs.change(job, uploads=1))))

    def _change(self, call: RestCall) -> Response:
        jobs = BulkJobs(call.store)
        job = _found(jobs, call)
        match sent_job(call.json(), ("state",)).get("state"):
            case "UploadComplete":
                check_change(job, "Closing", "Open")
                changed = self._closed(jobs, job)
            case "Aborted":
                check_change(job, "Aborting", "Open", "UploadComplete", "InProgress")
                changed = jobs.change(job, state="Aborted")
            case _:
                raise wrong_state("A job can be set to UploadComplete or Aborted")
        return JSONResponse(job_head(changed))

    def _closed(self, jobs: BulkJobs, job: BulkJob) -> BulkJob:
        if job.uploads > 1:
            raise _too_many_uploads(job)
        batches = jobs.batches(job) or [jobs.add_batch(job, b"")]
        self._runner.begin(batches[0].number)
        return jobs.change(job, state="UploadComplete")


def _created(jobs: BulkJobs, call: RestCall, body: object) -> BulkJob:
    sent = sent_job(body, _MEMBERS)
    target = checked_target(call.schema, sent)
    return jobs.create(
        "V2Ingest",
        operation=sent["operation"],
        object_name=target.name,
        key=sent.get("externalIdFieldName", ""),
        version=call.version,
        rule=sent.get("assignmentRuleId", ""),
        **sent_dialect(sent),
    )


def _listed(call: RestCall) -> Response:
    return job_list(call, "V2Ingest", "Classic")


def _info(call: RestCall) -> Response:
    jobs = BulkJobs(call.store)
    job = _found(jobs, call, "Classic")
    error = {"errorMessage": job.error} if job.error else {}
    return JSONResponse({**whole_job(job), **counters(jobs.batches(job)), **error})


def _upload(call: RestCall) -> Response:
    jobs = BulkJobs(call.store)
    job = _found(jobs, call)
    check_change(job, "Uploading to", "Open")
    if call.headers.get("content-type", "text/csv").partition(";")[0].strip().lower() != "text/csv":
        raise invalid_job("The data of a job is sent as text/csv")
    if job.uploads:
        # The refused upload spoils the job: closing it fails, too.
        jobs.change(job, uploads=job.uploads + 1)
        return fault_response(_too_many_uploads(job))
    jobs.add_batch(job, call.body)
    jobs.change(job, uploads=1)
    return Response(status_code=201)


def _results(call: RestCall) -> Response:
    name = call.params["file"].lower()
    if name not in FILES:
        return not_found()
    jobs = BulkJobs(call.store)
    job = _found(jobs, call)
    if job.state not in ENDED:
        raise wrong_state("The results can be fetched when the job has ended")
    batches = [(jobs.content(batch), jobs.results(batch)) for batch in jobs.batches(job)]
    return LaterResponse(lambda: _results_file(name, job, batches, call))


def _results_file(
    name: str, job: BulkJob, batches: Sequence[tuple[bytes, Mapping[int, Sequence[object]]]], call: RestCall
) -> Response:
    table, results = CsvTable([], [], {}), dict[int, RowResult]()
    for content, stored in batches:
        results = read_results(stored)
        with suppress(InvalidBatch):
            table = read_table(content, job.dialect)
    if name != UNPROCESSED:
        table = _spelled(table, job, call)
    file = results_file(name, table, results, job)
    rows = call.injected.results(file.rows) if call.injected else file.rows
    return csv_response(call, csv_text(file.header, rows, job.dialect))


def _spelled(table: CsvTable, job: BulkJob, call: RestCall) -> CsvTable:
    """The table with the columns whose names are spelled as the org does, to which results are limited."""
    target = call.schema.object(job.object_name)
    try:
        columns = read_columns(table.header, target, call.schema) if target else []
    except InvalidBatch:
        return table
    return with_columns(table, [column.name for column in columns])


def _delete(call: RestCall) -> Response:
    jobs = BulkJobs(call.store)
    job = _found(jobs, call)
    if job.state not in ("UploadComplete", *ENDED):
        raise wrong_state(f"A job that is {job.state} cannot be deleted")
    jobs.delete(job)
    return Response(status_code=204)


def _found(jobs: BulkJobs, call: RestCall, *more: JobType) -> BulkJob:
    jobs.expire()
    job = jobs.find(call.params["job"], "V2Ingest", *more)
    if job is None:
        raise unexpected("NOT_FOUND", "The requested resource does not exist")
    return job


def _too_many_uploads(job: BulkJob) -> Fault:
    return invalid_job(
        f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the current Job then"
        " create a new Job and make sure you only do 'PUT' once on a given Job."
    )
