"""A topic that cannot be read, or no longer has what comes next: a run says so and ends."""

import signal

import pytest

from ...folder import identify, wait_for
from ...kafka_brokers import Brokers
from ...postgres import free_port
from .topics import Topics, read

ON = "To go on with the oldest event that is left: sfmap run --source events --until-end --restart"


@pytest.fixture
def delivered(topics: Topics) -> Topics:
    """A topic of which three events are delivered."""
    topics.send(*(identify(f"{number}@b.co") for number in range(3)))
    assert read(topics.run()) == 3
    return topics


def test_events_that_were_removed_before_they_were_delivered(delivered: Topics, brokers: Brokers) -> None:
    delivered.send(*(identify(f"{number}@c.co") for number in range(5)))
    brokers.delete_records(delivered.topic, 0, before=6)
    said = delivered.run(code=2)
    assert (
        "events[0]: the next event to deliver has the offset 3, and the oldest one that is left 6: up to 3 events"
        f" were removed before they were delivered. Nothing more is delivered. {ON}"
    ) in said
    assert len(delivered.emails()) == 3
    assert read(delivered.run("--restart")) == 2
    assert len(delivered.emails()) == 5
    assert read(delivered.run()) == 0


def test_a_topic_that_was_created_again(delivered: Topics, brokers: Brokers) -> None:
    brokers.delete(delivered.topic)
    brokers.create(delivered.topic)
    delivered.send(*(identify(f"{number}@c.co") for number in range(5)))
    said = delivered.run(code=2)
    assert "events[0]: this is another topic of the same name, or another cluster, than the one that was" in said
    assert ON in said
    assert len(delivered.emails()) == 3
    assert read(delivered.run("--restart")) == 5
    assert len(delivered.emails()) == 8
    delivered.send(identify("last@c.co"))
    assert read(delivered.run()) == 1


def test_a_topic_that_is_deleted_while_it_is_delivered(topics: Topics, brokers: Brokers) -> None:
    topics.send(identify("a@b.co"))
    process = topics.folder.start("run", "--source", "events", "--linger", "0")
    wait_for(process, topics.has_leads)
    brokers.delete(topics.topic)
    _, said = process.communicate(timeout=60)
    brokers.create(topics.topic)
    assert process.returncode == 2, said.decode()
    assert f"events: the brokers have no topic {topics.topic}: create it, or correct the name" in said.decode()


def test_a_topic_that_does_not_exist(topics: Topics) -> None:
    text = (topics.folder.path / "sfmap.yaml").read_text()
    (topics.folder.path / "sfmap.yaml").write_text(text.replace(topics.topic, "nothing"))
    assert "events: the brokers have no topic nothing: create it, or correct the name in sfmap.yaml" in (
        topics.run(code=2)
    )


def test_brokers_that_do_not_answer(topics: Topics) -> None:
    address = f"127.0.0.1:{free_port()}"
    topics.project(address=address)
    said = topics.run(code=3)
    assert f"events: no broker of {address} can be used: check brokers in sfmap.yaml (" in said
    assert "Connection refused" in said


def test_a_password_for_brokers_that_take_none(topics: Topics) -> None:
    topics.project("security: {username: me, password: '${SECRET}', tls: false}")
    done = topics.folder.sfmap("run", "--source", "events", environment={"SECRET": "hunter2"})
    assert done.returncode == 2
    assert "events: " in done.stderr
    assert "hunter2" not in done.stderr


def test_events_that_are_removed_while_a_run_waits_for_the_org(delivered: Topics, brokers: Brokers) -> None:
    """The reader asks for events that are gone: it must not go on with later ones."""
    process = delivered.folder.start("run", "--source", "events", "--linger", "0", before=())
    delivered.send(identify("first@c.co"))
    wait_for(process, lambda: len(delivered.emails()) >= 4)
    process.send_signal(signal.SIGSTOP)
    delivered.send(*(identify(f"{number}@c.co") for number in range(5)))
    brokers.delete_records(delivered.topic, 0, before=7)
    process.send_signal(signal.SIGCONT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2, said.decode()
    assert "up to 3 events were removed before they were delivered" in said.decode()
    assert len(delivered.emails()) == 4
