"""Starts the local org in a separate process, and ends it with the context."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import IO

from sfmap.engine.errors import ExitCode, SfmapError
from sfmap.engine.http.tls_files import TlsFiles
from sfmap.engine.local_org.calls import credentials

PYTHON = sys.executable
"""The interpreter that runs it."""
_START_SECONDS = 30
_STOP_SECONDS = 10


class LocalOrgFailed(SfmapError):
    """The local org did not start; message and exit code are those of its process."""

    exit_code: int = ExitCode.NOT_FINISHED

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class LocalOrg:
    url: str
    username: str = credentials.USERNAME
    password: str = credentials.PASSWORD
    security_token: str = credentials.SECURITY_TOKEN
    authority: Path | None = None
    """The certificate of the authority that has signed the org's, if it serves HTTPS."""


@contextmanager
def start_local_org(
    database: Path,
    schema: Path | None = None,
    *,
    faults: Path | None = None,
    log: Path | None = None,
    daily_limit: int = 0,
    tls: TlsFiles | bool = False,
    password_grant: bool = False,
) -> Iterator[LocalOrg]:
    """A local org over the records in `database`. Raises `LocalOrgFailed`.

    With `tls` it serves HTTPS, with these files or a certificate of its own.
    """
    # -P: a file in the current folder must not pass for one of our modules.
    command = [PYTHON, "-P", "-m", "sfmap.engine.local_org", "--db", str(database)]
    files = {"--schema": schema, "--faults": faults, "--log": log}
    if isinstance(tls, TlsFiles):
        files |= {"--tls-cert": tls.certificate, "--tls-key": tls.key}
    command += [part for option, file in files.items() if file for part in (option, str(file))]
    if daily_limit:
        command += ["--daily-limit", str(daily_limit)]
    switches = {"--tls": tls is True, "--password-grant": password_grant}
    command += [switch for switch, is_on in switches.items() if is_on]
    # A separate session keeps a Ctrl-C in the terminal from ending it in the middle of a call.
    with TemporaryFile("w+") as said:  # a pipe that is not read would block a process with much output
        process = subprocess.Popen(  # noqa: S603 - the command is ours
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True, start_new_session=True
        )
        try:
            yield _ready(process, said)
        finally:
            _stop(process)


def _ready(process: subprocess.Popen[str], said: IO[str]) -> LocalOrg:
    """The org where the process says that it serves it; a process that says nothing in time is ended."""
    assert process.stdout
    timer = Timer(_START_SECONDS, process.kill)
    timer.start()
    try:
        line = process.stdout.readline()
    finally:
        timer.cancel()
    if line:
        ready = json.loads(line)
        return LocalOrg(ready["url"], authority=Path(ready["authority"]) if ready["authority"] else None)
    exit_code = process.wait()
    said.seek(0)
    message = said.read().strip() or "Error: the local org did not start."
    raise LocalOrgFailed(message, exit_code or ExitCode.NOT_FINISHED)


def _stop(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
