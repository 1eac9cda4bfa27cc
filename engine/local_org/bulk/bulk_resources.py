"""The table of the room's resources."""

from sfmap.engine.local_org.bulk.ingest_api import IngestApi
from sfmap.engine.local_org.bulk.job_runner import JobRunner
from sfmap.engine.local_org.bulk.query_api import QueryApi
from sfmap.engine.local_org.bulk.v1_api import V1Api
from sfmap.engine.local_org.rest.rest_router import RestResource


def bulk_resources(runner: JobRunner) -> tuple[RestResource, ...]:
    return (*IngestApi(runner).resources(), *QueryApi(runner).resources(), *V1Api(runner).resources())
