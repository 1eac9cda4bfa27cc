"""`sfmap serve`: when it refuses to start, and where it listens."""

import socket
import subprocess

import pytest

from ..folder import SFMAP
from ..service import KEY, PROJECT, Service

NOT_STARTED: list[tuple[str, list[str], str]] = [
    (PROJECT.replace("SERVER_KEY", "WEBSITE_KEY"), [], "the sources website and server have the same write key"),
    (PROJECT.replace("  server:", "  a b/c:"), [], "a source's name can contain letters"),
    (PROJECT.replace("serve:\n", "serve:\n  spool_megabytes: 0\n"), [], "too small to store an event"),
    (PROJECT.replace("serve:\n", "serve:\n  history: on\n"), [], "history must be off, or a table such as"),
    (PROJECT.replace("serve:\n", "serve:\n  history: {size: 256}\n"), [], "size must be a size, such as 256MB"),
    (PROJECT.replace("serve:\n", "serve:\n  history: {days: -1}\n"), [], "days must be a number of days"),
    (PROJECT, ["--linger", "nan"], "between 0 and 3600 seconds"),
    (PROJECT, ["--linger", "-1"], "between 0 and 3600 seconds"),
    (PROJECT, ["--port", "70000"], "ports go from 0 to 65535"),
    (PROJECT, ["--host", "198.51.100.1"], "cannot listen on 198.51.100.1, port 8080: "),
    ("repeats: 1\n", ["--host", "0.0.0.0"], "list the sources that may send events"),
]


@pytest.mark.parametrize(("project", "arguments", "words"), NOT_STARTED)
def test_invalid_settings_are_refused(service: Service, project: str, arguments: list[str], words: str) -> None:
    (service.folder.path / "sfmap.yaml").write_text(project)
    said = service.refused(*arguments)
    assert words in " ".join(said.split())


def test_a_second_service_in_the_folder_is_refused(service: Service) -> None:
    service.program = (SFMAP,)
    service.start()
    assert service.process
    said = service.refused("--port", "0")
    assert f"another run is delivering in this folder (sfmap serve, process {service.process.pid})" in said
    assert "kill -USR1" in said


def test_a_port_in_use_is_refused(service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = service.refused("--port", str(port))
    assert said == (
        f"Error: cannot listen on 127.0.0.1, port {port}: another program uses that port;"
        " choose a different one with --port\n"
    )


def test_a_damaged_spool_is_reported(service: Service) -> None:
    """It alone has what was accepted."""
    (service.folder.path / ".sfmap").mkdir()
    (service.folder.path / ".sfmap" / "spool.db").write_bytes(b"nonsense" * 1_000)
    said = service.refused()
    assert "spool.db is damaged" in said
    assert "accepted and are not delivered" in said


def test_the_state_folder_is_private(service: Service) -> None:
    service.start()
    assert (service.folder.path / ".sfmap").stat().st_mode & 0o077 == 0


def test_the_service_listens_on_ipv6_loopback(service: Service) -> None:
    service.start("--host", "::1")
    assert service.url.startswith("http://[::1]:")
    assert service.ask("/v1/page", {"writeKey": KEY}).status == 200
    assert service.ask("/").status == 200


def test_the_service_continues_when_its_log_is_closed(service: Service) -> None:
    service.start()
    assert service.process
    url = service.url
    service.stop()
    process = subprocess.Popen(
        [SFMAP, "serve", "--port", url.rpartition(":")[2]],
        cwd=service.folder.path,
        stderr=subprocess.PIPE,
        env=service.environment,
    )
    service.processes.append(process)
    assert process.stderr
    process.stderr.readline()
    process.stderr.close()
    body = {"writeKey": KEY, "type": "identify", "integrations": {"Salesforce": True}}
    assert service.ask("/v1/identify", {**body, "traits": {"email": "a@b.co"}}).status == 200
    assert service.ask("/v1/identify", body).status == 200  # becomes a dead letter, which is said
    service.wait_until_delivered()
    assert service.ask("/healthz").status == 200
    assert service.folder.rows("SELECT Email FROM Lead") == [("a@b.co",)]
