"""Notices what other programs change in a project: files, commits, and events that a service accepts."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from sfmap.engine.journal.history_file import FILE_NAME
from sfmap.engine.workbench.editable_files import EditableFiles

_Version = tuple[int, int]
_Seen = Mapping[Path, _Version]


class FileWatch:
    """What has changed since it was looked at last."""

    def __init__(self, files: EditableFiles, state: Path) -> None:
        self._files = files
        self._history = [state / FILE_NAME, state / f"{FILE_NAME}-wal"]
        self._git = _git_files(files.folder)
        self._before = self._seen()

    def changed(self) -> list[str]:
        """`files`, `samples` or `caught`, each if it has changed."""
        before, self._before = self._before, self._seen()
        return [what for what, seen in self._before.items() if seen != before[what]]

    def _seen(self) -> dict[str, _Seen]:
        files = self._files.all()
        samples = [one.location for one in files if one.kind == "samples" and one.location]
        others = [one.location for one in files if one.kind != "samples" and one.location]
        return {
            "files": _versions([*others, *self._git]),
            "samples": _versions(samples),
            "caught": _versions(self._history),
        }


def _versions(paths: Iterable[Path]) -> _Seen:
    found: dict[Path, _Version] = {}
    for path in paths:
        try:
            about = path.stat()
        except OSError:
            continue
        found[path] = (about.st_mtime_ns, about.st_size)
    return found


def _git_files(folder: Path) -> list[Path]:
    """What git changes when it commits or checks out."""
    for above in (folder, *folder.parents):
        if (above / ".git").is_dir():
            return [above / ".git" / name for name in ("HEAD", "index", "logs/HEAD")]
    return []
