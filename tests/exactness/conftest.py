"""One org and one server of commands for all trials of a worker."""

from collections.abc import Iterator

import pytest

from ..postgres import Postgres
from .harness import Stage, stage


@pytest.fixture(scope="session")
def the_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("exactness")) as ready:
        yield ready


@pytest.fixture(scope="session")
def shared_stage(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[Stage]:
    """The same with the state of each project in PostgreSQL."""
    with stage(tmp_path_factory.mktemp("shared"), state=postgres.new_database()) as ready:
        yield ready
