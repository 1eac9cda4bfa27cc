"""Stands in for a Python that runs a program: a server forks it, with these streams, signals and exit code.

It is copied with its settings filled in, and imports next to nothing, so that it starts at once.
"""

import _signal as signal  # type: ignore[import-not-found]  # signal itself makes enumerations: half of the start
import _socket
import os
import sys

PYTHON = "__PYTHON__"
"""The interpreter to run where the server cannot: it has begun with other variables."""
VARIABLES = "__VARIABLES__"
READ_BY_PYTHON = ("PYTHON", "LC_", "LANG", "MALLOC", "OPENSSL", "LD_")
"""Variables with these beginnings are read when a process starts."""


def read_by_python() -> str:
    return "\n".join(
        sorted(f"{name}={os.environ[name]}" for name in os.environ if name.startswith(READ_BY_PYTHON))
    )


def main() -> None:
    command = sys.argv[1:]
    if read_by_python() != VARIABLES:
        os.execv(PYTHON, [PYTHON, *command])
    client = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    client.connect(os.path.join(os.path.dirname(__file__), "socket"))
    parts = [os.getcwd(), str(len(command)), *command, *(f"{name}={os.environ[name]}" for name in os.environ)]
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    client.sendmsg([os.fsencode("\0".join(parts))], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
    child = int(client.recv(100))
    for number in range(3):
        os.close(number)
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1):
        signal.signal(one, lambda number, _frame: os.kill(child, number))
    code = int(client.recv(100))
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main()
