"""The SOAP headers for write options, for each operation that supports them."""

from collections.abc import Mapping

from sfmap.engine.org.port import WriteOptions

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
