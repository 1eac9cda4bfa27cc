"""`sfmap test`: runs the sample events of a project with pytest, independent of its configuration."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from sfmap.engine.errors import SfmapError
from sfmap.engine.testing.cases import EVENTS_FOLDER


class NoSamples(SfmapError):
    """There is nothing to test; the message says where events were expected."""


class _CtrlC:
    """A plugin that distinguishes Ctrl-C from other interruptions of pytest."""

    was_pressed = False

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """pytest's hook."""
        self.was_pressed = excinfo.type is KeyboardInterrupt


def run_cases(folder: Path, paths: Sequence[str], update: bool) -> int:
    """Runs the project's cases, or those below the paths; returns pytest's exit code.

    Raises `NoSamples`, and `KeyboardInterrupt`, which pytest itself would catch.
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
    code = pytest.main([*arguments, *(paths or [str(samples)])], plugins=[ctrl_c])
    if ctrl_c.was_pressed:
        raise KeyboardInterrupt
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise NoSamples("no sample events were found there: events are objects in .json and .ndjson files")
    return int(code)
