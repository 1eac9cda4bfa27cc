"""Reads the records in a request, in the ways in which clients write them."""

from lxml import etree

from sfmap.engine.local_org.records.record_writer import SentRecord
from sfmap.engine.local_org.records.references import SentParent
from sfmap.engine.local_org.soap.envelope import children, is_nil, local_name, text_of

_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_UNTYPED = "sObject"
"""The type of an element that may be a record of any object."""


def sent_record(record: etree._Element) -> SentRecord:
    """The record, whose object is named by a member, or only by the type of the element."""
    object_name = _object_of(record)
    values: dict[str, str | None] = {}
    parents: dict[str, SentParent] = {}
    for child in record.iterchildren("*"):
        name = local_name(child)
        if name == "type":
            object_name = text_of(child).strip() or object_name
        elif name == "fieldsToNull":
            values[text_of(child).strip()] = None
        elif len(child):
            parents[name] = _sent_parent(child)
        elif not is_nil(child):
            values[name] = text_of(child)
    return SentRecord(object_name, values, parents)


def _sent_parent(element: etree._Element) -> SentParent:
    values = {local_name(child): text_of(child) for child in children(element) if not is_nil(child)}
    return SentParent(values.pop("type", "").strip() or _object_of(element), values)


def _object_of(element: etree._Element) -> str:
    name = element.get(_XSI_TYPE, "").strip().rpartition(":")[2]
    return "" if name == _UNTYPED else name
