"""A service that keeps as many events for a write in doubt as it may: it waits, and does what is asked of it."""

from collections.abc import Mapping
from pathlib import Path

from ..service import KEY, Service
from .orgs import Beside, org_beside

LOOKED_UP = """\
sfmap: 1
event: identify
object: Lead
match: Email
fields:
  Email: {from: traits.email, required: true}
  LastName: {value: n/a}
  Company: {value: n/a}
  Title: traits.title
  LeadSource: {value: Web, write: create}
"""
FULL = 560
"""So many events of 30 KB are more than are kept."""


def send(service: Service, *traits: Mapping[str, object]) -> None:
    body = {"writeKey": KEY, "batch": [{"type": "identify", "traits": one} for one in traits]}
    assert service.ask("/v1/batch", body).status == 200


def fill(service: Service, org: Beside) -> None:
    """Has a write in doubt, and more events wait for it than are kept."""
    org.faults({"kind": "reset_after", "calls": "create", "times": 1})
    send(service, {"email": "a@b.co"})
    assert service.wait_for(lambda: service.metric("sfmap_held_records") == 1), service.log()
    for _ in range(FULL // 14):
        send(service, *[{"email": "a@b.co", "about": "x" * 30_000}] * 14)
    assert service.wait_for(lambda: service.metric("sfmap_held_records") == FULL + 1), service.log()


def leads(service: Service) -> list[tuple[object, ...]]:
    return service.folder.rows("SELECT Email, Title FROM Lead ORDER BY Email")


def mapped(folder: Path, text: str = LOOKED_UP) -> None:
    (folder / "mappings").mkdir(exist_ok=True)
    (folder / "mappings/lead.yaml").write_text(text)


def test_dead_letters_are_retried_and_mappings_read_again(service: Service) -> None:
    mapped(service.folder.path)
    with org_beside(service) as org:
        service.start("--org", "beside", "--linger", "0")
        send(service, {"email": ""})
        assert service.wait_for(lambda: "Failed and kept: 1 record" in service.log())
        fill(service, org)
        send(service, {"email": "b@b.co"})  # which is not taken
        service.retry_dead_letters()
        assert service.wait_for(lambda: "Dead letters retried: 1, failed again: 1" in service.log()), service.log()
        assert service.stop() == 0


def test_events_are_delivered_once_the_doubt_has_ended(service: Service) -> None:
    mapped(service.folder.path)
    with org_beside(service, more="call_limit: 20") as org:
        service.start("--org", "beside", "--linger", "0")
        fill(service, org)
        send(service, {"email": "a@b.co", "title": "Last"}, {"email": "b@b.co"})
        assert service.wait_for(lambda: leads(service) == [("a@b.co", "Last"), ("b@b.co", None)]), service.log()
        assert service.stop() == 0


def test_records_are_held_until_they_are_delivered(service: Service) -> None:
    mapped(service.folder.path)
    with org_beside(service, more="call_limit: 3") as org:
        service.start("--org", "beside", "--linger", "0")
        org.faults({"kind": "reset_after", "calls": "create", "times": 1})
        send(service, {"email": "a@b.co"})
        assert service.wait_for(lambda: service.metric("sfmap_held_records") == 1), service.log()
        send(service, {"email": "a@b.co", "title": "Last"})
        org.faults({"kind": "slow", "calls": "update", "seconds": 2})
        assert service.wait_for(lambda: service.metric("sfmap_held_records") == 0), service.log()
        assert leads(service) == [("a@b.co", "Last")]
        assert service.stop() == 0
