"""`sfmap init`: creates a project with mappings, sample events, snapshots and a CI workflow."""

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

from sfmap.engine.errors import SfmapError
from sfmap.engine.project.loading import is_active, mapping_sources
from sfmap.engine.project.own_requirement import own_requirement

_TEMPLATES = {
    "sfmap.yaml": "sfmap.yaml",
    "README.md": "README.md",
    "gitignore": ".gitignore",
    "requirements.txt": "requirements.txt",
    "workflow.yml": ".github/workflows/sfmap.yml",
    "samples.ndjson": "tests/events/samples.ndjson",
    "settings.json": ".vscode/settings.json",
    "extensions.json": ".vscode/extensions.json",
}


class AlreadyThere(SfmapError):
    """The new project would overwrite files; the message names them."""


_MADE = ("mappings/mapping.schema.json", "tests/events/__snapshots__")


def make_project(folder: Path, make_others: Callable[[Path], object]) -> list[str]:
    """Writes the files, has the schema and the snapshots made of the samples, and returns the names of all.

    Raises `AlreadyThere`, or `OSError` where a file cannot be written.
    """
    contents = dict(_contents())
    taken = [name for name in (*contents, *_MADE) if (folder / name).exists()]
    if taken:
        raise AlreadyThere(f"{folder} already contains {', '.join(taken)}; nothing was written")
    for name, text in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    make_others(folder.absolute())
    return [*contents, *_MADE]


def _contents() -> Iterator[tuple[str, str]]:
    templates = files("sfmap.engine.project.scaffold")
    for template, name in _TEMPLATES.items():
        yield name, (templates / template).read_text("utf-8").replace("{requirement}", own_requirement())
    for mapping, source in mapping_sources(None).items():
        if is_active(source):
            yield f"mappings/{mapping}.yaml", source.text
