"""Reads result elements as the port's results; leniently, by local name, and ignoring unknown elements."""

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from sfmap.engine.mapping.values.values import full_record_id
from sfmap.engine.org.port import (
    ApiUsage,
    ChildReference,
    FieldDescription,
    FoundRecord,
    ObjectDescription,
    PicklistEntry,
    Refused,
    WriteResult,
    Written,
)


class UnreadableAnswerError(Exception):
    """An answer that lacks required content; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class QueryPage:
    """One page of a query's result; `locator` requests the next one."""

    records: tuple[FoundRecord, ...]
    locator: str | None
    size: int | None
    """The number of records on all pages, if the org reports it."""


def text_of(element: etree._Element) -> str:
    return element.text or ""


def texts(element: etree._Element, name: str) -> tuple[str, ...]:
    """The texts of all children of that name that are not empty."""
    return tuple(child.text for child in element.iterchildren(f"{{*}}{name}") if child.text)


def _said(element: etree._Element) -> dict[str, str]:
    """By name, the text of each child."""
    return {_local_name(child): child.text or "" for child in element.iterchildren("*")}


def _local_name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def first(element: etree._Element, name: str) -> str:
    return next(iter(texts(element, name)), "")


def is_true(text: str) -> bool:
    return text.strip() in ("true", "1")


def write_result(element: etree._Element, key_prefix: str = "", sent_id: str | None = None) -> WriteResult:
    """The result for one record of the object with this key prefix; `sent_id` is its id if it was already known.

    Raises `UnreadableAnswerError` if it does not tell which record was written.
    """
    said = _said(element)
    success = said.get("success", "")
    if is_true(success):
        return Written(_written_id(said.get("id", ""), key_prefix, sent_id), is_true(said.get("created", "")))
    errors = list(element.iterchildren("{*}errors"))
    if not errors:
        if success.strip() not in ("false", "0"):
            raise UnreadableAnswerError("a result that reports neither success nor failure")
        return Refused("UNKNOWN_EXCEPTION", "The org refused the record without saying why.")
    fields = dict.fromkeys(name for error in errors for name in texts(error, "fields"))
    return Refused(
        code=first(errors[0], "statusCode") or "UNKNOWN_EXCEPTION",
        message="; ".join(filter(None, (first(error, "message") for error in errors))),
        fields=tuple(fields),
        duplicates=tuple(_duplicates(errors)),
    )


def _written_id(said: str, key_prefix: str, sent_id: str | None) -> str:
    record_id = full_record_id(said)
    if record_id is None:
        raise UnreadableAnswerError(_no_id(said))
    if sent_id is not None and record_id != full_record_id(sent_id):
        raise UnreadableAnswerError(f"the id {record_id} for the record {sent_id}")
    if not record_id.startswith(key_prefix):
        raise UnreadableAnswerError(f"the id {record_id}, which is the id of another object")
    return record_id


def _no_id(said: str) -> str:
    return f"{said[:18]!r}, which is not a record id" if said else "a record without an id"


def page(element: etree._Element, fields: Iterable[str], key_prefix: str = "") -> QueryPage:
    """One page of records of the object with this key prefix. Raises `UnreadableAnswerError`."""
    done, locator, size = (first(element, name) for name in ("done", "queryLocator", "size"))
    if not (is_true(done) or locator):
        raise UnreadableAnswerError("a page of records that is not the last but names no next one")
    wanted = {name: name.lower() for name in fields}
    records = tuple(_found(row, wanted, key_prefix) for row in element.iterchildren("{*}records"))
    return QueryPage(records, None if is_true(done) else locator, int(size) if size.isdecimal() else None)


def organization_id(element: etree._Element) -> str:
    """The organization id in a login result or user information, in 18 characters; empty if there is none."""
    return next(filter(None, (full_record_id(text_of(one)) for one in element.iter("{*}organizationId"))), "")


def user_id(element: etree._Element) -> str:
    """The id of the signed-in user in user information, in 18 characters; empty if there is none."""
    return next(filter(None, (full_record_id(text_of(one)) for one in element.iter("{*}userId"))), "")


def currency(element: etree._Element) -> str | None:
    """The currency in a login result or user information; empty for an org with several currencies.

    None where neither is said.
    """
    if any(is_true(text_of(one)) for one in element.iter("{*}organizationMultiCurrency")):
        return ""
    return next(filter(None, map(text_of, element.iter("{*}orgDefaultCurrencyIsoCode"))), None)


def object_names(element: etree._Element) -> Iterator[str]:
    return (first(described, "name") for described in element.iterchildren("{*}sobjects"))


def object_description(element: etree._Element) -> ObjectDescription:
    fields = (_field(child) for child in element.iterchildren("{*}fields"))
    return ObjectDescription(
        name=first(element, "name"),
        label=first(element, "label"),
        key_prefix=first(element, "keyPrefix"),
        createable=is_true(first(element, "createable")),
        updateable=is_true(first(element, "updateable")),
        fields={field.name: field for field in fields},
        deletable=is_true(first(element, "deletable")),
        children=tuple(map(_child, element.iterchildren("{*}childRelationships"))),
    )


def _child(element: etree._Element) -> ChildReference:
    said = _said(element)
    return ChildReference(
        object=said.get("childSObject", ""),
        field=said.get("field", ""),
        cascades=is_true(said.get("cascadeDelete", "")),
        restricts=is_true(said.get("restrictedDelete", "")),
    )


def api_usage(elements: Iterable[etree._Element]) -> ApiUsage | None:
    for element in elements:
        used, limit = first(element, "current"), first(element, "limit")
        if first(element, "type") == "API REQUESTS" and used.isdecimal() and limit.isdecimal():
            return ApiUsage(int(used), int(limit))
    return None


def _duplicates(errors: Iterable[etree._Element]) -> Iterator[str]:
    for error in errors:
        for record in error.iterfind(".//{*}matchRecords/{*}record"):
            if record_id := full_record_id(first(record, "Id")):
                yield record_id


def _found(row: etree._Element, wanted: Mapping[str, str], key_prefix: str) -> FoundRecord:
    values = {_local_name(child).lower(): child for child in row.iterchildren("*")}
    fields = {name: _value(values.get(key)) for name, key in wanted.items()}
    said = _value(values.get("id")) or ""
    record_id = full_record_id(said)
    if record_id is None:
        raise UnreadableAnswerError(_no_id(said))
    if not record_id.startswith(key_prefix):
        raise UnreadableAnswerError(f"the id {record_id}, which is the id of another object")
    return FoundRecord(record_id, fields)


def _value(element: etree._Element | None) -> str | None:
    return None if element is None else element.text


def _field(element: etree._Element) -> FieldDescription:
    said = _said(element)

    def yes(name: str) -> bool:
        return is_true(said.get(name, ""))

    return FieldDescription(
        name=said.get("name", ""),
        label=said.get("label", ""),
        type=said.get("type", ""),
        length=_number(said.get("length", "")),
        createable=yes("createable"),
        updateable=yes("updateable"),
        nillable=yes("nillable"),
        defaulted_on_create=yes("defaultedOnCreate"),
        id_lookup=yes("idLookup"),
        external_id=yes("externalId"),
        restricted_picklist=yes("restrictedPicklist"),
        entries=tuple(_entries(element)),
        reference_to=texts(element, "referenceTo"),
        relationship_name=said.get("relationshipName", ""),
        precision=_number(said.get("precision", "")) or _number(said.get("digits", "")),
        scale=_number(said.get("scale", "")),
        unique=yes("unique"),
        filterable=is_true(said.get("filterable", "true")),
        controller=said.get("controllerName", ""),
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _entries(element: etree._Element) -> Iterator[PicklistEntry]:
    for entry in element.iterchildren("{*}picklistValues"):
        value = first(entry, "value")
        yield PicklistEntry(
            value=value,
            label=first(entry, "label") or value,
            active=is_true(first(entry, "active")),
            valid_for=_positions(first(entry, "validFor")),
        )


def _positions(text: str) -> tuple[int, ...]:
    """The positions of set bits in a base64 bitmap; position 0 is the highest bit of the first byte."""
    try:
        octets = b64decode(text + "A" * (-len(text) % 4))
    except ValueError:
        return ()
    bits = "".join(f"{octet:08b}" for octet in octets)
    return tuple(position for position, bit in enumerate(bits) if bit == "1")
