"""A running service that tests of one module share."""

from collections.abc import Iterator

import pytest

from ..folder import Folder
from ..service import PROJECT, Service


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for tests that do not mind each other; whatever they sent, it goes on, and delivers it."""
    folder = Folder(tmp_path_factory.mktemp("service"))
    (folder.path / "sfmap.yaml").write_text(PROJECT)
    service = Service(folder).start()
    yield service
    service.check()
    service.wait_until_delivered()
    service.check()
    assert service.stop() == 0
