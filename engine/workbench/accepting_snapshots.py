"""Accepts what the samples become as their new snapshots: runs `sfmap test --update`."""

import os
import subprocess
import sys
from pathlib import Path
from threading import Lock

_LONGEST = 300.0
_COMMAND = ("-c", "from sfmap.cli import main; main()", "test", "--update")
_LONGEST_MESSAGE = 4_000
_running = Lock()


def accept_snapshots(folder: Path) -> tuple[bool, str]:
    """Whether all samples have their snapshot now, and what the command says."""
    with _running:
        try:
            done = subprocess.run(  # noqa: S603
                [sys.executable, *_COMMAND],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=_LONGEST,
                env={**os.environ, "NO_COLOR": "1"},
            )
        except subprocess.TimeoutExpired:
            return False, f"sfmap test --update did not end within {_LONGEST:g} seconds; run it in a terminal"
    said = f"{done.stdout}{done.stderr}".strip()
    return done.returncode == 0, said[-_LONGEST_MESSAGE:]
