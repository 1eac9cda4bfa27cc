"""A command on a real terminal: what it shows, line by line."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..folder import Folder, installed, warm_sfmap

_LOOK = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Shown:
    code: int
    raw: str

    @property
    def writes(self) -> list[str]:
        """One after the other, where each line of the terminal is written again or ended; without color."""
        return [line.strip("\r") for line in re.split(r"\r\x1b\[K|\n", plain(self.raw))]

    @property
    def lines(self) -> list[str]:
        """What remains on the screen when the command has ended; without color."""
        return [line.rpartition("\r\x1b[K")[2].strip("\r") for line in plain(self.raw).split("\n")]


def plain(text: str) -> str:
    return _LOOK.sub("", text)


def on_a_terminal(
    folder: Folder,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    columns: int = 80,
    both: bool = False,
    meanwhile: Callable[["subprocess.Popen[bytes]", str], object] = lambda process, shown: None,
) -> Shown:
    """Runs the command with stderr on a terminal, with `both` stdout, too.

    `meanwhile` gets the process and what it has shown so far, each time that it shows more.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [*warm_sfmap(), *arguments],
        cwd=folder.path,
        stdout=theirs if both else subprocess.DEVNULL,
        stderr=theirs,
        env={**installed(), **(environment or {})},
    )
    os.close(theirs)
    shown = b""
    while data := _read(ours):
        shown += data
        meanwhile(process, shown.decode(errors="ignore"))
    os.close(ours)
    return Shown(process.wait(), shown.decode())


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the command has ended
        return b""
