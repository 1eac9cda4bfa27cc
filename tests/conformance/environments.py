"""Where clients are: those in Python in environments of their own, kept for later runs; others in clones."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from .pins import checkouts, requirements


def environment_of(client: str) -> Path:
    """The `bin` of an environment with the packages of the client's file."""
    listed = requirements(client)
    version = hashlib.sha256(listed.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = Path(sys.prefix) / "clients" / f"{client}-{version}"
    folder.parent.mkdir(exist_ok=True)
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            shutil.rmtree(folder, ignore_errors=True)  # what an installation that was stopped has left
            venv.create(folder, with_pip=True)
            _install(folder, listed)
            (folder / "installed").touch()
    return folder / "bin"


def _install(folder: Path, listed: Path) -> None:
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    retrying = ["--retries", "10", "--no-deps", "--requirement", str(listed)]
    done = subprocess.run([*pip, *retrying], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, f"pip install: {done.stdout} {done.stderr}"


def clone_of(client: str, variable: str) -> Path:
    """A clone of the client's repository at the pinned commit, which a variable names; skips without."""
    if not (given := os.environ.get(variable)):
        pytest.skip(f"{variable} names no clone of github.com/{client}")
    asked = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(asked, cwd=given, capture_output=True, text=True, check=True).stdout.strip()
    assert commit == checkouts()[client], f"{given} is at another commit than the pinned one"
    return Path(given)
