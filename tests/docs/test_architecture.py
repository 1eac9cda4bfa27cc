"""docs/architecture.md names only what is there, in the files that it says."""

import ast
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs/architecture.md").read_text("utf-8")
NAMED = re.findall(r"`(\w+)` in `([\w/]+\.py)`", PAGE) + re.findall(
    r"^\| `(\w+)` \| `([\w/]+\.py)` \|", PAGE, re.MULTILINE
)
PATHS = set(re.findall(r"`((?:engine|tests|docs|mappings)/[\w/.]*)`", PAGE))


def defined(tree: ast.Module) -> set[str]:
    """The classes, functions and aliases at the top of a module."""
    named = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    assigned = (target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets)
    return named | {target.id for target in assigned if isinstance(target, ast.Name)}


@pytest.mark.parametrize(("name", "path"), sorted(set(NAMED)))
def test_a_name_is_defined_where_the_page_says(name: str, path: str) -> None:
    tree = ast.parse((REPOSITORY / path).read_text("utf-8"))
    assert name in defined(tree)


@pytest.mark.parametrize("path", sorted(PATHS))
def test_a_path_exists(path: str) -> None:
    assert (REPOSITORY / path).exists()


def test_the_drawing_has_every_room() -> None:
    drawing = PAGE.partition("```mermaid")[2].partition("```")[0]
    engine = ast.parse((REPOSITORY / "engine/__init__.py").read_text("utf-8"))
    rooms = re.findall(r"^([a-z][\w/]*) {2,}\S", str(ast.get_docstring(engine)), re.MULTILINE)
    assert not [room for room in rooms if not re.search(rf"\b{room}\b", drawing)]


def test_other_names_are_defined_somewhere() -> None:
    mentioned = set(re.findall(r"`([A-Z]\w+)`", PAGE))
    trees = [ast.parse(path.read_text("utf-8")) for path in (REPOSITORY / "engine").rglob("*.py")]
    assert not mentioned - set().union(*map(defined, trees))
