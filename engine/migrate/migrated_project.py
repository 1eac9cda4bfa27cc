"""Writes a migration as the files of a project."""

from collections.abc import Iterator
from pathlib import Path

from sfmap.engine.files.output import CannotWrite
from sfmap.engine.files.private_files import private_file
from sfmap.engine.migrate.migration import Migration, flow

_NOTES = "MIGRATION.md"
ORG = "production"


def write_project(migration: Migration, folder: Path) -> list[str]:
    """Writes the files into a folder that has none of them, and returns their names. Raises `CannotWrite`."""
    contents = dict(_contents(migration))
    taken = [name for name in (*contents, "secrets.env") if (folder / name).exists()]
    if taken:
        raise CannotWrite(f"{folder} already contains {', '.join(taken)}; nothing was written")
    try:
        for name, text in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        if migration.secrets:
            private_file(folder / "secrets.env")
            lines = (f"# {what}\n{name}=\n" for name, what in migration.secrets.items())
            (folder / "secrets.env").write_text("".join(lines), "utf-8")
    except OSError as error:
        raise CannotWrite(f"cannot write {error.filename or folder}: {error.strerror}") from None
    return [*contents, *(["secrets.env"] if migration.secrets else [])]


def _contents(migration: Migration) -> Iterator[tuple[str, str]]:
    yield "sfmap.yaml", "\n".join(_project(migration)) + "\n"
    yield ".gitignore", ".sfmap/\nsecrets.env\n"
    for one in migration.mappings:
        yield f"mappings/{one.name}.yaml", one.text()
    yield _NOTES, "\n".join(_notes(migration)) + "\n"


def _project(migration: Migration) -> Iterator[str]:
    yield f"# Made by sfmap migrate from settings of {migration.product}: see {_NOTES}."
    yield "mappings: mappings"
    if migration.org:
        yield "orgs:"
        yield f"  {ORG}:"
        yield from (f"    {key}: {flow(value)}" for key, value in migration.org.items())


def _notes(migration: Migration) -> Iterator[str]:
    yield f"# From {migration.product} to sfmap"
    yield ""
    if migration.left:
        yield "These could not be carried over:"
        yield ""
        yield from (f"- {one}" for one in migration.left)
    else:
        yield "Everything could be carried over."
    if migration.secrets:
        yield ""
        yield "Fill in `secrets.env`; secrets are never copied from settings."
