"""Events sent more than once are delivered once."""

from collections.abc import Callable

import pytest

from ..service import SECRETS, Service
from .orgs import org_beside

CASE = """\
sfmap: 1
event: track
object: Case
operation: create
opt_in: integrations.Salesforce
fields: {Subject: {from: event, required: true}}
"""


@pytest.fixture
def creating(service: Service) -> Service:
    """A service whose mapping finds nothing again: a second write would be a second record."""
    (service.folder.path / "mappings").mkdir()
    (service.folder.path / "mappings" / "case.yaml").write_text(CASE)
    project = service.folder.path / "sfmap.yaml"
    project.write_text(f"mappings: mappings\n{project.read_text()}")
    return service


def send(service: Service, message: object, key: str = "WEBSITE_KEY", **more: object) -> None:
    body = {"messageId": message, "event": "Asked", "userId": "u", "integrations": {"Salesforce": True}, **more}
    assert service.ask("/v1/track", {"writeKey": SECRETS[key], **body}).status == 200


def records(service: Service) -> object:
    return service.folder.rows('SELECT count(*) FROM "Case"')[0][0]


def together(_: Service) -> None:
    """The next copy comes at once."""


def one_by_one(service: Service) -> None:
    service.wait_until_delivered()


@pytest.mark.parametrize("between", [together, one_by_one])
@pytest.mark.parametrize("message", ["once", 77])
def test_copies_of_an_event_become_one_record(
    creating: Service, between: Callable[[Service], None], message: object
) -> None:
    creating.start("--linger", "0.5")
    for _ in range(3):
        send(creating, message)
        between(creating)
    creating.wait_until_delivered()
    assert records(creating) == 1
    assert creating.metric('sfmap_outcomes_total{outcome="skipped"}') == 2


@pytest.mark.parametrize("between", [together, one_by_one])
def test_each_source_has_its_own_message_ids(creating: Service, between: Callable[[Service], None]) -> None:
    """A website's key is public: nobody may use up the ids of a server with it."""
    creating.start("--linger", "0.5")
    send(creating, "1")
    between(creating)
    send(creating, "1", key="SERVER_KEY")
    creating.wait_until_delivered()
    assert records(creating) == 2


@pytest.mark.parametrize("between", [together, one_by_one])
def test_a_skipped_copy_does_not_block_a_later_one(creating: Service, between: Callable[[Service], None]) -> None:
    creating.start("--linger", "0.5")
    send(creating, "m", integrations={})
    between(creating)
    send(creating, "m")
    creating.wait_until_delivered()
    assert records(creating) == 1


def dead_letters(service: Service, *arguments: str) -> list[str]:
    return service.folder.sfmap("dead-letters", *arguments).stdout.splitlines()


@pytest.mark.parametrize("between", [together, one_by_one])
def test_copies_of_a_failed_event_are_one_dead_letter(
    creating: Service, between: Callable[[Service], None]
) -> None:
    """Else a retry would deliver each of them."""
    with org_beside(creating) as org:
        (creating.folder.path / "sfmap.yaml").write_text(
            f"mappings: mappings\n{(creating.folder.path / 'sfmap.yaml').read_text()}"
        )
        org.faults({"kind": "record_error", "calls": "create"})
        creating.start("--linger", "0.5", "--org", "beside")
        for _ in range(2):
            send(creating, "m", timestamp="2026-01-01T00:00:00Z", sentAt="2026-01-01T00:00:01Z")
            between(creating)
        creating.wait_until_delivered()
        (letter,) = dead_letters(creating, "--org", "beside")
        assert "(2 times)" in letter
        org.faults()
        creating.retry_dead_letters()
        assert creating.wait_for(lambda: "Dead letters retried: 1, failed again: 0." in creating.log())
        send(creating, "m")
        creating.wait_until_delivered()
        assert records(creating) == 1
        assert dead_letters(creating, "--org", "beside") == []


def test_copies_of_an_invalid_event_are_one_dead_letter(creating: Service) -> None:
    creating.start("--linger", "0.5")
    event = {"messageId": "m", "userId": "u"}
    for batch in ([{**event, "messageId": "other"}], [event, event]):
        assert creating.ask("/v1/batch", {"writeKey": SECRETS["WEBSITE_KEY"], "batch": batch}).status == 200
        creating.wait_until_delivered()
    assert len(dead_letters(creating)) == 2


def test_events_retried_by_a_command_are_known_to_the_service(creating: Service) -> None:
    creating.start()
    send(creating, "m", event="")
    creating.wait_until_delivered()
    assert len(dead_letters(creating)) == 1
    creating.stop()
    mapping = creating.folder.path / "mappings" / "case.yaml"
    mapping.write_text(mapping.read_text().replace("required: true", "default: none"))
    assert creating.folder.sfmap("retry").returncode == 0
    creating.start()
    send(creating, "m")
    creating.wait_until_delivered()
    assert records(creating) == 1
