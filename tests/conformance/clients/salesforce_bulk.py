"""salesforce-bulk with the local org: the Bulk API as it was before 2.0, in XML and CSV."""

from pathlib import Path

import pytest

from sfmap.engine.local_org.process import LocalOrg

from ..conftest import SCRIPTS, run
from ..environments import environment_of

CLIENT = "salesforce-bulk"


@pytest.mark.parametrize("tried", ["inserts and queries", "updates, upserts and deletes", "aborted jobs"])
def test_salesforce_bulk(local: LocalOrg, tmp_path: Path, tried: str) -> None:
    python = environment_of(CLIENT) / "python"
    run([python, SCRIPTS / "salesforce_bulk_jobs.py", tried], local, tmp_path)
