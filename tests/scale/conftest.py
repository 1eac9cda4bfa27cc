"""One org and one server of nodes for all trials of a worker."""

from collections.abc import Iterator

import pytest

from ..exactness.harness import Stage, stage
from .playing import NODE_SERVER


@pytest.fixture(scope="session")
def the_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("scale"), server=NODE_SERVER) as ready:
        yield ready
