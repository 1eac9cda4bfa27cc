"""`sfmap test`: the sample events of a project through pytest, the same everywhere."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from sfmap.engine.testing.cases import EVENTS_FOLDER


class NoSamples(Exception):
    """There is nothing to test; the message says where it was looked for."""


def run_cases(folder: Path, paths: Sequence[str], update: bool) -> int:
    """Runs the project's cases, or those below the paths, and gives pytest's exit code. Raises `NoSamples`."""
    samples = folder / EVENTS_FOLDER
    if not paths and not samples.is_dir():
        raise NoSamples(f"there are no sample events: put files of events into {samples}")
    # No other plugin and no configuration file may change what the cases say.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    arguments = ["-c", os.devnull, f"--rootdir={folder}", "-p", "syrupy", "-p", "sfmap.engine.testing.plugin"]
    arguments += ["-p", "no:cacheprovider", "--noconftest", "--import-mode=importlib", "-q", "-rN", "--no-header"]
    code = pytest.main([*arguments, *(["--snapshot-update"] if update else []), *(paths or [str(samples)])])
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise NoSamples("there is no sample event there: events are objects in .json and .ndjson files")
    return int(code)
