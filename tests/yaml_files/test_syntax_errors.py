"""Invalid YAML is reported at the line to correct, with what to write there."""

import pytest

from sfmap.engine.yaml_files.diagnostics import Mistakes, Source
from sfmap.engine.yaml_files.nodes import read_yaml

FIELDS = "sfmap: 1\nfields:\n  Email: traits.email\n"


@pytest.mark.parametrize(
    ("text", "place", "message", "help_"),
    [
        (f"{FIELDS}   Title: x\n", "4:4", "deeper than the line above", "2 spaces, like line 3"),
        (f"{FIELDS}\n  # note\n    Title: x\n", "6:5", "deeper than the line above", "2 spaces, like line 3"),
        (f"{FIELDS} Title: x\n", "4:2", "like no line above it", "2 spaces, like line 3"),
        ("sfmap: 1\n  fields:\n", "2:3", "deeper than the line above", "no space, like line 1"),
        (" sfmap: 1\nfields:\n", "2:1", "less than the first line", "1 space, like line 1"),
        ("match:\n  - Email\n - Name\n", "3:2", "like no line above it", "2 spaces, like line 2"),
        ("fields:\n  - Email: x\n  Title: y\n", "3:3", "a list starts on line 2", 'start it with "- "'),
        ("fields:\n  E:\n    from: a\n     type: email\n", "4:6", "deeper", "4 spaces, like line 3"),
        ("fields:\n  E:\n    from: a\n   type: email\n", "4:4", "like no line above it", "4 spaces, like line 3"),
        ("fields:\n  A: a\n  : traits.b\n", "3:3", "no name before this colon", "such as that of a field"),
        ("fields:\n\tEmail: x\n", "2:1", "a tab cannot indent", "use spaces"),
        ("fields:\n  Email\n  Title: x\n", "2:3", "this line has no colon", "write key: value"),
        ("fields:\n  Email traits.email\n  Title: x\n", "2:3", "this line has no colon", "write key: value"),
        ("fields:\n  Email:traits.email\n  Title: x\n", "2:8", "a space must follow the colon", ""),
        ("fields:\n  Title: x\n  Email\n", "3:3", "this line has no colon", "write key: value"),
        ("fields:\n  Email: a: b\n", "2:11", 'a value with ": " in it', 'write "..."'),
        ("fields:\n  Email: {from: a\n  Title: x\n", "2:10", "this { is not closed", ""),
        ("fields:\n  Email: [a, b\n  Title: x\n", "2:10", "this [ is not closed", ""),
        ("fields:\n  Email: {from: a}}\n", "2:19", "this } closes nothing", "delete it"),
        ("fields:\n  Email: {from: a b: c}\n", "2:20", "a comma or } is missing", ""),
        ("fields:\n  Email: 'abc\n  Title: x\n", "2:10", "this quote is not closed", ""),
        ('fields:\n  Email: "a" b\n', "2:14", "nothing can follow a text in quotes", "all of it in quotes"),
        ('fields:\n  Email: "a\\d"\n', "2:12", "a backslash begins an escape", "use single quotes"),
        ("fields:\n  Email: @a\n", "2:10", "a value cannot begin with @", "put it in quotes"),
        ("fields:\n  Email: &\n", "2:11", "this is not YAML: ", "that started on line 2"),
    ],
)
def test_invalid_yaml_is_reported_with_a_correction(text: str, place: str, message: str, help_: str) -> None:
    with pytest.raises(Mistakes) as raised:
        read_yaml(Source("m.yaml", text))
    (found,) = raised.value.diagnostics
    assert (f"{found.span.line}:{found.span.column}", found.kind.code) == (place, "SF001")
    assert message in found.message
    assert help_ in found.help
