"""The unit of `deploy/`: systemd takes it whole, and the service does what it says."""

import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..folder import SFMAP
from ..service import KEY, SECRETS, Service, set_up_service

UNIT = Path(__file__).parents[2] / "deploy" / "sfmap.service"
SETTINGS = dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with set_up_service(tmp_path) as one:
        yield one


def systemd_analyze(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    assert shutil.which("systemd-analyze"), "the unit is tested with systemd-analyze: apt-get install systemd"
    return subprocess.run(["systemd-analyze", *map(str, words)], capture_output=True, text=True)


def test_systemd_takes_the_unit_whole(tmp_path: Path) -> None:
    """Verified with the command where it is here, since systemd looks whether it can be executed."""
    unit = tmp_path / "sfmap.service"
    unit.write_text(UNIT.read_text().replace("/opt/sfmap/bin/sfmap", str(SFMAP)))
    done = systemd_analyze("verify", "--man=no", unit)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_unit_exposes_little() -> None:
    done = systemd_analyze("security", "--offline=true", "--threshold=29", UNIT)
    assert done.returncode == 0, done.stdout
    exposure = re.search(r"exposure level for sfmap.service: ([\d.]+)", done.stdout)
    assert exposure
    assert float(exposure[1]) < 3


def start(service: Service, tmp_path: Path, **environment: str) -> socket.socket:
    """Starts the service as the unit does; the socket that systemd listens on."""
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.settimeout(60)
    manager.bind(str(tmp_path / "notify"))
    words = [SFMAP, *SETTINGS["ExecStart"].split()[1:]]
    words[words.index("--port") + 1] = "0"
    with (tmp_path / "log.txt").open("wb") as log:
        service.process = subprocess.Popen(
            words,
            cwd=service.folder.path,
            stderr=log,
            env={**service.environment, "NOTIFY_SOCKET": str(tmp_path / "notify"), **environment},
        )
    service.processes.append(service.process)
    return manager


def test_it_tells_systemd_when_it_is_ready_and_when_it_stops(service: Service, tmp_path: Path) -> None:
    assert SETTINGS["Type"] == "notify"
    with start(service, tmp_path, WATCHDOG_USEC="300000") as manager:
        ready = manager.recv(1_000).decode()
        assert ready.startswith("READY=1\nSTATUS=Accepting events at http://127.0.0.1:")
        service.url = ready.partition(" at ")[2].removesuffix("/v1/")
        assert service.ask("/readyz").status == 200
        assert [manager.recv(1_000) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        assert service.process
        service.process.send_signal(signal.SIGTERM)
        while (said := manager.recv(1_000)) == b"WATCHDOG=1":
            pass
        assert said.startswith(b"STOPPING=1\n")
        assert service.process.wait(60) == 0


def test_a_reload_of_the_unit_reads_the_project_again(service: Service, tmp_path: Path) -> None:
    with start(service, tmp_path) as manager:
        manager.recv(1_000)
        assert service.process
        command = SETTINGS["ExecReload"].replace("$MAINPID", str(service.process.pid))
        assert subprocess.run(command.split()).returncode == 0
        assert service.wait_for(lambda: "Reloaded the project" in service.log())


def test_secrets_are_credentials(service: Service, tmp_path: Path) -> None:
    """One in a file of its name, the others in a file of lines, which systemd keeps from other users."""
    assert SETTINGS["LoadCredential"].startswith("secrets.env:")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "WEBSITE_KEY").write_text(f"{KEY}\n")
    others = [f"{name}={value}\n" for name, value in SECRETS.items() if name != "WEBSITE_KEY"]
    (credentials / "secrets.env").write_text("".join(others))
    (credentials / "secrets.env").chmod(0o440)
    unset = dict.fromkeys(SECRETS, "")
    with start(service, tmp_path, CREDENTIALS_DIRECTORY=str(credentials), **unset) as manager:
        service.url = manager.recv(1_000).decode().partition(" at ")[2].removesuffix("/v1/")
        assert service.ask("/v1/page", {"writeKey": KEY}).status == 200
        assert service.ask("/v1/page", {"writeKey": SECRETS["SERVER_KEY"]}).status == 200
        assert service.ask("/v1/page", {"writeKey": "mistyped"}).status == 401


def test_a_mistake_ends_it_with_the_status_that_prevents_a_restart(service: Service) -> None:
    (service.folder.path / "sfmap.yaml").write_text("serv: {}\n")
    code = service.folder.sfmap("serve", environment=SECRETS).returncode
    assert str(code) == SETTINGS["RestartPreventExitStatus"]


def test_the_service_works_without_memory_that_is_writable_and_executable(service: Service) -> None:
    """As `MemoryDenyWriteExecute=true` in the unit; the kernel can do the same for a process since 6.3."""
    assert SETTINGS["MemoryDenyWriteExecute"] == "true"
    set_mdwe = (
        "import ctypes, os, sys; ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) and sys.exit(77);"
        " os.execv(sys.argv[1], sys.argv[1:])"
    )
    if subprocess.run([sys.executable, "-c", set_mdwe, "/bin/true"]).returncode == 77:
        pytest.skip("this kernel cannot deny memory that is writable and executable to a process")
    service.program = (sys.executable, "-c", set_mdwe, SFMAP)
    service.start()
    body = {"writeKey": KEY, "traits": {"email": "ann@example.com"}, "integrations": {"Salesforce": True}}
    assert service.ask("/v1/identify", body).status == 200
    service.wait_until_delivered()
    assert service.folder.rows("SELECT Email FROM Lead") == [("ann@example.com",)]
