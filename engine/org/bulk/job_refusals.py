"""Puts the errors of requests about bulk jobs into words."""

from sfmap.engine.org.bulk_port import NoBulkJobs
from sfmap.engine.org.port import CallRefused, OrgError, OrgUnavailable
from sfmap.engine.org.soap.failure_meanings import Meaning
from sfmap.engine.org.soap.failures import FailedCall, refusal

_NO_BULK_API = Meaning(
    NoBulkJobs,
    "The org at {host} has no Bulk API: {said}",
    "Write without bulk jobs, or have Salesforce's support switch it on.",
)
_MEANINGS = {
    "EXCEEDEDQUOTA": Meaning(
        NoBulkJobs,
        "The org at {host} has used up the bulk jobs or batches of its last 24 hours: {said}",
        "Wait, or write without bulk jobs.",
    ),
    "FEATURENOTENABLED": _NO_BULK_API,
    "FUNCTIONALITYNOTENABLED": _NO_BULK_API,
    "APIDISABLEDFORORG": Meaning(
        NoBulkJobs,
        "The org at {host} has no REST API for {user}, which bulk jobs need: {said}",
        "Write without bulk jobs, or give the user API Enabled.",
    ),
    "INVALIDUSER": Meaning(
        NoBulkJobs,
        "{user} may not use bulk jobs at {host}, or this job is another user's: {said}",
        "Give the user API Enabled, and for jobs of others Manage Data Integrations.",
    ),
    "NOTFOUND": Meaning(CallRefused, "{host} does not know the job of the {operation} call: {said}"),
}
_FAILURE = Meaning(
    OrgUnavailable,
    "The org at {host} failed in the {operation} call: {said}",
    "Try again in a few minutes; status.salesforce.com reports outages.",
)
_EXPIRED = "INVALID_SESSION_ID"


def job_refusal(status: int, code: str, message: str, call: FailedCall) -> OrgError:
    """The error for an answer with this status and code.

    Its `code` is in capital letters, and for errors of jobs without underscores: where the guide writes
    `InvalidJobState`, answers say `INVALIDJOBSTATE`.
    """
    code = code.upper()
    if status == 401:
        code = _EXPIRED
    bare = code.replace("_", "")
    if bare in _MEANINGS or bare.startswith("INVALIDJOB"):
        return refusal(bare, message, call, _MEANINGS.get(bare))
    return refusal(code, message, call, _FAILURE if status >= 500 else None)
