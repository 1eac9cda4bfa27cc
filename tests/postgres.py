"""A PostgreSQL of the test session: a new cluster in a temporary folder, on a socket and a port of its own."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "log_statement=all")
_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Postgres:
    folder: Path
    port: int
    control: tuple[str | Path, ...]
    """The command that starts and stops it."""
    starting: tuple[str | Path, ...]

    def url(self, database: str = "postgres", user: str = "postgres", password: str = "") -> str:
        login = f"{user}:{password}" if password else user
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"tests_{next(_NUMBERS)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def restart(self, seconds: float = 0.0) -> None:
        """As after a crash: nothing is said to its clients. It is away for so long."""
        self.stop()
        time.sleep(seconds)
        self.start()

    def hang(self, seconds: float) -> None:
        """It answers nothing for so long, and ends no connection."""
        main = int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        children = subprocess.run(["pgrep", "-P", str(main)], capture_output=True, text=True, check=True).stdout
        processes = [main, *map(int, children.split())]
        _send(processes, signal.SIGSTOP)
        time.sleep(seconds)
        _send(processes, signal.SIGCONT)

    def stop(self) -> None:
        _run(*self.control, "-m", "immediate", "stop")

    def start(self) -> None:
        _run(*self.control, *self.starting)

    def ask(self, url: str, query: str) -> list[tuple[object, ...]]:
        """The rows of a query in one of the databases."""
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def log(self) -> str:
        """All statements so far."""
        return (self.folder / "log").read_text("utf-8", "replace")


@contextmanager
def running_postgres(*settings: str) -> Iterator[Postgres]:
    """Starts the newest PostgreSQL of the machine, with settings besides the usual ones, and stops it."""
    programs = _programs()
    with TemporaryDirectory(prefix="sfmap-postgres-", dir="/tmp") as name:
        folder = Path(name)
        as_owner = _owner(folder)
        data = folder / "data"
        port = free_port()
        _run(*as_owner, programs / "initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--no-sync")
        (data / "pg_hba.conf").write_text(
            "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n", "utf-8"
        )
        options = " ".join(f"-c {setting}" for setting in (*_SETTINGS, *settings))
        listening = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 {options}"
        start = ("-l", folder / "log", "-o", listening, "start")
        control: tuple[str | Path, ...] = (*as_owner, programs / "pg_ctl", "-D", data, "-s", "-w")
        _run(*control, *start)
        try:
            yield Postgres(folder, port, control, start)
        finally:
            _run(*control, "-m", "immediate", "stop")


def _programs() -> Path:
    """The folder of initdb and pg_ctl. It fails if there is none: queries are not tested without a database."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and not on_path:
        pytest.fail("tests of queries need PostgreSQL. On Debian: sudo apt-get install postgresql")
    return (found[-1] if found else Path(str(on_path))).parent


def _owner(folder: Path) -> tuple[str, ...]:
    """How to start programs as the user who owns the folder: PostgreSQL does not run as root."""
    if os.geteuid() != 0:
        return ()
    shutil.chown(folder, "postgres", "postgres")
    return ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _send(processes: Sequence[int], number: int) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def _run(*command: str | Path) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd="/"
    )
    assert done.returncode == 0, done.stderr
