"""`sfmap serve --to events`: events are acknowledged once the brokers have them."""

from collections.abc import Iterator

import pytest

from ...folder import Folder, identify
from ...kafka_brokers import Brokers, running_brokers
from ...service import KEY, Service, set_up_service
from .topics import Topics, topic_of

PARTITIONS = 4


@pytest.fixture
def own_brokers() -> Iterator[Brokers]:
    """Brokers that a test may stop."""
    with running_brokers() as ready:
        yield ready


@pytest.fixture
def nodes(folder: Folder, own_brokers: Brokers) -> Iterator[tuple[Service, Topics]]:
    """Two projects, of which one accepts and the other delivers."""
    (folder.path / "accepts").mkdir()
    (folder.path / "delivers").mkdir()
    with (
        set_up_service(folder.path / "accepts") as service,
        topic_of(Folder(folder.path / "delivers"), own_brokers, PARTITIONS) as topics,
    ):
        source = (topics.folder.path / "sfmap.yaml").read_text().partition("sources:")[2]
        with (service.folder.path / "sfmap.yaml").open("a") as project:
            project.write(f"sources:{source}")
        service.arguments = ("--to", "events")
        yield service, topics


def batch(*emails: str) -> dict[str, object]:
    return {"writeKey": KEY, "batch": [identify(email) for email in emails]}


def test_accepted_events_are_delivered_by_a_worker(nodes: tuple[Service, Topics]) -> None:
    service, topics = nodes
    service.start()
    emails = [f"{number}@b.co" for number in range(20)]
    assert service.ask("/v1/batch", batch(*emails)).status == 200
    assert service.ask("/v1/identify", {**identify("21@b.co"), "writeKey": KEY}).status == 200
    assert service.ask("/v1/batch", batch(emails[0])).status == 200
    assert service.ask("/v1/batch", {**batch("x@b.co"), "writeKey": "wrong"}).status == 401
    assert service.metric('sfmap_accepted_total{source="website"}') == 22
    assert service.metric("sfmap_brokers_up") == 1
    assert service.ask("/readyz").body == f"accepting; events go to the topic {topics.topic}\n".encode()
    assert service.stop() == 0
    assert not (service.folder.path / ".sfmap").exists()
    assert "skipped            1  an event with the same messageId came before" in topics.run()
    assert len(topics.emails()) == 21


def test_events_of_one_record_are_in_one_partition(nodes: tuple[Service, Topics]) -> None:
    service, topics = nodes
    service.start()
    spellings = ("ann@b.co", "Ann@B.co", " ANN@b.co ")
    people = [f"{number}@b.co" for number in range(8)]
    for number, email in enumerate((*spellings, *people)):
        event = {**identify(email), "messageId": f"m{number}", "writeKey": KEY}
        assert service.ask("/v1/identify", event).status == 200
    service.check()
    found = topics.partitions_by_email()
    assert {len(places) for places in found.values()} == {1}
    assert set(found) == {"ann@b.co", *people}
    assert len(set().union(*found.values())) > 1


def test_events_are_refused_while_no_broker_answers(nodes: tuple[Service, Topics], own_brokers: Brokers) -> None:
    service, topics = nodes
    service.start()
    assert service.ask("/v1/batch", batch("a@b.co")).status == 200
    own_brokers.stop_answering()
    refused = service.ask("/v1/batch", batch("b@b.co"))
    assert (refused.status, refused.headers["retry-after"]) == (503, "30")
    assert b"The events cannot be stored now. Try again later." in refused.body
    own_brokers.answer()
    assert service.wait_for(lambda: service.ask("/v1/batch", batch("b@b.co")).status == 200)
    assert service.wait_for(lambda: service.ask("/readyz").status == 200)
    service.check()
    assert service.stop() == 0
    topics.run()
    assert topics.emails() == ["a@b.co", "b@b.co"]


def test_a_node_does_not_start_without_its_topic(nodes: tuple[Service, Topics]) -> None:
    service, topics = nodes
    text = (service.folder.path / "sfmap.yaml").read_text()
    assert "sfmap.yaml has no topic named event under sources; did you mean events?" in service.refused(
        "--to", "event"
    )
    (service.folder.path / "sfmap.yaml").write_text(text.replace(topics.topic, "nothing"))
    assert "the brokers have no topic nothing: create it, or correct the name" in service.refused("--to", "events")
