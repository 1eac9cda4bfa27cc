"""One org and one server of commands for all trials of a worker."""

from collections.abc import Iterator

import pytest

from .harness import Stage, stage


@pytest.fixture(scope="session")
def the_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("exactness")) as ready:
        yield ready
