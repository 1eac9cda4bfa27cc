"""Any line of a file: no command breaks on it, and the events around it are delivered."""

import json
from collections.abc import Sequence

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ..examples import one_in
from ..folder import Folder, Identify, identify
from ..strategies import EVENTS, JSON

OPTED_IN = '"type":"identify","integrations":{"Salesforce":true}'


def line(traits: str, email: str = "") -> str:
    known = f'"email":"{email}",' if email else ""
    return f'{{{OPTED_IN},"messageId":"m","traits":{{{known}"x":{traits}}}}}'


def lists(levels: int) -> str:
    return "[" * levels + "]" * levels


def objects(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


DEPTHS = (64, 250, 252, 253, 254, 300, 500, 509, 510, 511, 960, 1_020, 1_024, 1_030, 100_000)
LINES = [
    *(line(nested(levels), email) for levels in DEPTHS for nested in (lists, objects) for email in ("", "a@b.co")),
    *(line(text) for text in ("NaN", "-Infinity", "1e400", "-1e400", "9" * 30, "9" * 400, "9" * 5_000, "1e-999")),
    *(line(f'"{text}"') for text in ("\\ud800", "\\udfff\\ud800", "\\u0000", "\\uffff", "x" * 1_000_000)),
    line('{"":1,"\\u0000":2,"\\ud800":3,"__proto__":4,"a\\nb":5,"a":6,"a":7}'),
    *("{", "}", "[", "null", "[{}]", '"', "{}", '{"type":[]}', '{"type":"identify","traits":[]}', "\ufeff{}"),
]
RUN, LETTERS = ("run", "e.ndjson"), ("dead-letters", "--json")
ALL = [
    RUN,
    RUN,  # when there are dead letters already
    LETTERS,
    ("dead-letters",),
    ("retry",),
    ("render", "e.ndjson"),
    ("render", "e.ndjson", "--explain", "--format", "json"),
    ("render", "e.ndjson", "--format", "soap"),
]


def check(folder: Folder, lines: list[bytes], commands: Sequence[Sequence[str]]) -> None:
    """Every command ends in order, and each good event stands in the org."""
    good = [orjson.dumps(identify(f"good{number}@b.co")) for number in range(len(lines) + 1)]
    around = [one for pair in zip(good, lines, strict=False) for one in pair]
    (folder.path / "e.ndjson").write_bytes(b"\n".join([*around, good[-1]]) + b"\n")
    for command in commands:
        done = folder.sfmap(*command)
        assert done.returncode in (0, 1), done.stderr
        assert "Traceback" not in done.stderr
        assert "mistake in sfmap" not in done.stderr + done.stdout
        if "json" in command or "--json" in command:
            for text in filter(None, done.stdout.split("\n")):
                json.loads(text)
    emails = {row[0] for row in folder.rows("SELECT Email FROM Lead")}
    assert [number for number in range(len(good)) if f"good{number}@b.co" not in emails] == []


def test_lines_at_every_limit_are_handled(folder: Folder) -> None:
    check(folder, [text.encode() for text in LINES], ALL)


def test_an_unreadable_line_is_a_dead_letter_with_its_place_and_reason(folder: Folder, identify: Identify) -> None:
    deep, fine = lists(600), lists(500)
    folder.write("e.ndjson", [line(deep, "a@b.co"), line(fine, "b@b.co"), line("NaN", "c@b.co")])
    assert folder.sfmap("run", "e.ndjson").returncode == 1
    assert folder.rows("SELECT Email FROM Lead") == [("b@b.co",)]
    assert folder.sfmap("dead-letters").stdout.splitlines() == [
        "1  e.ndjson:1  event  nested more than 512 levels deep",
        "2  e.ndjson:3  event  not JSON: NaN is not a JSON number",
    ]
    first, second = map(json.loads, folder.sfmap("dead-letters", "--json").stdout.splitlines())
    assert (first["text"], second["text"]) == (line(deep, "a@b.co"), line("NaN", "c@b.co"))


ANY_LINE = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(str.encode),
    EVENTS.map(lambda event: json.dumps(event).encode()),
    st.builds(lambda value: line(json.dumps(value), "any@b.co").encode(), JSON),
)


@settings(one_in(20), suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(st.lists(ANY_LINE.map(lambda text: text.replace(b"\n", b" ")), max_size=60))
def test_any_line_is_handled(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    check(Folder(tmp_path_factory.mktemp("any")), lines, (RUN, RUN, LETTERS))
