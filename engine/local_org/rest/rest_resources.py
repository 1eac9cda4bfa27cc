"""The table of the room's resources."""

from collections.abc import Iterator

from sfmap.engine.local_org.rest import (
    discovery,
    identity,
    rest_collections,
    rest_composite,
    rest_describes,
    rest_queries,
    rest_records,
)
from sfmap.engine.local_org.rest.rest_changes import CHANGE_RESOURCES
from sfmap.engine.local_org.rest.rest_conditions import unless_unchanged
from sfmap.engine.local_org.rest.rest_layouts import LAYOUT_RESOURCES
from sfmap.engine.local_org.rest.rest_list_views import LIST_VIEW_RESOURCES
from sfmap.engine.local_org.rest.rest_router import RestResource
from sfmap.engine.local_org.rest.rest_search import SEARCH_RESOURCES
from sfmap.engine.local_org.rest.rest_trees import create_tree

_OBJECT = "/sobjects/{object}"
_RECORD = f"{_OBJECT}/{{id}}"
_KEY = f"{_OBJECT}/{{key}}"
_DESCRIBE_GLOBAL = unless_unchanged(rest_describes.describe_global)
_DESCRIBE_OBJECT = unless_unchanged(rest_describes.describe_object)
_KEYED = f"{_OBJECT}/{{key}}/{{value:path}}"


def _collections() -> Iterator[RestResource]:
    for path, method, resource, operation, since in (
        ("", "POST", rest_collections.create, "create", 42),
        ("", "PATCH", rest_collections.update, "update", 42),
        ("", "DELETE", rest_collections.delete, "delete", 42),
        ("/{object}", "GET", rest_collections.retrieve, "retrieve", 42),
        ("/{object}", "POST", rest_collections.retrieve_many, "retrieve", 42),
        ("/{object}/{key}", "PATCH", rest_collections.upsert, "upsert", 46),
    ):
        yield RestResource(
            path=f"/composite/sobjects{path}",
            methods=(method,),
            resource=resource,
            operation=operation,
            since=since,
        )


def _composites() -> Iterator[RestResource]:
    yield RestResource(path="/composite", resource=rest_composite.resources, operation="resources", since=34)
    for path, resource, since in (
        ("", rest_composite.composite, 38),
        ("/batch", rest_composite.batch, 34),
        ("/graph", rest_composite.graph, 50),
        ("/tree/{object}", create_tree, 34),
    ):
        yield RestResource(
            path=f"/composite{path}", methods=("POST",), resource=resource, operation="composite", since=since
        )


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
    RestResource(path="/sobjects", resource=_DESCRIBE_GLOBAL, operation="describeGlobal"),
    RestResource(path=f"{_OBJECT}/describe", resource=_DESCRIBE_OBJECT, operation="describeSObject"),
    *CHANGE_RESOURCES,
    *SEARCH_RESOURCES,
    *LAYOUT_RESOURCES,
    *LIST_VIEW_RESOURCES,
    RestResource(path=_OBJECT, methods=("POST",), resource=rest_records.create, operation="create"),
    RestResource(path=_KEY, methods=("POST",), resource=rest_records.upsert_by_body, operation="upsert"),
    RestResource(path=_RECORD, resource=rest_records.record_by_id, operation="retrieve"),
    RestResource(path=_RECORD, methods=("PATCH",), resource=rest_records.record_by_id, operation="update"),
    RestResource(path=_RECORD, methods=("DELETE",), resource=rest_records.record_by_id, operation="delete"),
    RestResource(path=_KEYED, resource=rest_records.record_by_key, operation="retrieve"),
    RestResource(path=_KEYED, methods=("PATCH",), resource=rest_records.upsert, operation="upsert"),
    RestResource(path=_KEYED, methods=("DELETE",), resource=rest_records.record_by_key, operation="delete"),
    *_collections(),
    *_composites(),
)
