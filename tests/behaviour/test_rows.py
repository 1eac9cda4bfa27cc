"""The rows of docs/behaviour.md as cases: the snapshot has the event, and below it the rendered records."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from sfmap.engine.inspect.payload import as_json
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Json
from sfmap.engine.project.loading import ChosenMappings, compile_mappings, mapping_sources
from sfmap.engine.yaml_files.diagnostics import Source
from sfmap.engine.yaml_files.nodes import read_yaml

from ..cases import load_cases, plain, rendered_case

ROWS = Path(__file__).parent / "rows"


@pytest.mark.parametrize("case", load_cases(ROWS))
def test_row(case: dict[str, Json], case_file: SnapshotAssertion, tmp_path: Path) -> None:
    assert rendered_case(case, tmp_path) == case_file


def test_flat_and_nested_samples_give_the_same_record() -> None:
    mapper = Mapper(compile_mappings(ChosenMappings(sources=mapping_sources(None))))
    samples = ROWS / "25-documented-samples.yaml"
    document = plain(read_yaml(Source("", samples.read_text("utf-8")))[0])
    assert isinstance(document, dict)
    flat, nested = (mapper.map(event) for event in document.values() if isinstance(event, dict))
    assert [as_json(1, m) for m in flat] == [as_json(1, m) for m in nested]
