"""jsforce and npm soap, unmodified, with the local org; skipped without Node.js."""

from pathlib import Path

from sfmap.engine.local_org.process import LocalOrg

from .conftest import run_node


def test_jsforce_works_with_the_local_org(node: Path, local: LocalOrg) -> None:
    run_node(node, "jsforce.mjs", local)


def test_npm_soap_works_with_the_local_org(node: Path, local: LocalOrg) -> None:
    run_node(node, "soap.mjs", local)
