"""Mistakes in mappings: each is reported at its place, with a suggestion."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from sfmap.engine.project.loading import ChosenMappings, compile_mappings
from sfmap.engine.yaml_files.diagnostics import Mistakes, Source

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_mistakes_of_a_mapping_are_reported(path: Path, case_file: SnapshotAssertion) -> None:
    with pytest.raises(Mistakes) as raised:
        compile_mappings(ChosenMappings(sources={path.stem: Source(path.name, path.read_text("utf-8"))}))
    assert f"{raised.value}\n" == case_file


def test_a_cycle_of_extends_is_reported(case_file: SnapshotAssertion) -> None:
    texts = {"a": "sfmap: 1\nextends: b\n", "b": "sfmap: 1\nextends: c\n", "c": "sfmap: 1\nextends: a\n"}
    sources = {
        name: Source(f"{name}.yaml", f"{text}active: {str(name == 'a').lower()}\n") for name, text in texts.items()
    }
    with pytest.raises(Mistakes) as raised:
        compile_mappings(ChosenMappings(sources=sources))
    assert f"{raised.value}\n" == case_file


def test_long_lines_and_many_mistakes_are_shortened() -> None:
    fields = "".join(f"  F{number}: [{'x' * 500}]\n" for number in range(80))
    with pytest.raises(Mistakes) as raised:
        compile_mappings(ChosenMappings(sources={"long": Source("long.yaml", f"sfmap: 1\nfields:\n{fields}")}))
    lines = str(raised.value).splitlines()
    assert max(map(len, lines)) < 200
    assert lines[-1].startswith("... and ")
