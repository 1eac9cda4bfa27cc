"""What a describe says of an object, in the API's order; SOAP and REST write it in their own form."""

from collections.abc import Mapping, Sequence

from sfmap.engine.local_org.records.object_schema import ChildRelationship, ObjectSchema, Schema
from sfmap.engine.local_org.records.record_types import RecordTypeInfo

_SINCE: Mapping[str, int] = {
    "associateEntityType": 50,
    "associateParentEntity": 50,
    "dataTranslationEnabled": 48,
    "deepCloneable": 48,
    "defaultImplementation": 48,
    "implementedBy": 48,
    "implementsInterfaces": 48,
    "isInterface": 48,
    "isSubtype": 48,
}
_RECORD_TYPES_SINCE: Mapping[str, int] = {"active": 43, "developerName": 43}


def described_head(target: ObjectSchema, version: int) -> dict[str, object]:
    """The members that the list of all objects has; None for one that the object does not have."""
    fields = target.fields.values()
    facts: dict[str, object] = {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": any(known.createable for known in fields),
        "custom": target.custom,
        "customSetting": False,
        "dataTranslationEnabled": None,
        "deepCloneable": False,
        "deletable": True,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "idEnabled": True,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": target.key_prefix,
        "label": target.label,
        "labelPlural": target.plural,
        "layoutable": True,
        "mergeable": bool(target.merged_into),
        "mruEnabled": True,
        "name": target.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": True,
        "triggerable": True,
        "undeletable": True,
        "updateable": any(known.updateable for known in fields),
    }
    return _known_to(version, facts | dict.fromkeys(target.cannot, False), _SINCE)


def described_object(
    target: ObjectSchema,
    schema: Schema,
    *,
    version: int,
    base_url: str,
    fields: Sequence[Mapping[str, object]],
    record_types: Sequence[RecordTypeInfo],
) -> dict[str, object]:
    """Every member of the object, with these fields and record types; None for one that it does not have."""
    page = f"{base_url}/{{ID}}"
    facts: dict[str, object] = {
        **described_head(target, version),
        "actionOverrides": [],
        "childRelationships": [_child(child) for child in schema.children(target)],
        "compactLayoutable": True,
        "defaultImplementation": None,
        "fields": fields,
        "implementedBy": None,
        "implementsInterfaces": None,
        "namedLayoutInfos": [{"name": name} for name in target.named_layouts],
        "networkScopeFieldName": None,
        "recordTypeInfos": [
            _known_to(version, described_record_type(one), _RECORD_TYPES_SINCE) for one in record_types
        ],
        "searchLayoutable": True,
        "supportedScopes": _scopes(target),
        "urlDetail": page,
        "urlEdit": f"{page}/e",
        "urlNew": f"{base_url}/{target.key_prefix}/e",
    }
    return _known_to(version, dict(sorted(facts.items())), _SINCE)


def _known_to(version: int, facts: Mapping[str, object], since: Mapping[str, int]) -> dict[str, object]:
    return {name: value for name, value in facts.items() if since.get(name, 0) <= version}


def _child(child: ChildRelationship) -> dict[str, object]:
    return {
        "cascadeDelete": child.cascades,
        "childSObject": child.child.name,
        "deprecatedAndHidden": False,
        "field": child.field.name,
        "junctionIdListNames": [],
        "junctionReferenceTo": [],
        "relationshipName": child.name or None,
        "restrictedDelete": child.field.restricts,
    }


def described_record_type(info: RecordTypeInfo) -> dict[str, object]:
    return {
        "active": info.active,
        "available": info.active,
        "defaultRecordTypeMapping": info.default,
        "developerName": info.developer_name,
        "master": info.master,
        "name": info.name,
        "recordTypeId": info.id,
    }


def _scopes(target: ObjectSchema) -> list[dict[str, object]]:
    return [
        {"label": f"{'My' if name == 'mine' else 'All'} {target.plural.lower()}", "name": name}
        for name in ("everything", "mine")
        if name == "everything" or "OwnerId" in target.fields
    ]
