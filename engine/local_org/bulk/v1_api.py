"""The Bulk API (its first version): jobs of several batches, each processed as soon as it is added."""

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.bulk.bulk_jobs import BulkBatch, BulkJob, BulkJobs
from sfmap.engine.local_org.bulk.csv_dialects import CsvDialect, csv_text, quoted
from sfmap.engine.local_org.bulk.job_json import check_change, csv_response, wrong_state
from sfmap.engine.local_org.bulk.job_runner import JobRunner
from sfmap.engine.local_org.bulk.job_targets import checked_target
from sfmap.engine.local_org.bulk.row_results import query_rows, read_results
from sfmap.engine.local_org.bulk.v1_answers import (
    JSON_TYPE,
    XML_TYPE,
    answer,
    answer_list,
    batch_members,
    job_members,
    refused,
    result_ids,
    row_results,
    sent_members,
)
from sfmap.engine.local_org.faults.org_faults import Fault, unexpected
from sfmap.engine.local_org.records.ids import full_id, new_id
from sfmap.engine.local_org.rest.rest_call import RestCall
from sfmap.engine.local_org.rest.rest_router import RestResource

_QUERIES = ("query", "queryAll")
_CONTENT_TYPES = ("CSV", "JSON")
_MODES = {"0": "Parallel", "1": "Serial"}
"""The modes by their numbers, which clients send too."""
_LARGEST_BATCH = 10_000_000
_CREATED = 201
_RESULT_PREFIX = "752"
_JOB = "/job/{job}"
_BATCH = "/job/{job}/batch/{batch}"


class V1Api:
    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner

    def resources(self) -> tuple[RestResource, ...]:
        table = (
            ("/job", "POST", _create, "createJob"),
            (_JOB, "POST", _change, "closeJob"),
            (_JOB, "GET", _info, "jobInfo"),
            (f"{_JOB}/batch", "POST", self._add_batch, "uploadJob"),
            (f"{_JOB}/batch", "GET", _listed, "jobInfo"),
            (_BATCH, "GET", _batch_info, "jobInfo"),
            (f"{_BATCH}/request", "GET", _request, "jobInfo"),
            (f"{_BATCH}/result", "GET", _results, "jobResults"),
            (f"{_BATCH}/result/{{result}}", "GET", _query_result, "jobResults"),
        )
        return tuple(
            RestResource(
                path=path,
                methods=(method,),
                resource=resource,
                operation=operation,
                operations={b"Aborted": "abortJob"} if operation == "closeJob" else {},
                root="/services/async/{version}",
                refused=refused,
            )
            for path, method, resource, operation in table
        )

    def _add_batch(self, call: RestCall) -> Response:
        jobs = BulkJobs(call.store)
        job = _found(jobs, call)
        if job.state != "Open":
            raise wrong_state("Batches can be added to an open job only")
        if not call.body.strip():
            raise unexpected("ClientInputError", "The batch has no content")
        if len(call.body) > _LARGEST_BATCH:
            raise unexpected("ClientInputError", "The batch is larger than 10 MB")
        batch = jobs.add_batch(job, call.body)
        self._runner.begin(batch.number)
        return answer("batchInfo", batch_members(batch, job, _job_type(job)), _job_type(job), _CREATED)


def _create(call: RestCall) -> Response:
    jobs = BulkJobs(call.store)
    jobs.expire()
    sent = sent_members(call.body, _sent_type(call))
    operation, content_type = sent.get("operation", ""), sent.get("contentType", "XML")
    if content_type not in _CONTENT_TYPES:
        raise unexpected("INVALIDJOB", f"The local org takes no content of the type {content_type[:20]}")
    job = jobs.create(
        "Classic",
        operation=operation,
        object_name=_object_name(call, sent),
        key=sent.get("externalIdFieldName", ""),
        content_type=content_type,
        concurrency=_MODES.get(sent.get("concurrencyMode", "0"), sent.get("concurrencyMode", "Parallel")),
        version=call.version,
        rule=sent.get("assignmentRuleId", ""),
    )
    return answer("jobInfo", job_members(job, [], _sent_type(call)), _sent_type(call), _CREATED)


def _object_name(call: RestCall, sent: Mapping[str, str]) -> str:
    if sent.get("operation") not in _QUERIES:
        return checked_target(call.schema, sent).name
    return checked_target(call.schema, {**sent, "operation": "insert", "externalIdFieldName": ""}).name


def _change(call: RestCall) -> Response:
    jobs = BulkJobs(call.store)
    job = _found(jobs, call)
    match sent_members(call.body, _sent_type(call)).get("state"):
        case "Closed":
            check_change(job, "Closing", "Open")
            changed = jobs.change(job, state="Closed")
        case "Aborted":
            check_change(job, "Aborting", "Open", "Closed")
            changed = jobs.change(job, state="Aborted")
            for batch in jobs.batches(job):
                if batch.state in ("Queued", "InProgress"):
                    jobs.change_batch(batch, state="NotProcessed")
        case _:
            raise wrong_state("A job can be set to Closed or Aborted")
    return answer("jobInfo", job_members(changed, jobs.batches(job), _sent_type(call)), _sent_type(call))


def _info(call: RestCall) -> Response:
    jobs = BulkJobs(call.store)
    job = _found(jobs, call)
    return answer("jobInfo", job_members(job, jobs.batches(job), _sent_type(call)), _sent_type(call))


def _listed(call: RestCall) -> Response:
    jobs = BulkJobs(call.store)
    job = _found(jobs, call)
    batches = [batch_members(batch, job, _job_type(job)) for batch in jobs.batches(job)]
    return answer_list("batchInfoList", "batchInfo", batches, _job_type(job))


def _batch_info(call: RestCall) -> Response:
    job, batch = _found_batch(BulkJobs(call.store), call)
    return answer("batchInfo", batch_members(batch, job, _job_type(job)), _job_type(job))


def _request(call: RestCall) -> Response:
    jobs = BulkJobs(call.store)
    job, batch = _found_batch(jobs, call)
    kind = "application/json" if job.content_type == "JSON" and not job.is_query else "text/csv"
    return Response(jobs.content(batch), headers={"Content-Type": kind})


def _results(call: RestCall) -> Response:
    jobs = BulkJobs(call.store)
    job, batch = _found_batch(jobs, call)
    if batch.state not in ("Completed", "Failed"):
        raise unexpected("InvalidBatch", f"Batch not completed: it is {batch.state}")
    if job.is_query:
        return result_ids([new_id(_RESULT_PREFIX, batch.number)], job)
    return row_results(call, [*read_results(jobs.results(batch)).values()], job)


def _query_result(call: RestCall) -> Response:
    jobs = BulkJobs(call.store)
    job, batch = _found_batch(jobs, call)
    if batch.state != "Completed" or call.params["result"] != new_id(_RESULT_PREFIX, batch.number):
        raise unexpected("InvalidBatch", "There is no result of this id")
    results = jobs.results(batch)
    if job.content_type == "JSON":
        return JSONResponse([row for number, rows in results.items() if number for row in rows])
    header, *rows = query_rows(results)
    return csv_response(call, csv_text(map(quoted, header), rows, CsvDialect("COMMA", "LF")))


def _found(jobs: BulkJobs, call: RestCall) -> BulkJob:
    jobs.expire()
    job = jobs.find(call.params["job"], "Classic")
    if job is None:
        raise _invalid("job", call.params["job"])
    return job


def _found_batch(jobs: BulkJobs, call: RestCall) -> tuple[BulkJob, BulkBatch]:
    job = _found(jobs, call)
    named = full_id(call.params["batch"])
    for batch in jobs.batches(job):
        if batch.id == named:
            return job, batch
    raise _invalid("batch", call.params["batch"])


def _invalid(what: str, named: str) -> Fault:
    return unexpected(f"Invalid{what.title()}", f"Invalid {what} id: {named[:80]}")


def _job_type(job: BulkJob) -> str:
    """The content type of what is said about a job's batches, whatever that of the request is."""
    return JSON_TYPE if job.content_type == "JSON" else XML_TYPE


def _sent_type(call: RestCall) -> str:
    """The content type of the request, in which what is said about a job is answered."""
    return call.headers.get("content-type", "")
