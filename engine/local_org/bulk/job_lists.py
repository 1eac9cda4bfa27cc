"""Lists the jobs of the org, page by page."""

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.bulk.bulk_jobs import BulkJob, BulkJobs, JobType
from sfmap.engine.local_org.bulk.job_json import whole_job
from sfmap.engine.local_org.calls.http_requests import sent_number
from sfmap.engine.local_org.faults.org_faults import unexpected
from sfmap.engine.local_org.rest.rest_call import RestCall

_PAGE = 1_000


def job_list(call: RestCall, *types: JobType) -> Response:
    """A page of the jobs of these types, or of the one that the query string asks for."""
    wanted = call.query.get("jobType")
    kept = [one for one in types if wanted in (None, "", one)]
    if call.query.get("isPkChunkingEnabled") == "true":
        kept = []
    start = sent_number(call.query.get("queryLocator") or "0")
    if start is None:
        raise unexpected("INVALID_QUERY_LOCATOR", "invalid query locator")
    jobs = BulkJobs(call.store)
    jobs.expire()
    page = jobs.listed(kept, start, _PAGE + 1)
    done = len(page) <= _PAGE
    following = start + _PAGE
    locator = "&".join([*(f"jobType={wanted}" for _ in [wanted] if wanted), f"queryLocator={following}"])
    return JSONResponse(
        {
            "done": done,
            "records": [_entry(job) for job in page[:_PAGE]],
            "nextRecordsUrl": None if done else f"{call.path.rstrip('/')}?{locator}",
        }
    )


def _entry(job: BulkJob) -> dict[str, object]:
    """A list does not show the field that identifies records."""
    return {name: value for name, value in whole_job(job).items() if name != "externalIdFieldName"}
