"""The server, and the interpreter that has it fork programs."""

import socket
import stat
import subprocess
import sys
from functools import cache
from pathlib import Path
from select import select
from tempfile import mkdtemp
from threading import Thread

from . import interpreter

_MOST_WAITING = 64
_servers: list["subprocess.Popen[bytes]"] = []
"""They end when this process does."""


@cache
def warm_python() -> str:
    """The path of an interpreter for what the server has imported, which it starts: sfmap, and the local org."""
    folder = Path(mkdtemp(prefix="warm-"))
    path, text = folder / "python", Path(interpreter.__file__).read_text()
    text = text.replace("__PYTHON__", sys.executable)
    text = text.replace('"__VARIABLES__"', repr(interpreter.read_by_python()))
    path.write_text(f"#!{sys.executable} -IS\n{text}")
    path.chmod(stat.S_IRWXU)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind(str(folder / "socket"))
    listening.listen(_MOST_WAITING)
    Thread(target=_serve_when_asked, args=(listening, path), daemon=True).start()
    return str(path)


def _serve_when_asked(listening: socket.socket, path: Path) -> None:
    """Starts the server with the first program, which waits for it."""
    select([listening], [], [])
    with listening:  # only the server has it then: if it ends, so do the programs that wait
        number = listening.fileno()
        # A session of its own: Ctrl-C in the terminal ends the tests, and they end it.
        server = subprocess.Popen(
            [sys.executable, "-P", "-m", "sfmap.tests.warm.server", str(number), str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=[number],
            start_new_session=True,
        )
    _servers.append(server)
