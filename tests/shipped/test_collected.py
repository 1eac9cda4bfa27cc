"""Payloads that other products document: what each becomes, and which values reach no field."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from sfmap.engine.mapping.values.record import Json

from ..cases import load_cases, rendered_case


@pytest.mark.parametrize("case", load_cases(Path(__file__).parent / "collected"))
def test_payload(case: dict[str, Json], case_file: SnapshotAssertion, tmp_path: Path) -> None:
    assert rendered_case(case, tmp_path) == case_file
