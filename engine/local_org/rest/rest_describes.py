"""Describes objects and fields over REST."""

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.calls.api_versions import version_number
from sfmap.engine.local_org.records.field_members import described_fields
from sfmap.engine.local_org.records.object_members import described_head, described_object, described_record_type
from sfmap.engine.local_org.records.object_schema import ObjectSchema
from sfmap.engine.local_org.records.record_types import record_type_infos
from sfmap.engine.local_org.rest.rest_call import RestCall

_MOST_RECORDS = 200
_SOAP_TYPES = {"tns:address": "urn:address", "tns:location": "urn:location"}


def describe_global(call: RestCall) -> Response:
    described = [head(call, target) for target in call.schema.objects.values()]
    return JSONResponse({"encoding": "UTF-8", "maxBatchSize": _MOST_RECORDS, "sobjects": described})


def describe_object(call: RestCall) -> Response:
    target = call.target()
    version = version_number(call.version)
    fields = [
        known | {"soapType": _SOAP_TYPES.get(str(known["soapType"]), known["soapType"])}
        for known in described_fields(target, version)
    ]
    record_types = record_type_infos(call.store, call.schema, target)
    facts = described_object(
        target,
        call.schema,
        version=version,
        base_url=call.base_url,
        fields=fields,
        record_types=record_types,
    )
    layouts = f"{_urls(call, target)['describe']}/layouts"
    described = {
        **facts,
        "recordTypeInfos": [
            {**described_record_type(one), "urls": {"layout": f"{layouts}/{one.id}"}} for one in record_types
        ],
        "listviewable": None,
        "lookupLayoutable": None,
        "sobjectDescribeOption": "FULL",
        "urls": {
            **_urls(call, target),
            "uiDetailTemplate": facts["urlDetail"],
            "uiEditTemplate": facts["urlEdit"],
            "uiNewRecord": facts["urlNew"],
        },
    }
    return JSONResponse(dict(sorted(described.items())))


def head(call: RestCall, target: ObjectSchema) -> dict[str, object]:
    """What the list of all objects has for one of them."""
    return {
        **described_head(target, version_number(call.version)),
        "urls": _urls(call, target),
    }


def _urls(call: RestCall, target: ObjectSchema) -> dict[str, str]:
    url = f"{call.root}/sobjects/{target.name}"
    return {"rowTemplate": f"{url}/{{ID}}", "describe": f"{url}/describe", "sobject": url}
