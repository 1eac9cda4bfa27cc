"""Jobs of Bulk API 2.0 as JSON, and the errors of its requests."""

import gzip
from collections.abc import Collection, Mapping, Sequence

import orjson
from starlette.responses import Response

from sfmap.engine.local_org.bulk.bulk_jobs import BulkBatch, BulkJob
from sfmap.engine.local_org.bulk.csv_dialects import DELIMITERS, LINE_ENDINGS
from sfmap.engine.local_org.calls.sessions import USER_ID
from sfmap.engine.local_org.faults.org_faults import Fault, unexpected
from sfmap.engine.local_org.rest.rest_call import RestCall
from sfmap.engine.local_org.rest.rest_values import json_moment

_WORTH_COMPRESSING = 1_000
_FAST = 1
_DIALECT: Mapping[str, Collection[str]] = {
    "contentType": ("CSV",),
    "columnDelimiter": DELIMITERS,
    "lineEnding": LINE_ENDINGS,
}


def job_head(job: BulkJob) -> dict[str, object]:
    """The members that each answer about a job has."""
    path = f"services/data/v{job.version}/jobs/ingest/{job.id}/batches"
    return {
        "id": job.id,
        "operation": job.operation,
        "object": job.object_name,
        "createdById": USER_ID,
        "createdDate": json_moment(job.created),
        "systemModstamp": json_moment(job.changed),
        "state": job.state,
        **({"externalIdFieldName": job.key} if job.key else {}),
        "concurrencyMode": job.concurrency,
        "contentType": job.content_type,
        "apiVersion": float(job.version),
        **({"contentUrl": path} if job.state == "Open" and job.job_type == "V2Ingest" else {}),
        **({"assignmentRuleId": job.rule} if job.rule else {}),
    }


def whole_job(job: BulkJob) -> dict[str, object]:
    dialect = {"lineEnding": job.line_ending, "columnDelimiter": job.delimiter}
    return {**job_head(job), "jobType": job.job_type, **dialect}


def counters(batches: Sequence[BulkBatch]) -> dict[str, object]:
    milliseconds = sum(batch.milliseconds for batch in batches)
    return {
        "retries": sum(batch.retries for batch in batches),
        "totalProcessingTime": milliseconds,
        "apiActiveProcessingTime": milliseconds,
        "apexProcessingTime": 0,
        "numberRecordsProcessed": sum(batch.processed for batch in batches),
        "numberRecordsFailed": sum(batch.failed for batch in batches),
    }


def sent_job(body: object, known: Collection[str]) -> dict[str, str]:
    """The members of a request about a job. Raises `Fault`."""
    if not isinstance(body, dict):
        raise unexpected("JSON_PARSER_ERROR", "A JSON object is expected")
    for name, value in body.items():
        if name not in known:
            raise unexpected("JSON_PARSER_ERROR", f"Unrecognized field '{str(name)[:80]}'")
        if not isinstance(value, str) and value is not None:
            raise unexpected("JSON_PARSER_ERROR", f"Cannot read the value of '{name}': a text is expected")
    return {name: value for name, value in body.items() if value is not None}


def sent_dialect(sent: Mapping[str, str]) -> dict[str, str]:
    """The columns of a job for its dialect. Raises `Fault`."""
    for name, values in _DIALECT.items():
        if name in sent and sent[name] not in values:
            raise unexpected("JSON_PARSER_ERROR", f"{name} is one of: {', '.join(values)}")
    return {
        "delimiter": sent.get("columnDelimiter", "COMMA"),
        "line_ending": sent.get("lineEnding", "LF"),
    }


def invalid_job(message: str) -> Fault:
    return unexpected("INVALIDJOB", f"InvalidJob : {message}")


def wrong_state(message: str) -> Fault:
    return unexpected("INVALIDJOBSTATE", f"InvalidJobState : {message}")


def check_change(job: BulkJob, what: str, *states: str) -> None:
    """Raises `Fault` unless the job is in one of the states."""
    if job.state not in states:
        known = {"UploadComplete": "Closed", "InProgress": "Closed", "JobComplete": "Completed"}
        raise wrong_state(f"{what} already {known.get(job.state, job.state)} Job not allowed")


def parsed_json(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise unexpected("JSON_PARSER_ERROR", error.msg) from None


def csv_response(call: RestCall, text: str, **headers: str) -> Response:
    """CSV without a charset, as the org sends it; compressed for a client that accepts it."""
    content = text.encode()
    if "gzip" in call.headers.get("accept-encoding", "") and len(content) >= _WORTH_COMPRESSING:
        content, headers = gzip.compress(content, _FAST), {**headers, "Content-Encoding": "gzip"}
    return Response(content, headers={"Content-Type": "text/csv", **headers})
