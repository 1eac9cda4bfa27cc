"""Describes objects and fields over REST."""

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.records.object_schema import FieldSchema, ObjectSchema
from sfmap.engine.local_org.records.picklists import described_entries
from sfmap.engine.local_org.rest.rest_call import RestCall

_MOST_RECORDS = 200
_SOAP_TYPES = {"id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int"}


def describe_global(call: RestCall) -> Response:
    described = [_head(call, target) for target in call.schema.objects.values()]
    return JSONResponse({"encoding": "UTF-8", "maxBatchSize": _MOST_RECORDS, "sobjects": described})


def describe_object(call: RestCall) -> Response:
    target = call.target()
    fields = [_field(known, target) for known in target.fields.values()]
    return JSONResponse({**_head(call, target), "fields": fields, "childRelationships": [], "recordTypeInfos": []})


def _head(call: RestCall, target: ObjectSchema) -> dict[str, object]:
    url = f"{call.root}/sobjects/{target.name}"
    flags = ("createable", "deletable", "queryable", "retrieveable", "searchable", "undeletable", "updateable")
    return {
        "name": target.name,
        "label": target.label,
        "labelPlural": target.plural,
        "keyPrefix": target.key_prefix,
        "custom": target.custom,
        **dict.fromkeys(flags, True),
        "urls": {"sobject": url, "describe": f"{url}/describe", "rowTemplate": f"{url}/{{ID}}"},
    }


def _field(known: FieldSchema, target: ObjectSchema) -> dict[str, object]:
    return {
        "name": known.name,
        "label": known.label,
        "type": known.type,
        "soapType": _SOAP_TYPES.get(known.type, "xsd:string"),
        "length": known.length,
        "byteLength": known.length * 3,
        "precision": known.precision,
        "scale": known.scale,
        "digits": known.digits,
        "createable": known.createable,
        "updateable": known.updateable,
        "nillable": known.nillable,
        "defaultedOnCreate": known.defaulted,
        "externalId": known.external_id,
        "idLookup": known.id_lookup,
        "unique": known.unique,
        "custom": known.custom,
        "restrictedPicklist": known.restricted,
        "picklistValues": list(described_entries(known, target)),
        "filterable": known.filterable,
        "dependentPicklist": bool(known.controller),
        "controllerName": known.controller or None,
        "referenceTo": list(known.references),
        "relationshipName": known.relationship_name or None,
    }
