"""Writes as XML: the elements of the records, and the headers for write options."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from sfmap.engine.org.api_text import NOT_XML, api_text, why_not_text
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

PREFIXES = {"p": API, "s": OBJECT}
"""The prefixes in `RecordsXml`, which the envelope around it declares."""


@dataclass(frozen=True, slots=True)
class RecordsXml:
    """The elements of records as text: many times faster to write than a tree."""

    text: str


def record_xml(object_name: str, record: RecordWrite) -> str | Refused:
    """The record's element, or a refusal of this record alone if XML cannot carry a value."""
    parts = ["<p:sObjects>", _element("type", object_name)]
    parts += (_element("fieldsToNull", name) for name in record.clear)
    if record.id is not None:
        parts.append(_element("Id", record.id))
    for name, value in record.fields.items():
        try:
            parts.append(_element(name, value))
        except ValueError:
            return _refusal(name, value)
    for name, reference in record.references.items():
        try:
            parts.append(_parent(name, reference))
        except ValueError:
            return _refusal(f"{name}.{reference.by}", reference.value)
    parts.append("</p:sObjects>")
    return "".join(parts)


def _parent(relationship: str, reference: Reference) -> str:
    """An element for the parent record that names its object and external id."""
    start, end = _tags(relationship)
    return f"{start}{_element('type', reference.object)}{_element(reference.by, reference.value)}{end}"


def _element(name: str, value: Value) -> str:
    """Raises ValueError for what XML cannot carry."""
    start, end = _tags(name)
    text = value if isinstance(value, str) else api_text(value)
    written = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if not text.isprintable():
        if NOT_XML.search(text):
            raise ValueError
        written = written.replace("\r", "&#13;")  # readers of XML take a bare one for the end of a line
    return f"{start}{written}{end}"


@lru_cache(maxsize=4096)
def _tags(name: str) -> tuple[str, str]:
    """The tags of an element of a record. Raises ValueError if XML allows no such name."""
    etree.QName(OBJECT, name)
    return f"<s:{name}>", f"</s:{name}>"


def _refusal(name: str, value: Value) -> Refused:
    reason = why_not_text(value) or "this is not the API name of a field"
    return Refused(UNSENDABLE, f"{name}: {reason}.", (name,))
