"""The operations page of `sfmap serve`: no barrier in any state, and usable by keyboard alone."""

from collections.abc import Iterator

import pytest

from ..serve.orgs import Beside, org_beside
from ..service import KEY, PROJECT, Service, set_up_service
from .browsers import BOTH, BOTH_AT_LENGTH, Browser, Looks, browse, each_look

OPTED_IN = {"Salesforce": True}
LONG = "x" * 300
REFUSAL = {
    "kind": "record_error",
    "calls": "upsert",
    "code": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    "message": "Annual Revenue may not be lower than 0 for a customer",
}
DUPLICATE = {
    "kind": "record_error",
    "calls": "upsert",
    "code": "DUPLICATES_DETECTED",
    "message": f"Use one of these records? 00Q000000000001EAA {LONG}",
}


def person(number: int, **traits: object) -> dict[str, object]:
    return {
        "type": "identify",
        "messageId": f"web-{number}",
        "integrations": OPTED_IN,
        "traits": {
            "email": f"person{number}@initech.com",
            "name": "Peter Gibbons",
            "title": "VP of Derp",
            **traits,
        },
    }


def send(service: Service, *events: dict[str, object]) -> None:
    assert service.ask("/v1/batch", {"writeKey": KEY, "batch": list(events)}).status == 200


def fill(service: Service, org: Beside) -> None:
    """Everything that the page can show of a service at work."""
    send(service, *(person(number) for number in range(60)))
    send(
        service, *({**person(number, favouriteArtist="x"), "messageId": f"again-{number}"} for number in range(20))
    )
    send(service, {**person(1), "messageId": "skipped", "integrations": {}})
    send(service, {"type": "group", "groupId": "g", "traits": {"name": LONG}, "integrations": OPTED_IN})
    send(service, {"type": "track", "event": f"<b>{LONG}</b>", "messageId": "<script>alert(1)</script>"})
    send(service, {"type": "identify", "integrations": OPTED_IN})
    service.wait_until_delivered()
    for number, fault in enumerate((REFUSAL, DUPLICATE)):
        org.faults(dict(fault))
        send(service, *(person(100 + 10 * number + more) for more in range(4)))
        service.wait_until_delivered()
    org.faults()


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with set_up_service(tmp_path_factory.mktemp("busy")) as service, org_beside(service) as org:
        service.start("--org", "beside")
        fill(service, org)
        yield service
        service.check()


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with set_up_service(tmp_path_factory.mktemp("empty")) as service:
        yield service.start()


@each_look
def test_a_service_at_work_has_no_barrier_in_any_state(busy: Service, looks: Looks) -> None:
    assert browse("operations.mjs", f"{busy.url}/", of="busy", looks=looks) == {}


@each_look
def test_an_empty_service_has_no_barrier(empty: Service, looks: Looks) -> None:
    assert browse("operations.mjs", f"{empty.url}/", of="empty", looks=looks) == {}


@each_look
def test_a_service_whose_org_is_away_has_no_barrier(service: Service, looks: Looks) -> None:
    with org_beside(service) as org:
        service.start("--org", "beside")
        send(service, person(1))
        service.wait_until_delivered()
        org.faults({"kind": "server_unavailable", "calls": "upsert"})
        send(service, person(2), person(3))
        assert service.wait_for(lambda: "delivery starts again" in service.log())
        assert browse("operations.mjs", f"{service.url}/", of="away", looks=looks) == {}


@each_look
def test_a_service_without_a_history_has_no_barrier(service: Service, looks: Looks) -> None:
    (service.folder.path / "sfmap.yaml").write_text(PROJECT.replace("serve:\n", "serve:\n  history: off\n"))
    service.start()
    send(service, person(1))
    service.wait_until_delivered()
    assert browse("operations.mjs", f"{service.url}/", of="off", looks=looks) == {}


@pytest.mark.parametrize("browser", BOTH)
def test_the_keyboard_alone_is_enough(busy: Service, browser: Browser) -> None:
    found = browse("operations.mjs", f"{busy.url}/", browser, walk=True)
    assert [stop for stop in found["stops"] if not (stop["isOutlined"] and stop["isInSight"])] == []
    assert found["inList"] == 1, "the list is one tab stop"
    assert len({found[name]["name"] for name in ("first", "second", "last")}) == 3
    assert found["kept"]["name"] == found["last"]["name"], "the focus stays in the list"
    assert found["typed"] == "person3@"


@pytest.mark.parametrize("browser", BOTH_AT_LENGTH)
def test_a_list_that_is_read_stays_as_it_is_until_it_is_asked_for(empty: Service, browser: Browser) -> None:
    found = browse("operations_live.mjs", f"{empty.url}/", browser, key=KEY)
    assert found == {"kept": "one@b.co", "figure": "2", "newest": "two@b.co"}


def test_a_page_without_a_connection_says_so_and_comes_back(empty: Service) -> None:
    assert browse("operations_away.mjs", f"{empty.url}/") == []
