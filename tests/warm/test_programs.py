"""A program that the server forks is as one that is started."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ..folder import SFMAP, installed
from .programs import warm_python

SAYS_ALL = """\
import os, sys
print(sys.argv[1:], os.getcwd(), os.environ.get("GIVEN"), sys.stdin.read(), sys.stdout.encoding, __name__)
print("warned", file=sys.stderr)
sys.exit(7)
"""


def run(python: str, script: Path, **more: str) -> tuple[int, bytes, bytes]:
    done = subprocess.run(
        [python, script, "a b", "é"],
        cwd=script.parent,
        input="unter Bäumen".encode(),
        capture_output=True,
        env={**os.environ, **more},
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("more", [{}, {"GIVEN": "x=y"}, {"PYTHONIOENCODING": "latin-1"}], ids=str)
def test_arguments_folder_variables_streams_and_exit_code_are_the_same(
    tmp_path: Path, more: dict[str, str]
) -> None:
    script = tmp_path / "says_all.py"
    script.write_text(SAYS_ALL)
    found = run(warm_python(), script, **more)
    assert found == run(sys.executable, script, **more)
    assert found[0] == 7


def test_signals_reach_the_program_and_its_end_is_told(tmp_path: Path) -> None:
    script = tmp_path / "waits.py"
    script.write_text("import signal\nprint('here', flush=True)\nsignal.pause()\n")
    with subprocess.Popen([warm_python(), script], stdout=subprocess.PIPE) as waiting:
        assert waiting.stdout
        waiting.stdout.readline()
        waiting.send_signal(signal.SIGTERM)
        assert waiting.wait(60) == -signal.SIGTERM


def test_a_program_ends_with_what_stands_for_it(tmp_path: Path) -> None:
    script = tmp_path / "waits.py"
    script.write_text("import signal\nprint('here', flush=True)\nsignal.pause()\n")
    with subprocess.Popen([warm_python(), script], stdout=subprocess.PIPE) as waiting:
        assert waiting.stdout
        waiting.stdout.readline()
        waiting.kill()
        assert waiting.stdout.read() == b""  # until the program, which holds the pipe too, has ended


def test_the_command_is_the_installed_one() -> None:
    said = [
        subprocess.run([*start, SFMAP, "--help"], capture_output=True, env=installed())
        for start in ([], [warm_python()])
    ]
    assert said[0].stdout == said[1].stdout
    assert said[0].returncode == said[1].returncode == 0
