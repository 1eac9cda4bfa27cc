"""Brokers for all tests of this folder, and a topic for each."""

from collections.abc import Iterator

import pytest

from ...folder import Folder
from ...kafka_brokers import Brokers, running_brokers
from .topics import Topics, topic_of


@pytest.fixture(scope="session")
def brokers() -> Iterator[Brokers]:
    with running_brokers() as ready:
        yield ready


@pytest.fixture
def topics(folder: Folder, brokers: Brokers) -> Iterator[Topics]:
    with topic_of(folder, brokers) as ready:
        yield ready
