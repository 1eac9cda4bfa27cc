"""`sfmap test`: runs the sample events of a project with pytest, independent of its configuration."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from sfmap.engine.errors import SfmapError
from sfmap.engine.testing.cases import EVENTS_FOLDER


class NoSamples(SfmapError):
    """There is nothing to test; the message says where events were expected."""


class _CtrlC:
    """A plugin that stops between two cases at the first Ctrl-C, and at once at the second.

    Python would raise `KeyboardInterrupt` at any line of pytest, and some take it for a fault of pytest itself.
    """

    was_pressed = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """A handler of SIGINT."""
        if self.was_pressed:
            signal.default_int_handler(number, frame)
        self.was_pressed = True

    def pytest_itemcollected(self) -> None:
        """pytest's hook."""
        self._stop()

    def pytest_runtest_logfinish(self) -> None:
        """pytest's hook."""
        self._stop()

    def _stop(self) -> None:
        if self.was_pressed:
            raise KeyboardInterrupt

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Handles Ctrl-C; raises `KeyboardInterrupt` at the end if it was pressed."""
        previous = signal.signal(signal.SIGINT, self.handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)
            self._stop()


def run_cases(folder: Path, paths: Sequence[str], update: bool) -> int:
    """Runs the project's cases, or those below the paths; returns pytest's exit code.

    Raises `NoSamples`, and `KeyboardInterrupt` after Ctrl-C, which pytest itself would catch.
    """
    samples = folder / EVENTS_FOLDER
    if not paths and not samples.is_dir():
        raise NoSamples(f"there are no sample events: put files of events into {samples}")
    # No other plugin and no configuration file may affect the cases.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    # In a worker of pytest-xdist, which a test that calls this command may be, syrupy leaves out its report.
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_XDIST_WORKER"):
        os.environ.pop(name, None)
    arguments = ["-c", os.devnull, f"--rootdir={folder}", "-p", "syrupy", "-p", "sfmap.engine.testing.plugin"]
    arguments += ["-p", "no:cacheprovider", "--noconftest", "--import-mode=importlib", "-q", "-rN", "--no-header"]
    arguments += ["--snapshot-update"] if update else []
    ctrl_c = _CtrlC()
    with ctrl_c.watched():
        code = pytest.main([*arguments, *(paths or [str(samples)])], plugins=[ctrl_c])
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise NoSamples("no sample events were found there: events are objects in .json and .ndjson files")
    return int(code)
