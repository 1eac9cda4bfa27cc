"""What is sent more than once is delivered once: whenever the copies come, and whosever ids they are."""

from collections.abc import Callable

import pytest

from .conftest import SECRETS, Service

CASE = """\
sfmap: 1
event: track
object: Case
operation: create
fields: {Subject: event}
"""


@pytest.fixture
def creating(service: Service) -> Service:
    """A service whose mapping finds nothing again: a second write would be a second record."""
    (service.folder.path / "mappings").mkdir()
    (service.folder.path / "mappings" / "case.yaml").write_text(CASE)
    project = service.folder.path / "sfmap.yaml"
    project.write_text(f"mappings: mappings\n{project.read_text()}")
    return service


def send(service: Service, message: object, key: str = "WEBSITE_KEY") -> None:
    body = {"writeKey": SECRETS[key], "messageId": message, "event": "Asked", "userId": "u"}
    assert service.ask("/v1/track", body).status == 200


def records(service: Service) -> object:
    return service.folder.rows('SELECT count(*) FROM "Case"')[0][0]


def together(_: Service) -> None:
    """The next copy comes at once."""


def one_by_one(service: Service) -> None:
    service.wait_until_delivered()


@pytest.mark.parametrize("between", [together, one_by_one])
@pytest.mark.parametrize("message", ["once", 77])
def test_copies_become_one_record(creating: Service, between: Callable[[Service], None], message: object) -> None:
    creating.start("--linger", "0.5")
    for _ in range(3):
        send(creating, message)
        between(creating)
    creating.wait_until_delivered()
    assert records(creating) == 1
    assert creating.metric('sfmap_outcomes_total{outcome="skipped"}') == 2


@pytest.mark.parametrize("between", [together, one_by_one])
def test_each_source_has_ids_of_its_own(creating: Service, between: Callable[[Service], None]) -> None:
    """A website's key is public: nobody may use up the ids of a server with it."""
    creating.start("--linger", "0.5")
    send(creating, "1")
    between(creating)
    send(creating, "1", key="SERVER_KEY")
    creating.wait_until_delivered()
    assert records(creating) == 2
