"""WWW::Salesforce for Perl, which Debian lacks: `WWW_SALESFORCE_CHECKOUT` is a clone at the pinned commit."""

import shutil
import subprocess
from pathlib import Path

import pytest

from sfmap.engine.local_org.process import LocalOrg

from ..conftest import SCRIPTS, run
from ..environments import clone_of

CLIENT = "p5-salesforce/WWW-Salesforce"


@pytest.fixture(scope="module")
def perl() -> list[str | Path]:
    """Perl with the clone's library, which needs packages of Debian."""
    library = clone_of(CLIENT, "WWW_SALESFORCE_CHECKOUT") / "lib"
    program = shutil.which("perl")
    if (
        not program
        or subprocess.run([program, "-MSOAP::Lite", "-MDateTime", "-MJSON::MaybeXS", "-e", "1"]).returncode
    ):
        pytest.skip("Perl with SOAP::Lite, DateTime and JSON::MaybeXS is not here")
    return [program, f"-I{library}"]


@pytest.mark.parametrize("tried", ["records", "upserts", "queries", "describes"])
def test_www_salesforce(local: LocalOrg, perl: list[str | Path], tmp_path: Path, tried: str) -> None:
    run([*perl, SCRIPTS / "www_salesforce.pl", tried], local, tmp_path)
