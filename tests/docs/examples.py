"""The examples of the documentation: blocks of YAML, events, and what they become, ready to run.

A block of YAML begins an example; a block `json event` is an event, and the `json` block after it has a line for
each record or fate, of which it may leave parts out. YAML that is no whole mapping comes over the one in `FRAME`;
a block that begins with `# sfmap.yaml` is the project file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from sfmap.engine.inspect.payload import as_json
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Event
from sfmap.engine.project.loading import chosen_mappings, compile_mappings
from sfmap.engine.project.project_file import load_project

FRAME = """\
sfmap: 1
event: identify
object: Lead
match: Email
fields: {Email: traits.email}
"""
PROJECT = "# sfmap.yaml\n"

_BLOCK = re.compile(r"^```(yaml|json event|json)\n(.*?)^```$|^#+ ([^\n]*)$", re.MULTILINE | re.DOTALL)


@dataclass
class Example:
    title: str
    mappings: list[str] = field(default_factory=list)
    project: str = ""
    events: list[tuple[str, str]] = field(default_factory=list)
    """Each with what is shown of its rendering."""


def examples(text: str) -> Iterator[Example]:
    """The examples of a Markdown text that have events, in order."""
    title = ""
    example = Example(title)
    event = ""
    for match in _BLOCK.finditer(text):
        kind, block, heading = match.groups()
        if heading:
            title = heading
        elif kind == "yaml":
            if example.events or example.title != title:
                if example.events:
                    yield example
                example = Example(title)
            if block.startswith(PROJECT):
                example.project = block
            else:
                example.mappings.append(block)
        elif kind == "json event":
            event = block
        elif event:
            example.events.append((event, block))
            event = ""
    if example.events:
        yield example


def mapper_of(example: Example, folder: Path) -> Mapper:
    """The example's mappings in a project of their own."""
    mappings = folder / "mappings"
    mappings.mkdir()
    (mappings / "frame.yaml").write_text(f"active: false\n{FRAME}", "utf-8")
    for number, text in enumerate(example.mappings, 1):
        whole = text if "sfmap: 1" in text else f"sfmap: 1\nextends: frame\n{text}"
        name = re.match(r"# mappings/(\w+)\.yaml", text)
        (mappings / f"{name[1] if name else f'example{number}'}.yaml").write_text(whole, "utf-8")
    (folder / "sfmap.yaml").write_text(f"mappings: mappings\n{example.project}", "utf-8")
    return Mapper(compile_mappings(chosen_mappings(load_project(folder), None, None)))


def rendered(mapper: Mapper, event: str) -> list[dict[str, object]]:
    loaded: Event = orjson.loads(event)
    return [as_json(1, mapped) for mapped in mapper.map(loaded)]


def shown(rendering: dict[str, object], block_line: str) -> dict[str, object]:
    """The part of the rendering that the documentation shows."""
    wanted: dict[str, object] = orjson.loads(block_line)
    return {key: rendering.get(key) for key in wanted}
