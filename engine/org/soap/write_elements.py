"""Writes as XML: the elements of the records, and the headers for write options."""

from collections.abc import Mapping
from functools import lru_cache

from lxml import etree

from sfmap.engine.org.api_text import api_text, why_not_text
from sfmap.engine.org.port import RecordWrite, Reference, Refused, Value, WriteOptions

Header = Mapping[str, object]

_FOR_FIELDS = ("create", "update", "upsert")
"""The operations that write fields: only these support assignment rules and truncation."""


def write_headers(operation: str, options: WriteOptions) -> Mapping[str, Header]:
    """The headers of one call; records succeed or fail independently unless the options say otherwise."""
    headers: dict[str, Header] = {"AllOrNoneHeader": {"allOrNone": bool(options.all_or_none)}}
    if options.package_versions:
        versions = [_package_version(*package) for package in options.package_versions]
        headers["PackageVersionHeader"] = {"packageVersions": versions}
    if options.allow_duplicates is not None:
        allowed = {"allowSave": options.allow_duplicates, "includeRecordDetails": False, "runAsCurrentUser": True}
        headers["DuplicateRuleHeader"] = allowed
    if options.send_emails is not None:
        sends = dict.fromkeys(
            ("triggerAutoResponseEmail", "triggerOtherEmail", "triggerUserEmail"), options.send_emails
        )
        headers["EmailHeader"] = sends
    if operation in _FOR_FIELDS:
        headers |= _field_headers(options)
    else:
        headers.pop("DuplicateRuleHeader", None)
    return headers


def _field_headers(options: WriteOptions) -> dict[str, Header]:
    headers: dict[str, Header] = {}
    if options.truncate is not None:
        headers["AllowFieldTruncationHeader"] = {"allowFieldTruncation": options.truncate}
    if options.assignment_rule in ("default", "off"):
        headers["AssignmentRuleHeader"] = {"useDefaultRule": options.assignment_rule == "default"}
    elif options.assignment_rule:
        headers["AssignmentRuleHeader"] = {"assignmentRuleId": options.assignment_rule}
    return headers


def _package_version(namespace: str, version: str) -> Mapping[str, object]:
    major, _, minor = version.partition(".")
    return {"majorNumber": int(major), "minorNumber": int(minor or 0), "namespace": namespace}


API = "urn:partner.soap.sforce.com"
OBJECT = "urn:sobject.partner.soap.sforce.com"

UNSENDABLE = "UNSENDABLE_VALUE"
"""sfmap's own status code for a record that SOAP cannot carry."""

_RECORD = f"{{{API}}}sObjects"
_TYPE = f"{{{OBJECT}}}type"
_CLEAR = f"{{{OBJECT}}}fieldsToNull"
_ID = f"{{{OBJECT}}}Id"
_PREFIXES = {"p": API, "s": OBJECT}


def record_element(object_name: str, record: RecordWrite) -> etree._Element | Refused:
    """The record's element, or a refusal of this record alone if XML cannot carry a value."""
    element = etree.Element(_RECORD, nsmap=_PREFIXES)
    add = etree.SubElement
    add(element, _TYPE).text = object_name
    for name in record.clear:
        add(element, _CLEAR).text = name
    if record.id is not None:
        add(element, _ID).text = record.id
    for name, value in record.fields.items():
        try:
            add(element, _tag(name)).text = api_text(value)
        except ValueError:
            return _refusal(name, value)
    for name, reference in record.references.items():
        try:
            element.append(_parent(name, reference))
        except ValueError:
            return _refusal(f"{name}.{reference.by}", reference.value)
    return element


def _parent(relationship: str, reference: Reference) -> etree._Element:
    """An element for the parent record that names its object and external id."""
    element = etree.Element(_tag(relationship), nsmap=_PREFIXES)
    etree.SubElement(element, _TYPE).text = reference.object
    etree.SubElement(element, _tag(reference.by)).text = api_text(reference.value)
    return element


@lru_cache(maxsize=4096)
def _tag(name: str) -> str:
    return f"{{{OBJECT}}}{name}"


def _refusal(name: str, value: Value) -> Refused:
    reason = why_not_text(value) or "this is not the API name of a field"
    return Refused(UNSENDABLE, f"{name}: {reason}.", (name,))
