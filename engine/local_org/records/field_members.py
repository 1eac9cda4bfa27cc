"""What a describe says of a field, in the API's order; SOAP and REST write it in their own form."""

from collections.abc import Mapping

from sfmap.engine.local_org.records.object_schema import FieldSchema, ObjectSchema
from sfmap.engine.local_org.records.picklists import described_entries

_BYTES_A_CHARACTER = 3
_SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "address": "tns:address",
    "location": "tns:location",
    "base64": "xsd:base64Binary",
    "boolean": "xsd:boolean",
    "currency": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "double": "xsd:double",
    "int": "xsd:int",
    "long": "xsd:long",
    "percent": "xsd:double",
    "time": "xsd:time",
    "anyType": "xsd:anyType",
}
_ONE_BYTE_A_CHARACTER = ("id", "reference")

_SINCE: Mapping[str, int] = {
    "aiPredictionField": 48,
    "dataTranslationEnabled": 48,
    "formulaTreatNullNumberAsZero": 48,
    "polymorphicForeignKey": 48,
    "searchPrefilterable": 48,
}
"""The version of the API from which on a member is sent, if not by all."""


def described_fields(target: ObjectSchema, version: int) -> list[dict[str, object]]:
    """The fields in order, each with the members of that version; None for one that the field does not have."""
    absent = [name for name, first in _SINCE.items() if version < first]
    described = [_described(known, target) for known in target.fields.values()]
    for facts in described:
        for name in absent:
            del facts[name]
    return described


def _described(known: FieldSchema, target: ObjectSchema) -> dict[str, object]:
    return {**_first_members(known, target), **_last_members(known, target)}


def _first_members(known: FieldSchema, target: ObjectSchema) -> dict[str, object]:
    return {
        "aggregatable": known.sortable and known.type != "boolean",
        "aiPredictionField": False,
        "autoNumber": known.name in target.number,
        "byteLength": known.length * (1 if known.type in _ONE_BYTE_A_CHARACTER else _BYTES_A_CHARACTER),
        "calculated": False,
        "calculatedFormula": None,
        "cascadeDelete": known.cascades,
        "caseSensitive": False,
        "compoundFieldName": known.compound or None,
        "controllerName": known.controller or None,
        "createable": known.createable,
        "custom": known.custom,
        "dataTranslationEnabled": None,
        "defaultValue": _default(known),
        "defaultValueFormula": None,
        "defaultedOnCreate": known.defaulted,
        "dependentPicklist": bool(known.controller),
        "deprecatedAndHidden": False,
        "digits": known.digits,
        "displayLocationInDecimal": False,
        "encrypted": known.type == "encryptedstring",
        "externalId": known.external_id,
        "extraTypeInfo": _extra_type_info(known, target),
        "filterable": known.filterable,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": known.groupable,
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": known.id_lookup,
    }


def _last_members(known: FieldSchema, target: ObjectSchema) -> dict[str, object]:
    is_polymorphic = len(known.references) > 1
    return {
        "inlineHelpText": None,
        "label": known.label,
        "length": known.length,
        "mask": None,
        "maskType": None,
        "name": known.name,
        "nameField": known.name == target.name_field,
        "namePointing": is_polymorphic,
        "nillable": known.nillable,
        "permissionable": (known.createable or known.updateable) and not known.required,
        "picklistValues": list(described_entries(known, target)),
        "polymorphicForeignKey": is_polymorphic,
        "precision": known.precision,
        "queryByDistance": known.type == "location",
        "referenceTargetField": None,
        "referenceTo": list(known.references),
        "relationshipName": known.relationship_name or None,
        "relationshipOrder": None,
        "restrictedDelete": known.restricts,
        "restrictedPicklist": known.restricted,
        "scale": known.scale,
        "searchPrefilterable": len(known.references) == 1,
        "soapType": _SOAP_TYPES.get(known.type, "xsd:string"),
        "sortable": known.sortable,
        "type": known.type,
        "unique": known.unique,
        "updateable": known.updateable,
        "writeRequiresMasterRead": False,
    }


def _default(known: FieldSchema) -> bool | str | None:
    """The default value of a field that is not a picklist, whose entries say it."""
    if known.type == "boolean":
        return known.default == "true"
    return None if known.entries else known.default


def _extra_type_info(known: FieldSchema, target: ObjectSchema) -> str | None:
    if known.name == target.name_field and any(one.compound == known.name for one in target.fields.values()):
        return "personname"
    return "plaintextarea" if known.type == "textarea" else None
