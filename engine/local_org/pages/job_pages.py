"""What the page of bulk jobs shows: each job, its rows and what became of it."""

from typing import Any

from sfmap.engine.local_org.bulk.bulk_jobs import BulkJobs
from sfmap.engine.local_org.records.store import Store

_SHOWN = 200
_ENDED_BADLY = ("Failed", "Aborted")


def jobs_context(store: Store) -> dict[str, Any]:
    """The last jobs, the newest first."""
    jobs = BulkJobs(store)
    return {
        "title": "Bulk jobs",
        "jobs": [
            {
                "job": job,
                "processed": sum(batch.processed for batch in jobs.batches(job)),
                "failed": sum(batch.failed for batch in jobs.batches(job)),
                "is_bad": job.state in _ENDED_BADLY,
            }
            for job in jobs.last(_SHOWN)
        ],
    }
