"""`sfmap dev`: how it starts and stops. Its endpoints are tested in tests/workbench."""

import signal
import socket

from sfmap.tests.folder import Folder
from sfmap.tests.workbench.dev import project


def test_it_prints_an_address_with_a_token_and_ctrl_c_stops_it(folder: Folder) -> None:
    project(folder.path / "p")
    process = Folder(folder.path / "p").start("dev", "--port", "0")
    assert process.stderr
    assert b"http://127.0.0.1:" in process.stderr.readline()
    assert process.stderr.readline() == b"Ctrl-C stops it.\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, b"")


def test_it_refuses_an_unknown_org_and_a_port_that_is_taken(folder: Folder) -> None:
    done = folder.sfmap("dev", "--org", "sandbox")
    assert (done.returncode, "sandbox" in done.stderr, "Traceback" in done.stderr) == (2, True, False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = folder.sfmap("dev", "--port", str(taken.getsockname()[1]))
    assert (done.returncode, "--port" in done.stderr, "Traceback" in done.stderr) == (2, True, False)
