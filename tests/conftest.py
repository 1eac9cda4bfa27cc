"""What all tests share: folders, a project with its org, the service, and snapshots of one file for each case."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from sfmap.engine.local_org import process
from sfmap.tests.object_stores import azure_server, google_server, s3_server  # noqa: F401 - fixtures

from . import examples  # noqa: F401 - loads the profile of hypothesis
from .folder import Folder, Identify, identify
from .postgres import Postgres, running_postgres
from .scene import Scene, set_up_scene
from .service import Service, set_up_service
from .warm.programs import warm_python


def pytest_configure() -> None:
    """Undo what a shell does to jobs in the background: the commands under test would ignore Ctrl-C, too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


LONGEST = ("tests/sources/kafka/", "tests/scale/", "tests/pages/")
"""Folders whose tests wait for brokers, doubts and browsers."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what waits long: at the end, one test would keep all workers but one idle."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(scope="session", autouse=True)
def warm_local_orgs() -> None:
    """Local orgs start at once."""
    process.PYTHON = warm_python()


class CaseFile(SingleFileSnapshotExtension):
    """A text file named after the test and its case: `test_row[07-address.flat].txt`."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.fixture
def case_file(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(CaseFile)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture(name="identify")
def identify_fixture() -> Identify:
    return identify


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with set_up_scene(tmp_path) as ready:
        yield ready


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with set_up_service(tmp_path_factory.mktemp("service")) as ready:
        yield ready


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Its databases are empty when they are new: `postgres.new_database()`."""
    with running_postgres() as ready:
        yield ready
