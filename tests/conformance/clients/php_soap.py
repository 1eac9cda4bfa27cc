"""PHP's SOAP extension with the served WSDL; Debian's packages php-cli and php-soap."""

import shutil
import subprocess
from pathlib import Path

import pytest

from sfmap.engine.local_org.process import LocalOrg

from ..conftest import SCRIPTS, run

CLIENT = "php-soap"


@pytest.fixture(scope="module")
def php() -> str:
    program = shutil.which("php")
    if not program or "soap" not in subprocess.run([program, "-m"], capture_output=True, text=True).stdout.split():
        pytest.skip("PHP with its SOAP extension is not here")
    return program


@pytest.mark.parametrize("tried", ["records", "queries", "describes"])
def test_php_soap(local: LocalOrg, php: str, tmp_path: Path, tried: str) -> None:
    run([php, SCRIPTS / "php_soap.php", tried], local, tmp_path)
