"""The table of the room's resources."""

from sfmap.engine.local_org.rest import (
    discovery,
    identity,
    rest_collections,
    rest_composite,
    rest_describes,
    rest_queries,
    rest_records,
)
from sfmap.engine.local_org.rest.rest_router import RestResource
from sfmap.engine.local_org.rest.rest_trees import create_tree

_OBJECT = "/sobjects/{object}"
_RECORD = f"{_OBJECT}/{{id}}"
_KEY = f"{_OBJECT}/{{key}}"
_KEYED = f"{_OBJECT}/{{key}}/{{value:path}}"
_COLLECTION = "/composite/sobjects"
_RETRIEVED = f"{_COLLECTION}/{{object}}"
_UPSERTED = f"{_RETRIEVED}/{{key}}"


REST_RESOURCES = (
    *(
        RestResource(
            path=path,
            methods=("GET", "POST"),
            root="",
            resource=resource,
            operation="getUserInfo",
            refused=identity.refused,
        )
        for path, resource in (
            ("/services/oauth2/userinfo", identity.user_info),
            ("/services/oauth2/singleaccess", identity.front_door),
            ("/id/{org}/{user}", identity.identity),
        )
    ),
    RestResource(path="", resource=discovery.resources, operation="resources"),
    RestResource(path="/limits", resource=discovery.limits, operation="limits"),
    RestResource(path="/limits/recordCount", resource=discovery.record_counts, operation="limits"),
    RestResource(path="/tabs", resource=discovery.tabs, operation="describeTabs"),
    RestResource(path="/theme", resource=discovery.theme, operation="describeTheme"),
    RestResource(path="/recent", resource=discovery.recent, operation="recent"),
    RestResource(path="/tooling", resource=discovery.tooling_resources, operation="resources"),
    RestResource(path="/tooling/query", resource=rest_queries.query, operation="query"),
    RestResource(path="/metadata", resource=discovery.metadata_resources, operation="resources"),
    RestResource(path=_OBJECT, resource=discovery.object_information, operation="describeSObject"),
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
