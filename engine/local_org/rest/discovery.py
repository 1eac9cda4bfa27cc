"""What the org has: versions, resources, limits, tabs, and the records changed last."""

from collections.abc import Iterator

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.calls.api_versions import FIRST_VERSION, LAST_VERSION
from sfmap.engine.local_org.calls.daily_use import DailyUse, left
from sfmap.engine.local_org.calls.http_requests import sent_number
from sfmap.engine.local_org.records.object_schema import ObjectSchema
from sfmap.engine.local_org.records.tab_members import described_tab, with_tabs
from sfmap.engine.local_org.rest.identity import identity_url
from sfmap.engine.local_org.rest.rest_call import RestCall, error_response
from sfmap.engine.local_org.rest.rest_describes import head

_SEASONS = ("Spring", "Summer", "Winter")
_FIRST_SPRING, _ITS_YEAR = 66, 26
_RESOURCES = (
    *(
        "tooling",
        "metadata",
        "folders",
        "eclair",
        "prechatForms",
        "contact-tracing",
        "jsonxform",
        "chatter",
        "tabs",
    ),
    *("appMenu", "quickActions", "queryAll", "commerce", "wave", "iot", "analytics", "search", "composite"),
    *("parameterizedSearch", "fingerprint", "theme", "nouns", "domino", "event", "serviceTemplates", "recent"),
    *("connect", "licensing", "limits", "process", "dedupe", "async-queries", "query", "jobs", "localizedvalue"),
    *("mobile", "emailConnect", "consent", "tokenizer", "compactLayouts", "sobjects", "actions", "support"),
)
"""Those of Salesforce, in its order; the local org answers 404 for the ones that it does not have."""
_TOOLING = ("query", "queryAll", "search", "sobjects")
_LIMITS = {
    "ActiveScratchOrgs": 3,
    "AnalyticsExternalDataSizeMB": 40_960,
    "ConcurrentAsyncGetReportInstances": 200,
    "ConcurrentSyncReportRuns": 20,
    "DailyAsyncApexExecutions": 250_000,
    "DailyAsyncApexTests": 500,
    "DailyBulkV2QueryFileStorageMB": 976_562,
    "DailyDurableGenericStreamingApiEvents": 10_000,
    "DailyDurableStreamingApiEvents": 10_000,
    "DailyGenericStreamingApiEvents": 10_000,
    "DailyScratchOrgs": 6,
    "DailyStandardVolumePlatformEvents": 10_000,
    "DailyStreamingApiEvents": 10_000,
    "DailyWorkflowEmails": 390,
    "DataStorageMB": 1_024,
    "DurableStreamingApiConcurrentClients": 20,
    "FileStorageMB": 1_024,
    "HourlyAsyncReportRuns": 1_200,
    "HourlyDashboardRefreshes": 200,
    "HourlyDashboardResults": 5_000,
    "HourlyDashboardStatuses": 999_999_999,
    "HourlyODataCallout": 1_000,
    "HourlySyncReportRuns": 500,
    "HourlyTimeBasedWorkflow": 50,
    "MassEmail": 10,
    "PermissionSets": 1_500,
    "SingleEmail": 15,
    "StreamingApiConcurrentClients": 20,
}
_MOST_RECENT = 200
_USUAL_RECENT = 10
_CHANGED = "LastModifiedDate"


def release(number: int) -> str:
    """The name of the release that brought a version of the API."""
    season = (number - _FIRST_SPRING) % len(_SEASONS)
    year = _ITS_YEAR + (number - _FIRST_SPRING) // len(_SEASONS)
    return f"{_SEASONS[season]} '{year + (season == len(_SEASONS) - 1)}"


def versions() -> list[dict[str, str]]:
    numbers = range(FIRST_VERSION, LAST_VERSION + 1)
    return [
        {"label": release(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        for number in numbers
    ]


def resources(call: RestCall) -> Response:
    found = {name: f"{call.root}/{name}" for name in _RESOURCES}
    return JSONResponse({**found, "identity": identity_url(call.base_url)})


def tooling_resources(call: RestCall) -> Response:
    return JSONResponse({name: f"{call.root}/tooling/{name}" for name in _TOOLING})


def metadata_resources(call: RestCall) -> Response:
    return JSONResponse({"deployRequest": f"{call.root}/metadata/deployRequest"})


def limits(call: RestCall) -> Response:
    found = {name: {"Max": most, "Remaining": most} for name, most in _LIMITS.items()}
    found |= {use.name: {"Max": use.value, "Remaining": left(call.store, use)} for use in DailyUse}
    unused = max(0, call.daily_limit - call.store.calls_today())
    found["DailyApiRequests"] = {"Max": call.daily_limit, "Remaining": unused}
    return JSONResponse(dict(sorted(found.items())))


def record_counts(call: RestCall) -> Response:
    """The number of records of the objects that are named, or of all."""
    wanted = [name.strip() for name in call.query.get("sObjects", "").split(",") if name.strip()]
    targets = [call.schema.object(name) for name in wanted] or list(call.schema.objects.values())
    counts = [{"count": call.store.count(target), "name": target.name} for target in targets if target]
    return JSONResponse({"sObjects": counts})


def tabs(call: RestCall) -> Response:
    return JSONResponse([_tab(call, target) for target in with_tabs(call.schema)])


def theme(call: RestCall) -> Response:
    return JSONResponse({"themeItems": [_theme_item(call, one) for one in with_tabs(call.schema)]})


def recent(call: RestCall) -> Response:
    """The records changed last, of every object."""
    most = _most_recent(call)
    if most is None:
        return error_response(400, "INVALID_PARAMETER", "The limit parameter must be a number from 1 to 200")
    found = [item for target in with_tabs(call.schema) for item in _recent_items(call, target, most)]
    found.sort(key=lambda item: item[0], reverse=True)
    return JSONResponse([record for _, record in found[:most]])


def object_information(call: RestCall) -> Response:
    """What the list of objects has of one, and its records changed last."""
    target = call.target()
    items = [record for _, record in _recent_items(call, target, _USUAL_RECENT)]
    return JSONResponse({"objectDescribe": head(call, target), "recentItems": items})


def _most_recent(call: RestCall) -> int | None:
    text = call.query.get("limit", str(_USUAL_RECENT))
    number = sent_number(text)
    return number if number and number <= _MOST_RECENT else None


def _recent_items(call: RestCall, target: ObjectSchema, most: int) -> Iterator[tuple[str, dict[str, object]]]:
    """Records with the time of their last change."""
    _, found = call.store.records(target, search="", order=_CHANGED, descending=True, most=most, start=0)
    for row in found:
        if not row["IsDeleted"]:
            named = {target.name_field: row.get(target.name_field)} if target.field(target.name_field) else {}
            record: dict[str, object] = {
                "attributes": call.attributes(target, row["Id"]),
                "Id": row["Id"],
                **named,
            }
            yield str(row.get(_CHANGED, "")), record


def _tab(call: RestCall, target: ObjectSchema) -> dict[str, object]:
    described = described_tab(target, call.base_url)
    return dict(sorted({**described, "mobileUrl": described["url"], "timeStyle": ""}.items()))


def _theme_item(call: RestCall, target: ObjectSchema) -> dict[str, object]:
    described = described_tab(target, call.base_url)
    return {"name": target.name, "colors": described["colors"], "icons": described["icons"]}
