"""A file that a run writes without buffering, so that errors are raised by the write that causes them."""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from sfmap.engine.errors import SfmapError
from sfmap.engine.files.private_files import private_file, private_opener


@dataclass(frozen=True, slots=True)
class Results:
    """A results file, and how many of its bytes belong to delivered events."""

    file: str
    size: int


NO_RESULTS = Results("", 0)


class CannotWrite(SfmapError):
    """The file could not be written; the message names it."""


class Output:
    """An output file, opened at the start, so that a long run does not fail at its end for a missing folder."""

    def __init__(self, name: str) -> None:
        """Opens the file. Its content is kept until `continue_from`. Raises `CannotWrite`."""
        self._name = name
        try:
            mode = "r+b" if os.path.isfile(name) else "wb"
            self._file = open(name, mode, buffering=0, opener=private_opener)  # noqa: SIM115
            self._is_file = stat.S_ISREG(os.fstat(self._file.fileno()).st_mode)
            if self._is_file:
                private_file(Path(name))
        except OSError as error:
            raise self._failed(error) from None
        self.size = 0

    def written(self) -> Results:
        return Results(os.path.abspath(self._name), self.size)

    def continue_from(self, results: Results) -> None:
        """Continues after the results of an earlier run if they are in this file, and drops everything else."""
        self._keep(results.size if results.file == os.path.abspath(self._name) else 0)

    def _keep(self, size: int) -> None:
        if not self._is_file:
            return
        try:
            self.size = min(size, self._file.seek(0, os.SEEK_END))
            self._file.truncate(self.size)
            self._file.seek(self.size)
        except OSError as error:
            raise self._failed(error) from None

    def write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                written = self._file.write(left)
                self.size += written
                left = left[written:]
        except OSError as error:
            raise self._failed(error) from None

    def __enter__(self) -> "Output":
        return self

    def __exit__(self, _kind: type | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self._file.close()

    def _failed(self, error: OSError) -> CannotWrite:
        return CannotWrite(f"cannot write {self._name}: {error.strerror}")


def check_outputs(inputs: Iterable[str], outputs: Iterable[str | None]) -> None:
    """Checks that no output overwrites an input or another output; devices such as /dev/null may repeat.

    Raises `CannotWrite`.
    """
    taken = list(inputs)
    for name in filter(None, outputs):
        if any(_is_same_file(name, other) for other in taken):
            raise CannotWrite(f"{name} is named twice: it would be overwritten.")
        if os.path.isfile(name) or not os.path.exists(name):
            taken.append(name)


def _is_same_file(one: str, other: str) -> bool:
    if os.path.exists(one) and os.path.exists(other):
        return os.path.samefile(one, other)
    return os.path.realpath(one) == os.path.realpath(other)
