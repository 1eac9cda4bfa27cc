"""Packages from npm that tests need, installed once for all runs of the tests in this environment."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def installed(package: Path) -> Path:
    """A folder with the `node_modules` that the lock file of this package names; skips the test without npm."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip(f"Node.js and npm are not here: what needs {package.name} is not tried")
    version = hashlib.sha256((package / "package-lock.json").read_bytes()).hexdigest()[:12]
    folder = Path(sys.prefix) / f"{package.name}-{version}"
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            half = folder.with_suffix(".half")
            half.mkdir(exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(package / name, half / name)
            install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
            done = subprocess.run(
                [*install, "--fetch-retries", "10"], cwd=half, capture_output=True, text=True, timeout=900
            )
            assert done.returncode == 0, f"npm ci: {done.stdout} {done.stderr}"
            half.rename(folder)
    return folder
