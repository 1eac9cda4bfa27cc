"""The log of the service: a line for each window, ids for programs, and why it does not start."""

import orjson
import pytest

from ..service import KEY, PROJECT, Service

OPTED_IN = {"Salesforce": True}


def lines(service: Service) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in service.log().splitlines()]


def send_some(service: Service) -> None:
    """One that is created, one that is skipped, and one that fails."""
    batch = [
        {"type": "identify", "messageId": "m1", "traits": {"email": "ann@example.com"}, "integrations": OPTED_IN},
        {"type": "page", "messageId": "m2", "name": "secret plans"},
        {"type": "identify", "messageId": "m3", "traits": {"lastName": "Lee"}, "integrations": OPTED_IN},
    ]
    assert service.ask("/v1/batch", {"writeKey": KEY, "batch": batch}).status == 200
    service.wait_until_delivered()


def test_each_window_is_one_line(service: Service) -> None:
    service.start()
    send_some(service)
    (line,) = [line for line in service.log().splitlines() if "Delivered" in line]
    assert line.partition(" s: ")[2] == (
        "1 created, 1 skipped (no mapping takes it), 1 failed (a required value is missing)."
    )
    assert "Failed and kept: 1 record. To list all that failed, run: sfmap dead-letters\n" in service.log()
    assert "secret plans" not in service.log()
    assert "Lee" not in service.log()


def test_json_has_the_ids(service: Service) -> None:
    service.start("--log-format", "json")
    send_some(service)
    (said,) = [line for line in lines(service) if "outcomes" in line]
    assert said["events"] == 3
    assert said["outcomes"] == {"created": 1, "skipped": 1, "failed": 1}
    assert said["failed"] == {"a required value is missing": 1}
    assert said["skipped"] == {"no mapping takes it": 1}
    records = said["records"]
    assert isinstance(records, list)
    failed, created, skipped = records
    assert failed == {
        "event": "website:3",
        "messageId": "m3",
        "outcome": "failed",
        "mapping": "lead",
        "reason": "a required value is missing",
    }
    assert (created["messageId"], created["object"], len(created["id"])) == ("m1", "Lead", 18)
    assert (skipped["messageId"], skipped["reason"]) == ("m2", "no mapping takes it")
    assert "ann@example.com" not in service.log()


@pytest.mark.parametrize(
    ("project", "key", "told"),
    [
        (PROJECT.replace("  server:", "  a b/c:"), "diagnostics", "The project has errors: 1 mistake."),
        (PROJECT.replace("SERVER_KEY", "WEBSITE_KEY"), "exit_code", "have the same write key"),
        (PROJECT.replace("SERVER_KEY", "NO_SUCH_KEY"), "exit_code", "NO_SUCH_KEY is not set"),
    ],
    ids=["mistakes", "settings", "secrets"],
)
def test_why_it_does_not_start_is_json_too(service: Service, project: str, key: str, told: str) -> None:
    (service.folder.path / "sfmap.yaml").write_text(project)
    (line,) = service.refused("--log-format", "json").splitlines()
    said = orjson.loads(line)
    assert (said["level"], key in said) == ("error", True)
    assert told in said["message"]
