"""The clients that the local org is tried with, and their versions, which the files in `pins` name."""

import json
import re
from pathlib import Path

from ..folder import REPOSITORY

HERE = Path(__file__).parent
PINS = HERE / "pins"
SALESFORCE_CLI = PINS / "salesforce-cli"
_OF_THE_TESTS = ("simple-salesforce", "zeep")
"""Those that the environment of the tests has anyway."""


def requirements(client: str) -> Path:
    """The packages of a client from PyPI, each with its version: it gets an environment of its own."""
    return PINS / f"{client}.txt"


def pinned() -> dict[str, str]:
    """Each client with its version. A client in a checkout of its repository has the commit as its version."""
    versions = {name: _version(REPOSITORY / "constraints.txt", name) for name in _OF_THE_TESTS}
    for package in (HERE, SALESFORCE_CLI):
        versions |= json.loads((package / "package.json").read_text("utf-8"))["dependencies"]
    versions |= {path.stem: _version(path, path.stem) for path in PINS.glob("*.txt")}
    return versions | checkouts()


def checkouts() -> dict[str, str]:
    """The clients that only their repositories have, and the commit of each."""
    return dict(json.loads((PINS / "checkouts.json").read_text("utf-8")))


def _version(file: Path, package: str) -> str:
    found = re.search(rf"^{package}==(\S+)", file.read_text("utf-8"), re.MULTILINE | re.IGNORECASE)
    assert found, f"{file} has no version of {package}"
    return found[1]
