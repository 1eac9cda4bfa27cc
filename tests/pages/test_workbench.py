"""The page of `sfmap dev`: no barrier in any state, and every task by keyboard."""

from collections.abc import Iterator

import pytest

from ..workbench.dev import Dev, started
from .acme import acme
from .browsers import BOTH, Browser, browse


@pytest.fixture
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    with started(acme(tmp_path_factory.mktemp("project"))) as running:
        yield running


def address(dev: Dev) -> str:
    return f"{dev.url}/?token={dev.token}"


@pytest.mark.parametrize("width", [1440, 1280, 390])
def test_no_state_has_a_barrier(dev: Dev, width: int) -> None:
    assert browse("workbench_states.mjs", address(dev), widths=[width], folder=str(dev.folder.path)) == {}


@pytest.mark.parametrize("browser", BOTH)
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
