"""The mappings of a project as they were: in another folder, or at a revision of git."""

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sfmap.engine.load import chosen_mappings, compile_mappings
from sfmap.engine.mapping.mapper import Mapper
from sfmap.engine.project import load_project
from sfmap.engine.spec.diagnostics import Mistakes
from sfmap.engine.spec.files import CannotRead


class NoRevision(Exception):
    """A revision that cannot be had, or whose mappings are broken; the message says why."""


def mapper_at(folder: Path, revision: str) -> Mapper:
    """The project's mappings in the folder or at the git revision that `revision` names. Raises `NoRevision`."""
    if Path(revision).is_dir():
        return _mapper(Path(revision), revision, "")
    with _checked_out(folder, revision) as copy:
        return _mapper(copy, str(copy) + "/", f"{revision}:")


def _mapper(folder: Path, place: str, shown_as: str) -> Mapper:
    try:
        return Mapper(compile_mappings(*chosen_mappings(load_project(folder), None, None)))
    except (Mistakes, CannotRead) as error:
        words = str(error).replace(place, shown_as) if shown_as else str(error)
        raise NoRevision(f"the mappings of {shown_as.rstrip(':') or place} cannot be used:\n{words}") from None


@contextmanager
def _checked_out(folder: Path, revision: str) -> Iterator[Path]:
    """The YAML files of the folder as they were at the revision."""
    listed = _git(folder, "ls-tree", "-r", "--name-only", "-z", "--end-of-options", revision).decode().split("\0")
    files = [name for name in listed if name.endswith((".yaml", ".yml"))]
    with TemporaryDirectory() as place:
        if files:
            archive = _git(folder, "archive", "--format=tar", revision, "--", *files)
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                tar.extractall(place, filter="data")
        yield Path(place)


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True)  # noqa: S603, S607
    except FileNotFoundError:
        raise NoRevision("the command git is not there: install it, or name a folder") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ")
        raise NoRevision(f"git says: {said}") from None
    return done.stdout
