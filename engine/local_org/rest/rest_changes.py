"""Tells over REST which records were changed or deleted in a time."""

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.records.changed_records import EARLIEST, Period, deleted, period, updated
from sfmap.engine.local_org.rest.rest_call import RestCall
from sfmap.engine.local_org.rest.rest_router import RestResource
from sfmap.engine.local_org.rest.rest_values import json_moment


def _updated(call: RestCall) -> Response:
    within = _asked(call)
    ids = updated(call.store, call.target(), within)
    return JSONResponse({"ids": ids, "latestDateCovered": json_moment(within.covered)})


def _deleted(call: RestCall) -> Response:
    within = _asked(call)
    records = [
        {"deletedDate": json_moment(at), "id": record_id}
        for record_id, at in deleted(call.store, call.target(), within)
    ]
    return JSONResponse(
        {
            "deletedRecords": records,
            "earliestDateAvailable": json_moment(EARLIEST),
            "latestDateCovered": json_moment(within.covered),
        }
    )


def _asked(call: RestCall) -> Period:
    # A plus sign that a client did not encode arrives as a space.
    start, end = (call.query.get(name, "").strip().replace(" ", "+") for name in ("start", "end"))
    return period(start, end)


CHANGE_RESOURCES = (
    RestResource(path="/sobjects/{object}/updated", resource=_updated, operation="getUpdated"),
    RestResource(path="/sobjects/{object}/deleted", resource=_deleted, operation="getDeleted"),
)
