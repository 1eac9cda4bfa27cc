"""Hints: each is a whole command that the command line takes, and that works when it is pasted into a shell."""

import ast
import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmap.cli import COMMANDS, sfmap
from sfmap.engine.messages.hints import command_line

from ..folder import REPOSITORY, Folder, identify, install_warm
from ..reliability.people import LEAD, person
from ..scene import SECRETS, Scene

TOOLS = "my tools"
"""Where the command is: not on the PATH, and with a blank in its path."""
HELPERS = ("command_line", "command_line_in")


@dataclass(frozen=True)
class Elsewhere:
    """A folder, and the command in another one that the PATH does not have."""

    folder: Path

    @property
    def program(self) -> str:
        return shlex.quote(str(self.folder.parent / TOOLS / "sfmap"))

    def shell(self, line: str, folder: str = ".") -> "subprocess.CompletedProcess[str]":
        """What somebody types, or pastes."""
        environment = {**os.environ, **SECRETS, "PATH": "/usr/bin:/bin"}
        return subprocess.run(
            ["sh", "-c", line],
            cwd=self.folder / folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )

    def hints(self, said: str) -> Iterator[str]:
        """The commands that were shown, up to the ends of their lines."""
        for line in said.splitlines():
            for beginning in (f"{self.program} ", "cd ", "chmod "):
                _, found, rest = f" {line}".partition(f" {beginning}")
                if found:
                    yield f"{beginning}{rest}"


@pytest.fixture
def elsewhere(scene: Scene) -> Elsewhere:
    tools = scene.folder.path.parent / TOOLS
    tools.mkdir(exist_ok=True)
    install_warm(tools)
    scene.mapping(LEAD)
    folder = scene.folder
    folder.write("people.ndjson", [person("ann")])
    folder.write("no name.ndjson", [{"type": "identify", "integrations": {"Salesforce": True}}])
    folder.write("other's.ndjson", [{"type": "page"}])
    folder.write("many.ndjson", [person(f"p{number}") for number in range(2_100)])
    (folder.path / "below").mkdir()
    return Elsewhere(folder.path)


def changed_snapshot(elsewhere: Elsewhere) -> None:
    assert elsewhere.shell(f"{elsewhere.program} init project").returncode == 0
    mapping = elsewhere.folder / "project/mappings/lead.yaml"
    mapping.write_text(mapping.read_text().replace("n/a", "unknown"))


def open_secrets(elsewhere: Elsewhere) -> None:
    (elsewhere.folder / "secrets.env").write_text("OTHER=1\n")
    (elsewhere.folder / "secrets.env").chmod(0o644)
    project = elsewhere.folder / "sfmap.yaml"
    project.write_text(project.read_text().replace("${PASSWORD}", "${OTHER}"))


def unfinished_run(elsewhere: Elsewhere) -> None:
    assert elsewhere.shell(f"{elsewhere.program} run many.ndjson --max-calls 14").returncode == 3


def nothing(elsewhere: Elsewhere) -> None:
    """The folder is as it should be."""


HINTS: dict[str, tuple[Callable[[Elsewhere], None], str, str, list[str]]] = {
    "failed records": (nothing, "run 'no name.ndjson'", ".", ["dead-letters", "retry"]),
    "failed records of another org": (
        nothing,
        "run --org org 'no name.ndjson'",
        ".",
        ["dead-letters --org org", "retry --org org"],
    ),
    "failed records by other mappings": (
        nothing,
        "run --mappings mappings 'no name.ndjson'",
        ".",
        ["dead-letters", "retry --mappings mappings"],
    ),
    "all skipped": (nothing, """run --org org "other's.ndjson" """, ".", [
        """render --explain --org org 'other'"'"'s.ndjson'""",
    ]),
    "a run that continues": (
        unfinished_run,
        "run many.ndjson",
        ".",
        ["run many.ndjson --restart"],
    ),
    "an org without dead letters": (nothing, "dead-letters --org org", "below", ["limits --org org"]),
    "no such dead letter": (nothing, "retry --org org 99", ".", ["dead-letters --org org"]),
    "a new project": (nothing, "init 'new one'", ".", ["cd 'new one'", "check", "test"]),
    "a changed snapshot": (changed_snapshot, "test", "project", ["test --update"]),
    "a file of secrets that others can read": (
        open_secrets,
        "limits --org org",
        "below",
        ["chmod 600 ../secrets.env"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HINTS)
def test_hints_work_when_they_are_pasted(elsewhere: Elsewhere, name: str) -> None:
    prepare, words, folder, expected = HINTS[name]
    prepare(elsewhere)
    done = elsewhere.shell(f"{elsewhere.program} {words}", folder)
    hints = list(dict.fromkeys(elsewhere.hints(done.stderr + done.stdout)))
    assert [hint.removeprefix(f"{elsewhere.program} ") for hint in hints] == expected, done.stderr
    pasted = elsewhere.shell("\n".join(hints), folder)
    assert pasted.returncode in (0, 1), pasted.stderr
    assert "not found" not in pasted.stderr


def calls() -> Iterator[tuple[str, list[str]]]:
    """The commands of all hints, with a word in place of what is only known later."""
    for module in sorted((REPOSITORY / "engine").rglob("*.py")):
        text = module.read_text("utf-8")
        for node in ast.walk(ast.parse(text)) if HELPERS[0] in text else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in HELPERS:
                words = node.args[1:] if node.func.id == "command_line_in" else node.args
                if words and isinstance(words[0], ast.Constant):
                    yield f"{module.name}:{node.lineno}", list(_literal(words))


def _literal(words: list[ast.expr]) -> Iterator[str]:
    for word in words:
        if isinstance(word, ast.Constant):
            yield str(word.value)
        elif not isinstance(word, ast.Starred):
            yield "x"


@pytest.mark.parametrize(("place", "words"), list(calls()), ids=lambda one: one if isinstance(one, str) else "")
def test_hints_name_commands_and_options_that_exist(place: str, words: list[str]) -> None:
    context = click.Context(sfmap)
    name, *rest = words
    command = sfmap.get_command(context, name)
    assert command, place
    with command.make_context(name, rest, parent=context) as inner:
        if isinstance(command, click.Group):
            sub, found, left = command.resolve_command(inner, rest)
            assert found, place
            found.make_context(sub, left, parent=inner)


PROSE = {
    ("caught_events.py", "sfmap serve"),
    ("partition_check.py", "sfmap run"),
    ("records_opening.py", "sfmap backfill"),
    ("service_events.py", "sfmap serve"),
}
"""Names of commands in a sentence, which nobody is to run."""


def test_commands_in_messages_come_from_the_helper() -> None:
    names = {f": {program} {name} " for name in COMMANDS for program in ("sfmap", "run: sfmap")}
    found = set()
    for module in sorted((REPOSITORY / "engine").rglob("*.py")):
        tree = ast.parse(module.read_text("utf-8"))
        documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
                found |= {(module.name, name.strip(": ")) for name in names if name in f"{node.value} "}
    assert found == PROSE


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=4))
def test_a_shell_reads_the_words_of_a_hint(words: list[str]) -> None:
    _, *read = shlex.split(command_line("run", *words))
    assert read[-len(words) - 1 :] == ["run", *words]


def test_the_name_is_enough_where_the_path_has_the_command(folder: Folder) -> None:
    name = folder.write(
        "e.ndjson", [identify("a@b.co"), {"type": "identify", "integrations": {"Salesforce": True}}]
    )
    assert "\n  sfmap dead-letters\n  sfmap retry\n" in folder.sfmap("run", name).stderr
