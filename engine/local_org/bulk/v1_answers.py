"""The answers of the Bulk API (its first version), as XML or JSON."""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from lxml import etree
from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.bulk.bulk_jobs import BulkBatch, BulkJob
from sfmap.engine.local_org.bulk.csv_dialects import CsvDialect, csv_text, quoted
from sfmap.engine.local_org.bulk.job_json import csv_response, parsed_json
from sfmap.engine.local_org.bulk.row_results import RowResult, error_text
from sfmap.engine.local_org.calls.sessions import USER_ID
from sfmap.engine.local_org.faults.org_faults import Fault, unexpected
from sfmap.engine.local_org.records.text_rules import without_controls
from sfmap.engine.local_org.rest.rest_call import RestCall
from sfmap.engine.local_org.rest.rest_values import json_moment

JSON_TYPE, XML_TYPE = "application/json", "application/xml"
_NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
_CODES = {
    "INVALID_SESSION_ID": "InvalidSessionId",
    "REQUEST_LIMIT_EXCEEDED": "ExceededQuota",
    "NOT_FOUND": "InvalidUrl",
    "METHOD_NOT_ALLOWED": "InvalidUrl",
    "JSON_PARSER_ERROR": "InvalidJob",
    "INVALIDJOB": "InvalidJob",
    "INVALIDJOBSTATE": "InvalidJobState",
    "INVALIDENTITY": "InvalidEntity",
    "INVALIDOPERATION": "InvalidOperation",
}
_STATUSES = {"SERVER_UNAVAILABLE": 503}

Members = Mapping[str, object]


def is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == JSON_TYPE


def refused(fault: Fault, content_type: str) -> Response:
    """The error of a request that was sent with this content type."""
    code = _CODES.get(fault.code, fault.code)
    message = fault.message.removeprefix(f"{code} : ")
    said = {"exceptionCode": code, "exceptionMessage": message}
    return answer("error", said, content_type, _STATUSES.get(fault.code, 400))


def answer(name: str, members: Members, content_type: str, status: int = 200) -> Response:
    """One element with members, or a JSON object of them."""
    if is_json(content_type):
        return JSONResponse(members, status)
    return _xml(f'<{name} xmlns="{_NAMESPACE}">{_elements(members)}</{name}>', status)


def answer_list(name: str, item: str, items: Sequence[Members], content_type: str) -> Response:
    if is_json(content_type):
        return JSONResponse({item: list(items)})
    return _xml(
        f'<{name} xmlns="{_NAMESPACE}">{"".join(f"<{item}>{_elements(one)}</{item}>" for one in items)}</{name}>'
    )


def result_ids(ids: Sequence[str], job: BulkJob) -> Response:
    if job.content_type == "JSON":
        return JSONResponse(list(ids))
    inner = "".join(f"<result>{one}</result>" for one in ids)
    return _xml(f'<result-list xmlns="{_NAMESPACE}">{inner}</result-list>')


def row_results(call: RestCall, results: Sequence[RowResult], job: BulkJob) -> Response:
    """The results of a batch that wrote records, in the order of its rows."""
    if job.content_type == "JSON":
        return JSONResponse([_row_result(one) for one in results])
    header = [quoted(name) for name in ("Id", "Success", "Created", "Error")]
    rows = ([one.id, _word(not one.errors), _word(one.created), error_text(one)] for one in results)
    return csv_response(call, csv_text(header, rows, CsvDialect("COMMA", "LF")))


def sent_members(body: bytes, content_type: str) -> dict[str, str]:
    """The members of a request about a job, as texts. Raises `Fault`."""
    if is_json(content_type):
        sent = parsed_json(body)
        if not isinstance(sent, dict):
            raise unexpected("INVALIDJOB", "A JSON object is expected")
        if any(isinstance(value, dict | list) for value in sent.values()):
            raise unexpected("INVALIDJOB", "The members of a job are texts")
        return {name: str(value) for name, value in sent.items() if value is not None}
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise unexpected("InvalidXML", str(error.msg)) from None
    return {etree.QName(child).localname: child.text or "" for child in root.iterchildren(etree.Element)}


def job_members(job: BulkJob, batches: Sequence[BulkBatch], content_type: str) -> Members:
    states = [batch.state for batch in batches]
    return {
        "id": job.id,
        "operation": job.operation,
        "object": job.object_name,
        "createdById": USER_ID,
        "createdDate": _moment(job.created, content_type),
        "systemModstamp": _moment(job.changed, content_type),
        "state": job.state,
        **({"externalIdFieldName": job.key} if job.key else {}),
        "concurrencyMode": job.concurrency,
        "contentType": job.content_type,
        "numberBatchesQueued": states.count("Queued"),
        "numberBatchesInProgress": states.count("InProgress"),
        "numberBatchesCompleted": states.count("Completed"),
        "numberBatchesFailed": states.count("Failed"),
        "numberBatchesTotal": len(states),
        "numberRecordsProcessed": sum(batch.processed for batch in batches),
        "numberRetries": sum(batch.retries for batch in batches),
        "apiVersion": float(job.version),
        "numberRecordsFailed": sum(batch.failed for batch in batches),
        **_times(sum(batch.milliseconds for batch in batches)),
    }


def batch_members(batch: BulkBatch, job: BulkJob, content_type: str) -> Members:
    return {
        "id": batch.id,
        "jobId": job.id,
        "state": batch.state,
        **({"stateMessage": batch.error} if batch.error else {}),
        "createdDate": _moment(batch.created, content_type),
        "systemModstamp": _moment(batch.changed, content_type),
        "numberRecordsProcessed": batch.processed,
        "numberRecordsFailed": batch.failed,
        **_times(batch.milliseconds),
    }


def _times(milliseconds: int) -> Members:
    return {
        "totalProcessingTime": milliseconds,
        "apiActiveProcessingTime": milliseconds,
        "apexProcessingTime": 0,
    }


def _moment(stored: str, content_type: str) -> str:
    return json_moment(stored) if is_json(content_type) else stored


def _row_result(result: RowResult) -> Members:
    errors = [
        {"extendedErrorDetails": None, "fields": list(one.fields), "message": one.message, "statusCode": one.code}
        for one in result.errors
    ]
    return {"success": not errors, "created": result.created, "id": result.id or None, "errors": errors}


def _word(value: bool) -> str:
    return str(value).lower()


def _elements(members: Members) -> str:
    return "".join(f"<{name}>{escape(without_controls(str(value)))}</{name}>" for name, value in members.items())


def _xml(text: str, status: int = 200) -> Response:
    content = f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()
    return Response(content, status, headers={"Content-Type": XML_TYPE})
