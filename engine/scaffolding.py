"""`sfmap init`: creates a project with mappings, sample events, snapshots and a CI workflow."""

import contextlib
import io
from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import orjson

from sfmap.engine.load import is_active, mapping_sources
from sfmap.engine.spec.schema import json_schema
from sfmap.engine.testing.run import run_cases

_TEMPLATES = {
    "sfmap.yaml": "sfmap.yaml",
    "README.md": "README.md",
    "gitignore": ".gitignore",
    "requirements.txt": "requirements.txt",
    "workflow.yml": ".github/workflows/sfmap.yml",
    "samples.ndjson": "tests/events/samples.ndjson",
}


class AlreadyThere(Exception):
    """The new project would overwrite files; the message names them."""


def make_project(folder: Path) -> list[str]:
    """Writes the files; returns their names.

    Raises `AlreadyThere`, or `OSError` where a file cannot be written.
    """
    contents = dict(_contents())
    taken = [name for name in contents if (folder / name).exists()]
    if taken:
        raise AlreadyThere(f"{folder} already contains {', '.join(taken)}; nothing was written")
    for name, text in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    with contextlib.redirect_stdout(io.StringIO()):
        run_cases(folder.absolute(), (), update=True)
    return [*contents, "tests/events/__snapshots__"]


def _contents() -> Iterator[tuple[str, str]]:
    templates = files("sfmap.engine.scaffold")
    for template, name in _TEMPLATES.items():
        yield name, (templates / template).read_text("utf-8").replace("{version}", version("sfmap"))
    for mapping, source in mapping_sources(None).items():
        if is_active(source):
            yield f"mappings/{mapping}.yaml", source.text
    yield "mappings/mapping.schema.json", orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2).decode() + "\n"
