"""npm's soap, unmodified, on the WSDL that the local org serves; skipped without Node.js."""

from pathlib import Path

from sfmap.engine.local_org.process import LocalOrg

from .conftest import run_node

CLIENT = "soap"


def test_calls_by_the_served_wsdl(node: Path, local: LocalOrg) -> None:
    run_node(node, "soap.mjs", local)
