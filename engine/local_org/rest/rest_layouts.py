"""Describes layouts over REST."""

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.records.ids import full_id
from sfmap.engine.local_org.records.layout_members import DescribedLayouts, described_layouts
from sfmap.engine.local_org.records.record_types import MASTER_RECORD_TYPE_ID, record_type_infos
from sfmap.engine.local_org.rest.rest_call import RestCall, not_found
from sfmap.engine.local_org.rest.rest_router import RestResource

_DESCRIBE = "/sobjects/{object}/describe"


def _layouts(call: RestCall) -> Response:
    described = _described(call)
    return JSONResponse(
        {
            "layouts": [_layout(one) for one in described.layouts],
            "recordTypeMappings": described.record_types,
            "recordTypeSelectorRequired": [len(described.record_types) > 1],
        }
    )


def _layout_of_record_type(call: RestCall) -> Response:
    described = _described(call)
    known = [one["recordTypeId"] for one in described.record_types]
    if full_id(call.params["record_type"]) not in known:
        return not_found()
    return JSONResponse(_layout(described.layouts[0]))


def _described(call: RestCall) -> DescribedLayouts:
    target = call.target()
    return described_layouts(target, call.schema, record_type_infos(call.store, call.schema, target))


def _layout(described: dict[str, object]) -> dict[str, object]:
    return {
        **described,
        "buttonLayoutSection": {"detailButtons": []},
        "feedView": None,
        "highlightsPanelLayoutSection": None,
        "multirowEditLayoutSections": [],
        "offlineLinks": [],
        "quickActionList": {"quickActionListItems": []},
        "relatedContent": None,
        "relatedLists": [],
        "saveOptions": [],
    }


def _named_layouts(call: RestCall) -> Response:
    return _layouts(call) if call.params["layout"] in call.target().named_layouts else not_found()


def _compact_layouts(call: RestCall) -> Response:
    target = call.target()
    item = {
        "editableForNew": False,
        "editableForUpdate": False,
        "label": target.fields[target.name_field].label if target.name_field in target.fields else target.label,
        "layoutComponents": [],
        "placeholder": False,
        "required": False,
    }
    layout = {
        "actions": [],
        "fieldItems": [item],
        "id": None,
        "imageItems": [],
        "label": "System Default",
        "name": "SYSTEM",
        "objectType": target.name,
    }
    mapping = {
        "available": True,
        "compactLayoutId": None,
        "compactLayoutName": "SYSTEM",
        "recordTypeId": MASTER_RECORD_TYPE_ID,
        "recordTypeName": "Master",
    }
    return JSONResponse(
        {
            "compactLayouts": [layout],
            "defaultCompactLayoutId": None,
            "recordTypeCompactLayoutMappings": [mapping],
        }
    )


def _approval_layouts(call: RestCall) -> Response:
    call.target()
    return JSONResponse({"approvalLayouts": []})


LAYOUT_RESOURCES = (
    RestResource(path=f"{_DESCRIBE}/layouts", resource=_layouts, operation="describeLayout"),
    RestResource(
        path=f"{_DESCRIBE}/layouts/{{record_type}}", resource=_layout_of_record_type, operation="describeLayout"
    ),
    RestResource(path=f"{_DESCRIBE}/namedLayouts/{{layout}}", resource=_named_layouts, operation="describeLayout"),
    RestResource(path=f"{_DESCRIBE}/compactLayouts", resource=_compact_layouts, operation="describeLayout"),
    RestResource(path=f"{_DESCRIBE}/approvalLayouts", resource=_approval_layouts, operation="describeLayout"),
)
