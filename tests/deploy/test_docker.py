"""The Dockerfile by a linter, and what it says tried in a folder: there is no Docker where these tests run."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from sfmap.cli import sfmap

from ..folder import SFMAP
from ..service import KEY, Service, set_up_service

DOCKERFILE = Path(__file__).parents[2] / "deploy" / "Dockerfile"
TEXT = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text())
INSTRUCTIONS = dict(re.findall(r"^([A-Z]+) +(.+)$", TEXT, re.MULTILINE))
COMMAND = json.loads(INSTRUCTIONS["CMD"])


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with set_up_service(tmp_path) as one:
        yield one


def test_the_linter_finds_nothing() -> None:
    done = subprocess.run([SFMAP.parent / "hadolint", DOCKERFILE], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_base_is_pinned_to_a_patch_version() -> None:
    assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+", INSTRUCTIONS["FROM"])


def test_the_command_exists() -> None:
    assert json.loads(INSTRUCTIONS["ENTRYPOINT"]) == ["sfmap"]
    context = click.Context(sfmap)
    command = sfmap.get_command(context, COMMAND[0])
    assert command
    command.make_context(COMMAND[0], COMMAND[1:], parent=context)


def test_the_user_can_be_chosen_by_number() -> None:
    assert INSTRUCTIONS["USER"] == "$UID"
    assert '--uid "$UID"' in INSTRUCTIONS["RUN"]


def test_the_health_check_tells_a_service_that_works_from_one_that_does_not(service: Service) -> None:
    options, _, command = INSTRUCTIONS["HEALTHCHECK"].partition("CMD ")
    assert "--start-period=" in options
    assert "python" in command
    service.start(*COMMAND[3:])

    def check() -> int:
        words = [
            word.replace("127.0.0.1:8080", service.url.removeprefix("http://")) for word in json.loads(command)
        ]
        return subprocess.run([sys.executable, *words[1:]], capture_output=True).returncode

    assert check() == 0
    service.stop()
    assert check() == 1


def test_it_works_with_a_configuration_that_it_cannot_write(service: Service, tmp_path: Path) -> None:
    """As a user without privileges, where only the volume of the state can be written."""
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is not here, which takes privileges from a process")
    assert INSTRUCTIONS["VOLUME"] == "/project/.sfmap"
    state = service.folder.path / ".sfmap"
    state.mkdir()
    service.folder.path.chmod(0o555)
    service.program = (*shlex.split("setpriv --bounding-set=-all --inh-caps=-all"), SFMAP)
    (tmp_path / "log.txt").touch()
    try:
        denied = subprocess.run([*service.program[:-1], "touch", service.folder.path / "new"], capture_output=True)
        assert denied.returncode == 1
        service.start()
        event = {"writeKey": KEY, "traits": {"email": "ann@example.com"}, "integrations": {"Salesforce": True}}
        assert service.ask("/v1/identify", event).status == 200
        service.wait_until_delivered()
        assert service.folder.rows("SELECT Email FROM Lead") == [("ann@example.com",)]
        assert {path.name for path in service.folder.path.iterdir()} == {".sfmap", "sfmap.yaml", "log.txt"}
    finally:
        service.folder.path.chmod(0o755)
