"""Files and folders with private data, which other users of the machine cannot read."""

import errno
import os
from contextlib import suppress
from pathlib import Path

_FOLDER = 0o700
_FILE = 0o600
_BESIDE_A_DATABASE = ("-wal", "-shm", "-journal")


def private_folder(folder: Path) -> None:
    """Creates the folder, or makes an existing one and its contents private. Raises `OSError`."""
    folder.mkdir(_FOLDER, parents=True, exist_ok=True)
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink() or path == folder:
            _close_to_others(path)


def private_file(path: Path) -> None:
    """Creates an empty file, or makes an existing one private; leaves devices and pipes as they are.

    Raises `OSError`, also for a folder.
    """
    if path.is_dir():  # such as /tmp, given for a file by mistake: its mode must not change
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.is_file():
        _close_to_others(path)
    elif not path.exists():
        os.close(private_opener(str(path), os.O_CREAT | os.O_WRONLY))


def private_database(path: Path) -> None:
    """The same as `private_file`, also for SQLite's companion files, which get the mode of the database."""
    private_file(path)
    for ending in _BESIDE_A_DATABASE:
        _close_to_others(path.with_name(path.name + ending))


def private_opener(name: str, flags: int) -> int:
    """For `open`: a file that is made by it is private."""
    return os.open(name, flags, _FILE)


def _close_to_others(path: Path) -> None:
    # Another user owns it, such as a mounted volume; or it is SQLite's and has gone by now.
    with suppress(PermissionError, FileNotFoundError):
        mode = path.stat().st_mode
        if mode & 0o077:
            path.chmod(mode & 0o7700)
