"""The server, and the interpreter that has it fork programs."""

import stat
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from . import interpreter

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
    # A session of its own: Ctrl-C in the terminal ends the tests, and they end it.
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "sfmap.tests.warm.server", str(folder / "socket"), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert server.stdout
    assert server.stdout.readline(), "the server of warm programs did not start"
    _servers.append(server)
    return str(path)
