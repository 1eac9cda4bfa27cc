"""Files and folders that hold other people's data: nobody else on the machine may read them."""

import os
from contextlib import suppress
from pathlib import Path

_FOLDER = 0o700
_FILE = 0o600
_BESIDE_A_DATABASE = ("-wal", "-shm", "-journal")


def private_folder(folder: Path) -> None:
    """Makes the folder, or closes one that is there, and all in it, to everybody else. Raises `OSError`."""
    folder.mkdir(_FOLDER, parents=True, exist_ok=True)
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink() or path == folder:
            _close_to_others(path)


def private_file(path: Path) -> None:
    """Makes an empty file, or closes one that is there to everybody else. Raises `OSError`."""
    if path.exists():
        _close_to_others(path)
    else:
        os.close(private_opener(str(path), os.O_CREAT | os.O_WRONLY))


def private_database(path: Path) -> None:
    """As `private_file`, and what SQLite keeps beside it, which gets the mode of the database when it is made."""
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
