"""What every key of the language does: the snapshot has mapping and event, and below them the records."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from sfmap.engine.mapping.values.record import Json

from ..cases import load_cases, rendered_case


@pytest.mark.parametrize("case", load_cases(Path(__file__).parent / "keys"))
def test_key(case: dict[str, Json], case_file: SnapshotAssertion, tmp_path: Path) -> None:
    assert rendered_case(case, tmp_path) == case_file
