"""Layouts and list views over REST."""

from typing import Any

import pytest
import requests

from sfmap.engine.local_org.process import LocalOrg
from sfmap.tests.local_org.conftest import Client, record


@pytest.fixture(scope="module")
def get(local: LocalOrg, client: Client) -> Any:
    def answer(path: str, status: int = 200) -> Any:
        head = {"Authorization": f"Bearer {client.session_id}"}
        url = path if path.startswith("/services") else f"/services/data/v64.0/sobjects/{path}"
        response = requests.get(local.url + url, headers=head, timeout=30)
        assert response.status_code == status, response.text
        return response.json()

    return answer


def test_a_layout_has_a_row_for_each_field(get: Any) -> None:
    described = get("Lead/describe/layouts")
    (layout,) = described["layouts"]
    rows = layout["detailLayoutSections"][0]["layoutRows"]
    assert "Email" in [row["layoutItems"][0]["label"] for row in rows]
    assert described["recordTypeMappings"][0]["layoutId"] == layout["id"]
    assert described["recordTypeSelectorRequired"] == [False]


def test_the_layout_of_a_record_type_is_where_a_describe_says(get: Any) -> None:
    url = get("Lead/describe")["recordTypeInfos"][-1]["urls"]["layout"]
    assert get(url)["id"] == get("Lead/describe/layouts")["layouts"][0]["id"]
    assert get("Lead/describe/layouts/012000000000999AAA", 404)[0]["errorCode"] == "NOT_FOUND"


def test_named_layouts_are_those_that_the_object_has(get: Any) -> None:
    assert get("User/describe/namedLayouts/UserAlt")["layouts"]
    assert get("User/describe")["namedLayoutInfos"] == [{"name": "UserAlt"}]
    assert get("Lead/describe/namedLayouts/UserAlt", 404)[0]["errorCode"] == "NOT_FOUND"


def test_compact_and_approval_layouts(get: Any) -> None:
    (compact,) = get("Account/describe/compactLayouts")["compactLayouts"]
    assert (compact["objectType"], compact["fieldItems"][0]["label"]) == ("Account", "Account Name")
    assert get("Account/describe/approvalLayouts") == {"approvalLayouts": []}


def test_a_list_view_is_listed_described_and_run(get: Any, client: Client) -> None:
    client.call(f"<create>{record('Campaign', Name='Listed')}</create>")
    everything, own = get("Campaign/listviews")["listviews"]
    assert (everything["label"], own["label"]) == ("All Campaigns", "My Campaigns")
    described = get(everything["describeUrl"])
    assert described["query"].startswith("SELECT Name, ")
    for view in (everything, own):
        results = get(view["resultsUrl"])
        assert results["size"] == len(results["records"])
        assert {"fieldNameOrPath": "Name", "value": "Listed"} in [one["columns"][0] for one in results["records"]]
    assert get(f"{everything['resultsUrl']}?limit=0")["records"] == []


def test_an_unknown_list_view_is_not_found(get: Any) -> None:
    assert get("Lead/listviews/00B000000000999AAA/describe", 404)[0]["errorCode"] == "NOT_FOUND"
    assert get("Nope/listviews", 404)[0]["errorCode"] == "NOT_FOUND"
