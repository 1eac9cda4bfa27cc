"""A topic whose number of partitions changes: order is kept, or the run says why it cannot be."""

from collections.abc import Iterator

import pytest

from ...folder import Folder, identify
from ...kafka_brokers import Brokers
from .topics import Topics, read, topic_of

WAITED = "events has grown from 2 to 4 partitions. The new ones wait for 0 s, until all producers know of them"


@pytest.fixture
def growing(folder: Folder, brokers: Brokers) -> Iterator[Topics]:
    """A topic of two partitions, delivered once, that can grow."""
    with topic_of(folder, brokers, partitions=2, room=6) as topics:
        topics.project("growth_wait: 0s")
        for partition in range(2):
            topics.send(identify(f"{partition}@b.co"), partition=partition)
        assert read(topics.run()) == 2
        yield topics


def test_new_partitions_wait_for_the_old_ones(growing: Topics) -> None:
    growing.send(identify("p@b.co", title="First"), partition=1)
    growing.grow(4)
    growing.send({**identify("p@b.co", title="Second"), "messageId": "second"}, partition=3)
    said = growing.run()
    assert WAITED in said
    assert read(said) == 2
    assert growing.folder.rows("SELECT Title FROM Lead WHERE Email = 'p@b.co'") == [("Second",)]
    growing.send(identify("q@b.co"), partition=2)
    assert WAITED not in growing.run()
    assert len(growing.emails()) == 4


def test_another_number_than_a_multiple_is_refused(growing: Topics) -> None:
    growing.grow(3)
    growing.send(identify("p@b.co"), partition=2)
    assert (
        "events: the topic had 2 partitions and has 3 now, so that keys have moved between them, and events of one"
        " record may overtake each other. Only a multiple of 2 is safe; order: relaxed"
    ) in growing.run(code=2)
    growing.project("order: relaxed")
    assert read(growing.run()) == 1
    assert len(growing.emails()) == 3


def test_more_partitions_than_are_safe_are_refused(growing: Topics) -> None:
    (growing.folder.path / "mappings").mkdir()
    (growing.folder.path / "mappings" / "lead.yaml").write_text(
        "sfmap: 1\nevent: identify\nobject: Lead\nmatch: [Email, Phone]\n"
        "fields: {Email: traits.email, Phone: traits.phone, LastName: {value: x}, Company: {value: x}}\n"
    )
    refused = (
        "the topic has 2 partitions, and these mappings are safe with one only: lead finds its Lead by Email or"
    )
    assert refused in growing.run(code=2)
    check = growing.folder.sfmap("check", "--source", "events")
    assert check.returncode == 2
    assert check.stdout.splitlines() == [
        "events: safe with one partition only",
        "  lead finds its Lead by Email or Phone: events with another key may find the same one",
        "  it has 2: sfmap run refuses it, unless the source says order: relaxed, which gives up the order of"
        " these records (docs/scale.md)",
    ]
    growing.project("order: relaxed")
    growing.send(identify("p@b.co"))
    assert read(growing.run()) == 1
    check = growing.folder.sfmap("check", "--source", "events")
    assert (check.returncode, check.stdout.splitlines()[-1]) == (0, "  it has 2, with order: relaxed")
