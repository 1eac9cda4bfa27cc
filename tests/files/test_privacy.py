"""Files and folders that hold event data are private, whichever command creates them."""

import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ..folder import Folder, Identify, interrupt, warm_sfmap

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
NAMES = ("journal.db", "journal.db-wal", "org.db", "org.db-wal", "org.db-shm", "run.lock", "run.pid", "spool.db")


def open_to_others(folder: Path) -> dict[str, str]:
    """What others can read or write below the folder, and its mode."""
    paths = [folder, *folder.rglob("*")]
    modes = {str(path.relative_to(folder.parent)): path.stat().st_mode for path in paths}
    return {name: stat.filemode(mode) for name, mode in modes.items() if mode & 0o077}


def wide(folder: Folder) -> None:
    """A folder of an earlier version, open to everybody."""
    state = folder.path / ".sfmap"
    (state / "describe").mkdir(parents=True)
    for name in NAMES[2:]:
        (state / name).touch()
    for path in (state, *state.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)


@contextmanager
def running(folder: Folder, *arguments: str) -> Iterator[None]:
    """The command, from its first line on until it is interrupted."""
    process = subprocess.Popen(
        [*warm_sfmap(), *arguments], cwd=folder.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
    )
    try:
        assert process.stdout
        assert process.stdout.readline()
        yield
    finally:
        interrupt(process)
        process.communicate(timeout=60)


@pytest.mark.parametrize("is_there", [False, True], ids=["new", "open before"])
def test_run_creates_private_files(folder: Folder, identify: Identify, is_there: bool) -> None:
    if is_there:
        wide(folder)
        (folder.path / "report.json").touch(0o666)
        (folder.path / "results.ndjson").touch(0o666)
    events = folder.write("e.ndjson", [identify("a@b.co"), identify("")])

    done = folder.sfmap("run", events, "--report", "report.json", "--results", "results.ndjson")

    assert done.returncode == 1, done.stderr
    assert open_to_others(folder.path / ".sfmap") == {}
    for name in ("report.json", "results.ndjson"):
        assert stat.S_IMODE((folder.path / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("is_there", [False, True], ids=["new", "open before"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("describe", "Lead"),
        ("check", "--org", "local"),
        ("dead-letters",),
        ("limits",),
        ("org", "clone", "Lead"),
    ],
    ids=" ".join,
)
def test_every_command_creates_a_private_folder(
    folder: Folder, arguments: tuple[str, ...], is_there: bool
) -> None:
    if is_there:
        wide(folder)
    done = folder.sfmap(*arguments)
    assert done.returncode == 0, done.stderr
    assert (folder.path / ".sfmap").is_dir()
    assert open_to_others(folder.path / ".sfmap") == {}


@pytest.mark.parametrize("is_there", [False, True], ids=["new", "open before"])
@pytest.mark.parametrize("arguments", [("org", "start", "--log", "calls.log"), ("serve",)], ids=" ".join)
def test_a_server_creates_private_files(folder: Folder, arguments: tuple[str, ...], is_there: bool) -> None:
    if is_there:
        wide(folder)
    with running(folder, *arguments, "--port", "0"):
        left = open_to_others(folder.path / ".sfmap")
        log = folder.path / "calls.log"
        assert not log.exists() or stat.S_IMODE(log.stat().st_mode) == 0o600
    assert left == {}


def test_a_database_in_another_folder_leaves_the_mode_of_that_folder(folder: Folder) -> None:
    shared = folder.path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    with running(folder, "org", "start", "--port", "0", "--db", "shared/org.db"):
        assert stat.S_IMODE(shared.stat().st_mode) == 0o755
        assert set(open_to_others(shared)) == {"shared"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "e.ndjson", "--results"),
        ("run", "e.ndjson", "--report"),
        ("org", "start", "--port", "0", "--db"),
        ("org", "start", "--port", "0", "--log"),
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_the_mode_of_a_folder_that_is_given_for_a_file_stays_unchanged(
    folder: Folder, identify: Identify, arguments: tuple[str, ...]
) -> None:
    folder.write("e.ndjson", [identify("a@b.co")])
    shared = folder.path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    done = folder.sfmap(*arguments, "shared")
    assert done.returncode in (2, 3)
    assert "directory" in done.stderr
    assert stat.S_IMODE(shared.stat().st_mode) == 0o777


@pytest.mark.parametrize("arguments", [("--log", os.devnull), ("--log", "/dev/stderr")], ids=" ".join)
def test_the_mode_of_a_log_that_is_no_file_stays_unchanged(folder: Folder, arguments: tuple[str, ...]) -> None:
    before = Path(arguments[1]).stat().st_mode
    with running(folder, "org", "start", "--port", "0", *arguments):
        assert Path(arguments[1]).stat().st_mode == before


def test_the_mode_of_a_device_stays_unchanged(folder: Folder, identify: Identify) -> None:
    before = Path(os.devnull).stat().st_mode
    events = folder.write("e.ndjson", [identify("a@b.co")])
    assert folder.sfmap("run", events, "--results", os.devnull).returncode == 0
    assert Path(os.devnull).stat().st_mode == before
