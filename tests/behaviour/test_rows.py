"""Every row of the reference behaviour as cases: the event above, the rendered payload below."""

import json
from pathlib import Path

import orjson
import pytest
from syrupy.assertion import SnapshotAssertion

from sfmap.engine.load import compile_mappings, mapping_sources
from sfmap.engine.mapping.mapper import Mapper
from sfmap.engine.mapping.record import Json
from sfmap.engine.mapping.render import as_json
from sfmap.engine.project import load_project
from sfmap.engine.spec.diagnostics import Source
from sfmap.engine.spec.source import ListNode, Node, ScalarNode, read_yaml

SAMPLES = Path(__file__).parent / "rows" / "25-documented-samples.yaml"
ROWS = sorted((Path(__file__).parent / "rows").glob("*.yaml"))


def plain(node: Node) -> Json:
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return {key.text: plain(value) for key, value in node.entries}


def cases() -> list[object]:
    found: list[object] = []
    for path in ROWS:
        document = plain(read_yaml(Source(path.name, path.read_text("utf-8")))[0])
        assert isinstance(document, dict)
        for name, case in document.items():
            assert isinstance(case, dict)
            # A case is an event alone, or an event with the project or the mapping it is for.
            whole = case if "event" in case else {"event": case}
            found.append(pytest.param(whole, id=f"{path.stem}.{name}"))
    return found


@pytest.mark.parametrize("case", cases())
def test_row(case: dict[str, Json], case_file: SnapshotAssertion, tmp_path: Path) -> None:
    (tmp_path / "sfmap.yaml").write_text(str(case.get("project", "{}")), "utf-8")
    project = load_project(tmp_path)
    sources = mapping_sources(None)
    if "mapping" in case:
        sources = {"mapping": Source("mapping.yaml", str(case["mapping"]))}
    mapper = Mapper(compile_mappings(sources, project.use, project.settings))
    event = case["event"]
    assert isinstance(event, dict)
    before = orjson.dumps(event)

    rendered = [as_json(1, mapped) for mapped in mapper.map(event)]

    assert orjson.dumps(event) == before, "mapping changed the event"
    settings = "".join(f"{case[key]}\n" for key in ("project", "mapping") if key in case)
    blocks = [settings, pretty(event), *map(pretty, rendered)]
    assert "\n\n".join(block.strip() for block in blocks if block) + "\n" == case_file


def pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def test_flat_and_nested_samples_give_the_same_record() -> None:
    mapper = Mapper(compile_mappings(mapping_sources(None), (), {}))
    document = plain(read_yaml(Source("", SAMPLES.read_text("utf-8")))[0])
    assert isinstance(document, dict)
    flat, nested = (mapper.map(event) for event in document.values() if isinstance(event, dict))
    assert [as_json(1, m) for m in flat] == [as_json(1, m) for m in nested]
