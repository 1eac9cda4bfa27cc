"""Describes layouts over REST."""

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.records.layout_members import described_layouts
from sfmap.engine.local_org.records.record_types import MASTER_RECORD_TYPE_ID
from sfmap.engine.local_org.rest.rest_call import RestCall, not_found
from sfmap.engine.local_org.rest.rest_router import RestResource

_DESCRIBE = "/sobjects/{object}/describe"


def _layouts(call: RestCall) -> Response:
    described = described_layouts(call.target(), call.schema)
    layouts = [
        {
            **layout,
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
        for layout in described.layouts
    ]
    return JSONResponse(
        {
            "layouts": layouts,
            "recordTypeMappings": described.record_types,
            "recordTypeSelectorRequired": [False],
        }
    )


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
    RestResource(path=f"{_DESCRIBE}/namedLayouts/{{layout}}", resource=_named_layouts, operation="describeLayout"),
    RestResource(path=f"{_DESCRIBE}/compactLayouts", resource=_compact_layouts, operation="describeLayout"),
    RestResource(path=f"{_DESCRIBE}/approvalLayouts", resource=_approval_layouts, operation="describeLayout"),
)
