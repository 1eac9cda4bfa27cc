"""Quoted texts in pipes and templates, in which a backslash is itself, as regular expressions need it.

Only `\\n`, `\\t`, and a backslash or quote after a backslash are escapes; Python and Jinja2 know many more.
"""

import ast
import re

from sfmap.engine.mapping.values.record import Json

_LITERAL = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_BLOCK = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
_JSON_WORDS = {"true": True, "false": False, "null": None}


def _keep_backslashes(code: str) -> str:
    def kept(escape: re.Match[str]) -> str:
        return escape[0] if escape[1] in "nt\\'\"" else f"\\{escape[0]}"

    return _LITERAL.sub(lambda literal: _ESCAPE.sub(kept, literal[0]), code)


def template_code(text: str) -> str:
    """The template with backslashes escaped for Jinja2; the number of lines stays the same."""
    return _BLOCK.sub(lambda block: _keep_backslashes(block[0]), text)


def arguments(text: str) -> list[Json] | None:
    """The literals between a call's parentheses; None if they are something else."""
    try:
        call = ast.parse(f"_({_keep_backslashes(text)})", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(call, ast.Call) or call.keywords:
        return None
    found = [_argument(node) for node in call.args]
    return None if any(argument is _WRONG for argument in found) else found  # type: ignore[return-value]


_WRONG = object()


def _argument(node: ast.expr) -> Json | object:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        value = node.operand.value
        return -value if isinstance(value, (int, float)) else _WRONG
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, int, float)):
        return node.value
    if isinstance(node, ast.Name) and node.id in _JSON_WORDS:
        return _JSON_WORDS[node.id]
    return _WRONG
