"""Modules and functions are short enough to read at a glance, and a public class has a name of its own."""

import ast
from collections import Counter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
MODULES = sorted([*(REPOSITORY / "engine").rglob("*.py"), REPOSITORY / "cli.py"])
LONGEST_MODULE = 400
LONGEST_FUNCTION = 50


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_modules_and_functions_are_short(module: Path) -> None:
    text = module.read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST_MODULE
    tree = ast.walk(ast.parse(text))
    functions = (node for node in tree if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    lengths = [(node.name, (node.end_lineno or 0) - node.lineno + 1) for node in functions]
    assert not [name for name, length in lengths if length > LONGEST_FUNCTION]


def test_public_classes_have_names_of_their_own() -> None:
    trees = (ast.parse(module.read_text("utf-8")) for module in MODULES)
    names = Counter(node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))
    assert not {name for name, count in names.items() if count > 1 and not name.startswith("_")}
