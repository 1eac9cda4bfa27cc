"""jsforce, unmodified, with the local org; skipped without Node.js."""

from pathlib import Path

import pytest

from sfmap.engine.local_org.process import LocalOrg

from .conftest import run_node

CLIENT = "jsforce"


@pytest.mark.parametrize(
    "tried",
    [
        "single records",
        "several records at once",
        "upserts of several records",
        "queries with child records",
        "describes",
        "identity and limits",
        "search",
        "deleted and updated records",
        "query plans",
        "SOAP calls",
        "Bulk API",
        "Bulk API 2.0",
        "renewed sessions",
        "sign-in by OAuth",
    ],
)
def test_jsforce(node: Path, local: LocalOrg, tried: str) -> None:
    run_node(node, "jsforce.mjs", local, tried)
