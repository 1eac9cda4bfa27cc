"""pyforce with the local org: SOAP, and each member of an answer is looked up by its name."""

from pathlib import Path

import pytest

from sfmap.engine.local_org.process import LocalOrg

from ..conftest import SCRIPTS, run
from ..environments import environment_of

CLIENT = "pyforce"


@pytest.mark.parametrize("tried", ["records", "queries", "describes", "deleted and updated records", "search"])
def test_pyforce(local: LocalOrg, tmp_path: Path, tried: str) -> None:
    python = environment_of(CLIENT) / "python"
    run([python, SCRIPTS / "pyforce_calls.py", tried], local, tmp_path)
