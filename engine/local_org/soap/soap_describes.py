"""Describes objects and fields over SOAP."""

from sfmap.engine.local_org.faults.org_faults import unexpected
from sfmap.engine.local_org.records.object_schema import FieldSchema, ObjectSchema
from sfmap.engine.local_org.records.picklists import described_entries
from sfmap.engine.local_org.soap.envelope import element
from sfmap.engine.local_org.soap.soap_call import SoapCall
from sfmap.engine.local_org.soap.soap_writes import MOST_RECORDS

_MOST_DESCRIBES = 100


def describe_global(call: SoapCall) -> str:
    described = "".join(f"<sobjects>{_object_head(target)}</sobjects>" for target in call.schema.objects.values())
    return f"<result><encoding>UTF-8</encoding><maxBatchSize>{MOST_RECORDS}</maxBatchSize>{described}</result>"


def describe_objects(call: SoapCall) -> str:
    names = call.request.texts("sObjectType")
    if len(names) > _MOST_DESCRIBES:
        raise unexpected(
            "EXCEEDED_ID_LIMIT", f"describe limit reached. cannot describe more than {_MOST_DESCRIBES}"
        )
    return "".join(f"<result>{_described(call.object(name))}</result>" for name in names)


def _object_head(target: ObjectSchema) -> str:
    facts: dict[str, object] = {
        "activateable": False,
        "createable": True,
        "custom": target.custom,
        "customSetting": False,
        "deletable": True,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "keyPrefix": target.key_prefix,
        "label": target.label,
        "labelPlural": target.plural,
        "layoutable": True,
        "mergeable": False,
        "name": target.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": True,
        "triggerable": True,
        "undeletable": True,
        "updateable": True,
    }
    return "".join(element(name, value) for name, value in facts.items())


def _described(target: ObjectSchema) -> str:
    fields = "".join(f"<fields>{_described_field(known, target)}</fields>" for known in target.fields.values())
    return _object_head(target) + fields


def _described_field(known: FieldSchema, target: ObjectSchema) -> str:
    facts: dict[str, object] = {
        "byteLength": known.length * 3,
        **({"controllerName": known.controller} if known.controller else {}),
        "createable": known.createable,
        "custom": known.custom,
        "defaultedOnCreate": known.defaulted,
        "dependentPicklist": bool(known.controller),
        "digits": known.digits,
        "externalId": known.external_id,
        "filterable": known.filterable,
        "idLookup": known.id_lookup,
        "label": known.label,
        "length": known.length,
        "name": known.name,
        "nillable": known.nillable,
        "precision": known.precision,
        "restrictedPicklist": known.restricted,
        "scale": known.scale,
        "type": known.type,
        "unique": known.unique,
        "updateable": known.updateable,
    }
    values = "".join(
        f"<picklistValues>{''.join(element(name, said) for name, said in entry.items())}</picklistValues>"
        for entry in described_entries(known, target)
    )
    references = "".join(element("referenceTo", name) for name in known.references)
    relationship = element("relationshipName", known.relationship_name) if known.relationship_name else ""
    return "".join(element(name, value) for name, value in facts.items()) + values + references + relationship
