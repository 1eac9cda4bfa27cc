"""Cases in YAML files: an event and the project or mappings it is for; the rendered payloads are the snapshot."""

import json
from pathlib import Path

import orjson
import pytest

from sfmap.engine.inspect.payload import as_json
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Json
from sfmap.engine.project.loading import ChosenMappings, compile_mappings, mapping_sources
from sfmap.engine.project.project_file import load_project
from sfmap.engine.yaml_files.diagnostics import Source
from sfmap.engine.yaml_files.nodes import ListNode, Node, ScalarNode, read_yaml


def plain(node: Node) -> Json:
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return {key.text: plain(value) for key, value in node.entries}


def load_cases(folder: Path) -> list[object]:
    """The cases of all the folder's files, as parameters named `file.case`."""
    found: list[object] = []
    for path in sorted(folder.glob("*.yaml")):
        document = plain(read_yaml(Source(path.name, path.read_text("utf-8")))[0])
        assert isinstance(document, dict)
        for name, case in document.items():
            assert isinstance(case, dict)
            # A case is an event alone, or an event with the project or the mapping it is for.
            whole = case if "event" in case else {"event": case}
            found.append(pytest.param(whole, id=f"{path.stem}.{name}"))
    return found


def rendered_case(case: dict[str, Json], folder: Path) -> str:
    """The case as its snapshot has it: project and mappings, the event, what it becomes."""
    (folder / "sfmap.yaml").write_text(str(case.get("project", "{}")), "utf-8")
    project = load_project(folder)
    texts = case.get("mappings", {"mapping": case["mapping"]} if "mapping" in case else {})
    assert isinstance(texts, dict)
    sources = {name: Source(f"{name}.yaml", str(text)) for name, text in texts.items()} or mapping_sources(None)
    chosen = ChosenMappings(sources=sources, use=project.use, settings=project.settings, usual=project.usual)
    mapper = Mapper(compile_mappings(chosen))
    event = case["event"]
    assert isinstance(event, dict)
    before = orjson.dumps(event)

    rendered = [as_json(1, mapped) for mapped in mapper.map(event)]

    assert orjson.dumps(event) == before, "mapping changed the event"
    shown = [str(case["project"])] if "project" in case else []
    blocks = [*shown, *map(str, texts.values()), pretty(event), *map(pretty, rendered)]
    return "\n\n".join(block.strip() for block in blocks if block) + "\n"


def pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
