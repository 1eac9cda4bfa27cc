"""Query jobs of Bulk API 2.0: created, watched, and their results page by page."""

import base64
import binascii
import re
from dataclasses import replace

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.bulk.bulk_jobs import ENDED, BulkBatch, BulkJob, BulkJobs
from sfmap.engine.local_org.bulk.csv_dialects import csv_text, quoted
from sfmap.engine.local_org.bulk.job_chunks import STORED_TOGETHER
from sfmap.engine.local_org.bulk.job_json import (
    check_change,
    counters,
    csv_response,
    job_head,
    sent_dialect,
    sent_job,
    whole_job,
    wrong_state,
)
from sfmap.engine.local_org.bulk.job_lists import job_list
from sfmap.engine.local_org.bulk.job_runner import JobRunner
from sfmap.engine.local_org.bulk.row_results import query_rows
from sfmap.engine.local_org.calls.daily_use import DailyUse, count_use
from sfmap.engine.local_org.calls.http_requests import sent_number
from sfmap.engine.local_org.calls.sessions import USER_ID
from sfmap.engine.local_org.faults.org_faults import unexpected
from sfmap.engine.local_org.rest.rest_call import RestCall
from sfmap.engine.local_org.rest.rest_router import RestResource
from sfmap.engine.local_org.soql.soql_compiler import CompiledQuery, compile_query

_FIRST_VERSION = 47
_PAGE = 50_000
_MEMBERS = ("operation", "query", "contentType", "lineEnding", "columnDelimiter")
_JOB = "/jobs/query/{job}"
_TEXT = re.compile(r"'(?:[^'\\]|\\.)*'")
_REFUSED = {
    "GROUP BY": re.compile(r"\bGROUP\s+BY\b", re.IGNORECASE),
    "OFFSET": re.compile(r"\bOFFSET\b", re.IGNORECASE),
    "TYPEOF": re.compile(r"\bTYPEOF\b", re.IGNORECASE),
    "FIELDS(ALL) and FIELDS(CUSTOM)": re.compile(r"\bFIELDS\s*\(\s*(ALL|CUSTOM)\b", re.IGNORECASE),
    "aggregate functions": re.compile(r"\b(COUNT|COUNT_DISTINCT|SUM|AVG|MIN|MAX)\s*\(", re.IGNORECASE),
    # A query of children has its own FROM, so that its SELECT comes before the first.
    "parent-to-child relationships": re.compile(r"^(?:(?!\bFROM\b).)*\(\s*SELECT\b", re.IGNORECASE | re.DOTALL),
}
"""What a query job cannot have, and how it is recognized."""


class QueryApi:
    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner

    def resources(self) -> tuple[RestResource, ...]:
        resources = (
            RestResource(path="/jobs/query", methods=("POST",), resource=self._create, operation="createJob"),
            RestResource(path="/jobs/query", resource=_listed, operation="jobInfo"),
            RestResource(path=_JOB, resource=_info, operation="jobInfo"),
            RestResource(path=_JOB, methods=("PATCH",), resource=_abort, operation="abortJob"),
            RestResource(path=_JOB, methods=("DELETE",), resource=_delete, operation="deleteJob"),
            RestResource(path=f"{_JOB}/results", resource=_results, operation="jobResults"),
        )
        return tuple(replace(one, since=_FIRST_VERSION) for one in resources)

    def _create(self, call: RestCall) -> Response:
        sent = sent_job(call.json(), _MEMBERS)
        query = bulk_query(sent.get("query", ""), call)
        operation = sent.get("operation", "")
        if operation not in ("query", "queryAll"):
            raise unexpected("INVALIDOPERATION", f"InvalidOperation : Unsupported operation: {operation[:80]}")
        jobs = BulkJobs(call.store)
        jobs.expire()
        if not count_use(call.store, DailyUse.DailyBulkV2QueryJobs):
            raise unexpected("EXCEEDEDQUOTA", "ExceededQuota : The query jobs of 24 hours are used up")
        job = jobs.create(
            "V2Query",
            operation=operation,
            object_name=query.target.name,
            version=call.version,
            state="UploadComplete",
            **sent_dialect(sent),
        )
        self._runner.begin(jobs.add_batch(job, sent["query"].encode()).number)
        return JSONResponse({**job_head(job), **_dialect(job)})


def bulk_query(text: str, call: RestCall) -> CompiledQuery:
    """The query of a job. Raises `Fault`, also for what only other APIs can query."""
    words = _TEXT.sub("''", text)
    for what, pattern in _REFUSED.items():
        if pattern.search(words):
            raise unexpected("API_ERROR", f"The query has {what}, which query jobs do not support")
    return compile_query(text, call.schema, user_id=USER_ID)


def _dialect(job: BulkJob) -> dict[str, object]:
    return {"lineEnding": job.line_ending, "columnDelimiter": job.delimiter}


def _listed(call: RestCall) -> Response:
    return job_list(call, "V2Query")


def _info(call: RestCall) -> Response:
    jobs = BulkJobs(call.store)
    job = _found(jobs, call)
    error = {"errorMessage": job.error} if job.error else {}
    return JSONResponse({**whole_job(job), **counters(jobs.batches(job)), **error})


def _abort(call: RestCall) -> Response:
    jobs = BulkJobs(call.store)
    job = _found(jobs, call)
    if sent_job(call.json(), ("state",)).get("state") != "Aborted":
        raise wrong_state("A query job can be set to Aborted")
    check_change(job, "Aborting", "UploadComplete", "InProgress")
    changed = jobs.change(job, state="Aborted")
    return JSONResponse({**job_head(changed), **_dialect(changed)})


def _delete(call: RestCall) -> Response:
    jobs = BulkJobs(call.store)
    job = _found(jobs, call)
    if job.state not in ENDED:
        raise wrong_state(f"A job that is {job.state} cannot be deleted")
    jobs.delete(job)
    return Response(status_code=204)


def _results(call: RestCall) -> Response:
    jobs = BulkJobs(call.store)
    job = _found(jobs, call)
    if job.state != "JobComplete":
        raise wrong_state("The results can be fetched when the job is complete")
    start, most = _start(call.query.get("locator", "")), _most(call.query.get("maxRecords", ""))
    (batch,) = jobs.batches(job)
    (header,) = query_rows(jobs.some_results(batch, 0, 0))
    page = _page(jobs, batch, start, most)
    end = start + len(page)
    following = base64.b64encode(str(end).encode()).decode().rstrip("=") if end < batch.processed else "null"
    text = csv_text(map(quoted, header), page, job.dialect)
    return csv_response(call, text, **{"Sforce-Locator": following, "Sforce-NumberOfRecords": str(len(page))})


def _page(jobs: BulkJobs, batch: BulkBatch, start: int, most: int) -> list[list[str]]:
    """The rows from that one on, of which the first is in a chunk that is named by its own first row."""
    first = start - start % STORED_TOGETHER
    rows = query_rows(jobs.some_results(batch, first + 1, start + most))
    return rows[start - first : start - first + most]


def _start(locator: str) -> int:
    if not locator:
        return 0
    try:
        start = sent_number(base64.b64decode(locator + "=" * (-len(locator) % 4)).decode())
    except (binascii.Error, ValueError):
        start = None
    if start is None:
        raise unexpected("INVALID_QUERY_LOCATOR", "invalid query locator")
    return start


def _most(text: str) -> int:
    most = sent_number(text) if text else _PAGE
    if not most:
        raise unexpected("API_ERROR", "maxRecords is a number above 0")
    return most


def _found(jobs: BulkJobs, call: RestCall) -> BulkJob:
    job = jobs.find(call.params["job"], "V2Query")
    if job is None:
        raise unexpected("NOT_FOUND", "The requested resource does not exist")
    return job
