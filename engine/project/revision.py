"""Loads the mappings of a project from another folder or a git revision."""

import io
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sfmap.engine.errors import SfmapError
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.project.loading import chosen_mappings, compile_mappings
from sfmap.engine.project.project_file import NoSuchOrg, load_project
from sfmap.engine.yaml_files.diagnostics import Mistakes
from sfmap.engine.yaml_files.files import CannotRead


class NoRevision(SfmapError):
    """The revision does not exist, or its mappings are invalid; the message says why."""


def mapper_at(folder: Path, revision: str, org_name: str | None = None) -> Mapper:
    """The project's mappings in the folder or at the git revision that `revision` names. Raises `NoRevision`."""
    if Path(revision).is_dir():
        return _mapper(Path(revision), revision, "", org_name)
    with _checked_out(folder, revision) as copy:
        return _mapper(copy, str(copy) + "/", f"{revision}:", org_name)


def current_revision(folder: Path) -> str:
    """The commit that the folder is at, with a `+` after it if its YAML files differ; empty outside of git."""
    try:
        commit = _git(folder, "rev-parse", "--short", "HEAD").decode().strip()
        changed = _git(folder, "status", "--porcelain", "--", "*.yaml", "*.yml")
    except (NoRevision, OSError):
        return ""
    return f"{commit}+" if changed else commit


def _mapper(folder: Path, place: str, shown_as: str, org_name: str | None) -> Mapper:
    try:
        return Mapper(compile_mappings(chosen_mappings(load_project(folder), None, org_name)))
    except (Mistakes, CannotRead, NoSuchOrg) as error:
        words = str(error).replace(place, shown_as) if shown_as else str(error)
        raise NoRevision(f"the mappings of {shown_as.rstrip(':') or place} cannot be used:\n{words}") from None


@dataclass(frozen=True, slots=True)
class Head:
    """The commit that is checked out."""

    commit: str
    branch: str
    """Empty if no branch is checked out."""


def head(folder: Path) -> Head:
    """Raises `NoRevision` if the folder is in no repository, or in one without a commit."""
    commit = _git(folder, "rev-parse", "--verify", "HEAD").decode().strip()
    branch = _git(folder, "rev-parse", "--abbrev-ref", "HEAD").decode().strip()
    return Head(commit, "" if branch == "HEAD" else branch)


def file_at(folder: Path, commit: str, name: str) -> bytes | None:
    """The content of a file below the folder at a commit; None if it was not there."""
    try:
        return _git(folder, "cat-file", "blob", f"{commit}:./{name}")
    except NoRevision:
        return None


@contextmanager
def _checked_out(folder: Path, revision: str) -> Iterator[Path]:
    """The folder at the revision: the repository's YAML files in a temporary folder."""
    listed = _git(folder, "ls-tree", "-r", "-z", "--full-tree", "--end-of-options", revision).decode().split("\0")
    blobs = {name: about.split()[2] for about, _, name in (line.partition("\t") for line in listed) if name}
    wanted = {name: blob for name, blob in blobs.items() if name.endswith((".yaml", ".yml"))}
    with TemporaryDirectory() as place:
        for name, content in zip(wanted, _contents(folder, list(wanted.values())), strict=True):
            path = Path(place, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        copy = Path(place, _git(folder, "rev-parse", "--show-prefix").decode().strip())
        copy.mkdir(parents=True, exist_ok=True)
        yield copy


def _contents(folder: Path, blobs: list[str]) -> Iterator[bytes]:
    """The contents of the blobs; git prints each after a line with its size."""
    given = io.BytesIO(_git(folder, "cat-file", "--batch", sent="\n".join(blobs).encode()) if blobs else b"")
    for _ in blobs:
        size = int(given.readline().split()[2])
        yield given.read(size)
        given.read(1)


def _git(folder: Path, *arguments: str, sent: bytes = b"") -> bytes:
    command = ["git", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, input=sent, capture_output=True, check=True)  # noqa: S603
    except FileNotFoundError:
        raise NoRevision("the command git was not found: install it, or give a folder") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ")
        raise NoRevision(f"git says: {said};", "--from takes a revision of git, or a folder") from None
    return done.stdout
