"""The table of the room's resources."""

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.calls.sessions import ORGANIZATION_ID, USER_ID
from sfmap.engine.local_org.rest import (
    rest_collections,
    rest_composite,
    rest_describes,
    rest_queries,
    rest_records,
)
from sfmap.engine.local_org.rest.rest_call import RestCall
from sfmap.engine.local_org.rest.rest_router import RestResource
from sfmap.engine.local_org.rest.rest_trees import create_tree

_OBJECT = "/sobjects/{object}"
_RECORD = f"{_OBJECT}/{{id}}"
_KEY = f"{_OBJECT}/{{key}}"
_KEYED = f"{_OBJECT}/{{key}}/{{value:path}}"
_COLLECTION = "/composite/sobjects"
_RETRIEVED = f"{_COLLECTION}/{{object}}"
_UPSERTED = f"{_RETRIEVED}/{{key}}"


def _resources(call: RestCall) -> Response:
    names = ("composite", "limits", "query", "queryAll", "sobjects")
    return JSONResponse({name: f"{call.root}/{name}" for name in names})


def _limits(call: RestCall) -> Response:
    left = max(0, call.daily_limit - call.store.calls_today())
    return JSONResponse({"DailyApiRequests": {"Max": call.daily_limit, "Remaining": left}})


def _user_info(_call: RestCall) -> Response:
    return JSONResponse({"user_id": USER_ID, "organization_id": ORGANIZATION_ID, "active": True})


REST_RESOURCES = (
    RestResource(path="/services/oauth2/userinfo", root="", resource=_user_info, operation="getUserInfo"),
    RestResource(path="", resource=_resources, operation="resources"),
    RestResource(path="/limits", resource=_limits, operation="limits"),
    RestResource(path="/query", resource=rest_queries.query, operation="query"),
    RestResource(path="/queryAll", resource=rest_queries.query_all, operation="queryAll"),
    RestResource(path="/query/{locator}", resource=rest_queries.query_more, operation="queryMore"),
    RestResource(path="/queryAll/{locator}", resource=rest_queries.query_more, operation="queryMore"),
    RestResource(path="/sobjects", resource=rest_describes.describe_global, operation="describeGlobal"),
    RestResource(path=f"{_OBJECT}/describe", resource=rest_describes.describe_object, operation="describeSObject"),
    RestResource(path=_OBJECT, methods=("POST",), resource=rest_records.create, operation="create"),
    RestResource(path=_KEY, methods=("POST",), resource=rest_records.upsert_by_body, operation="upsert"),
    RestResource(path=_RECORD, resource=rest_records.record_by_id, operation="retrieve"),
    RestResource(path=_RECORD, methods=("PATCH",), resource=rest_records.record_by_id, operation="update"),
    RestResource(path=_RECORD, methods=("DELETE",), resource=rest_records.record_by_id, operation="delete"),
    RestResource(path=_KEYED, resource=rest_records.record_by_key, operation="retrieve"),
    RestResource(path=_KEYED, methods=("PATCH",), resource=rest_records.upsert, operation="upsert"),
    RestResource(path=_KEYED, methods=("DELETE",), resource=rest_records.record_by_key, operation="delete"),
    RestResource(path=_COLLECTION, methods=("POST",), resource=rest_collections.create, operation="create"),
    RestResource(path=_COLLECTION, methods=("PATCH",), resource=rest_collections.update, operation="update"),
    RestResource(path=_COLLECTION, methods=("DELETE",), resource=rest_collections.delete, operation="delete"),
    RestResource(path=_RETRIEVED, resource=rest_collections.retrieve, operation="retrieve"),
    RestResource(
        path=_RETRIEVED, methods=("POST",), resource=rest_collections.retrieve_many, operation="retrieve"
    ),
    RestResource(path=_UPSERTED, methods=("PATCH",), resource=rest_collections.upsert, operation="upsert"),
    RestResource(path="/composite", resource=rest_composite.resources, operation="resources"),
    *(
        RestResource(path=f"/composite{path}", methods=("POST",), resource=resource, operation="composite")
        for path, resource in (
            ("", rest_composite.composite),
            ("/batch", rest_composite.batch),
            ("/graph", rest_composite.graph),
            ("/tree/{object}", create_tree),
        )
    ),
)
