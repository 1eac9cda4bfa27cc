"""The arguments of each operation, and which part of a request is which of them."""

from collections.abc import Mapping, Sequence

from lxml import etree

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "convertLead": ("leadConverts*",),
    "create": ("sObjects*",),
    "delete": ("ids*",),
    "describeGlobal": (),
    "describeLayout": ("sObjectType", "layoutName", "recordTypeIds*"),
    "describeSObject": ("sObjectType",),
    "describeSObjects": ("sObjectType*",),
    "describeTabs": (),
    "emptyRecycleBin": ("ids*",),
    "getDeleted": ("sObjectType", "startDate", "endDate"),
    "getServerTimestamp": (),
    "getUpdated": ("sObjectType", "startDate", "endDate"),
    "getUserInfo": (),
    "invalidateSessions": ("sessionIds*",),
    "login": ("username", "password"),
    "logout": (),
    "merge": ("request*",),
    "query": ("queryString",),
    "queryAll": ("queryString",),
    "queryMore": ("queryLocator",),
    "resetPassword": ("userId",),
    "retrieve": ("fieldList", "sObjectType", "ids*"),
    "search": ("searchString",),
    "setPassword": ("userId", "password"),
    "undelete": ("ids*",),
    "update": ("sObjects*",),
    "upsert": ("externalIDFieldName", "sObjects*"),
}
"""In order; with `*`, any number of them."""


def arguments(operation: str, sent: Sequence[tuple[str, etree._Element]]) -> dict[str, list[etree._Element]]:
    """By argument, what was sent for it.

    Some clients have names of their own for arguments: those count by position, as all do in Salesforce.
    """
    known = [name.removesuffix("*") for name in ARGUMENTS.get(operation, ())]
    repeated = {name.removesuffix("*") for name in ARGUMENTS.get(operation, ()) if name.endswith("*")}
    named = {name for name, _ in sent}
    open_places = [name for name in known if name not in named]
    found: dict[str, list[etree._Element]] = {}
    for name, element in sent:
        if name in known:
            found.setdefault(name, []).append(element)
        elif open_places:
            place = open_places[0] if open_places[0] in repeated else open_places.pop(0)
            found.setdefault(place, []).append(element)
    return found
