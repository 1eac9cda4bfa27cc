"""`sfmap dev`: how it starts and stops. Its endpoints are tested in tests/workbench."""

import signal
import socket

from sfmap.tests.folder import Folder
from sfmap.tests.workbench.dev import MAPPING, commit, project


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


class Watched:
    """`sfmap dev --watch` in a project, and what it prints."""

    def __init__(self, folder: Folder) -> None:
        self.process = folder.start("dev", "--watch")

    def read_until(self, end: str) -> str:
        assert self.process.stderr
        read = ""
        while end not in read:
            line = self.process.stderr.readline().decode()
            assert line, read
            read += line
        return read


def test_watch_prints_the_mistakes_and_the_changed_records_of_each_save(folder: Folder) -> None:
    ready = project(folder.path / "p")
    commit(ready.path)
    lead = ready.path / "mappings" / "lead.yaml"
    watched = Watched(ready)
    try:
        assert "No mistakes, 4 fields" in watched.read_until("0 changed since HEAD")
        lead.write_text(MAPPING.replace("Acme", "Ajax"))
        said = watched.read_until("1 changed since HEAD")
        assert "samples.ndjson::ana\n" in said
        assert 'lead  Company (create only): "Acme" → "Ajax"\n' in said
        lead.write_text(MAPPING.replace("value: Acme", "valu: Acme"))
        assert 'mappings/lead.yaml:12:13: error: the rule for Company has no key "valu"' in watched.read_until(
            "2 mistakes"
        )
        lead.write_text(MAPPING)
        assert 'Company (create only): "Ajax" → "Acme"' in watched.read_until("0 changed since HEAD")
        watched.process.send_signal(signal.SIGINT)
        assert watched.process.wait(60) == 0
    finally:
        watched.process.kill()
        watched.process.communicate()


def test_watch_goes_on_without_git_samples_or_readable_files(folder: Folder) -> None:
    ready = project(folder.path / "p", samples=())
    watched = Watched(ready)
    try:
        assert "0 samples; nothing to compare with" in watched.read_until("compare with")
        (ready.path / "mappings" / "lead.yaml").unlink()
        assert "mappings" in watched.read_until("Error: ")
        (ready.path / "mappings" / "lead.yaml").write_text(MAPPING)
        watched.read_until("No mistakes, 4 fields")
    finally:
        watched.process.kill()
        watched.process.communicate()
