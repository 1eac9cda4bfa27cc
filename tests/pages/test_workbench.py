"""The page of `sfmap dev`: no barrier in any state, and every task by keyboard."""

import base64
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from ..workbench.dev import Dev, started
from .acme import ANA, acme
from .browsers import BOTH_AT_LENGTH, Browser, Looks, browse, each_look


@pytest.fixture
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    with started(acme(tmp_path_factory.mktemp("project"))) as running:
        yield running


def address(dev: Dev) -> str:
    return f"{dev.url}/?token={dev.token}"


@each_look
def test_no_state_has_a_barrier(dev: Dev, looks: Looks) -> None:
    assert browse("workbench_states.mjs", address(dev), looks=looks, folder=str(dev.folder.path)) == {}


@pytest.mark.parametrize("browser", BOTH_AT_LENGTH)
def test_every_task_is_done_by_keyboard(dev: Dev, browser: Browser) -> None:
    found = browse("workbench_keys.mjs", address(dev), browser, folder=str(dev.folder.path))
    assert (found["start"]["role"], found["left"], found["end"]["role"]) == ("textbox", True, "textbox")
    stops = [(stop["role"], stop["name"]) for stop in found["stops"]]
    assert len(stops) > 15, stops
    assert [stop for stop in found["stops"] if not (stop["isOutlined"] and stop["isInSight"])] == []
    assert sorted(found["panes"]) == ["mapping-pane", "record-pane", "samples-pane"]
    assert found["search"] == "Search the samples"
    assert found["jumped"] == "textbox"
    assert found["fields"][0] == "Status"
    assert found["unread"] == "traits.company.id"
    assert found["saved"] == ["  Status:            traits.plan | upper"]


def test_files_are_changed_as_they_should_be(tmp_path: Path) -> None:
    with started(acme(tmp_path)) as dev:
        catch(dev, {**ANA, "messageId": "came", "traits": {"email": "came@example.com"}})
        found = browse("workbench_files.mjs", address(dev), folder=str(dev.folder.path))
    assert found["conflicts"] == {
        "taken": "# identify calls BECOME Leads.",
        "kept": "# identify calls BECOME Leads. Mine.",
    }
    assert found["reverts"]
    assert found["recipe"]["saved"] == "when: traits.email | domain != 'initech.com'"
    assert "object: CampaignMember" in found["recipe"]["webinar"]
    assert "\nmatch: Email\n" in found["newMapping"]
    assert "  Email: traits.email\n" in found["newMapping"]
    assert found["caught"]


def catch(dev: Dev, event: object) -> None:
    """Has a service of the project deliver an event, and stops it once the workbench has the event."""
    process = dev.folder.start("serve", "--port", "0")
    assert process.stderr
    url = next(found[1] for line in process.stderr if (found := re.search(rb"(http://\S+)/v1/", line))).decode()
    authorization = {"Authorization": "Basic " + base64.b64encode(b"any:").decode()}
    answer = requests.post(f"{url}/v1/identify", json=event, headers=authorization, timeout=60)
    assert answer.status_code == 200, answer.text
    until = time.monotonic() + 60
    while not dev.get("/api/caught")["events"] and time.monotonic() < until:
        time.sleep(0.05)
    process.terminate()
    process.communicate(timeout=60)
