"""The examples of docs/python.md and of the API's docstrings are run, against an org."""

import doctest
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import sfmap
from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import start_local_org

from ..folder import REPOSITORY, Folder, identify

PAGE = (REPOSITORY / "docs/python.md").read_text("utf-8")
PROJECT = """\
orgs:
  sandbox:
    login_url: {url}
    username: {username}
    password: ${{PASSWORD}}
    security_token: ${{TOKEN}}
"""


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The folder acme beside a file of three events, of which the last has no email."""
    (tmp_path / "acme").mkdir()
    events = [identify("ann@acme.example", name="Ann Lee"), identify("bob@acme.example", name="Bob Ray")]
    last = {"type": "identify", "traits": {"name": "Eve"}, "integrations": {"Salesforce": True}}
    Folder(tmp_path).write("events.ndjson", [*events, last])
    monkeypatch.setenv("PASSWORD", credentials.PASSWORD)
    monkeypatch.setenv("TOKEN", credentials.SECURITY_TOKEN)
    monkeypatch.chdir(tmp_path)
    with start_local_org(tmp_path / "org.db") as org:
        text = PROJECT.format(url=org.url, username=credentials.USERNAME)
        (tmp_path / "acme" / "sfmap.yaml").write_text(text)
        yield


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    "text", ["\n\n".join(re.findall(r"^```pycon\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)), sfmap.__doc__],
    ids=["page", "docstring"],
)  # fmt: skip
def test_the_examples_give_what_they_show(text: str) -> None:
    test = doctest.DocTestParser().get_doctest(text, {}, "python.md", None, 0)
    shown: list[str] = []
    result = doctest.DocTestRunner().run(test, out=shown.append)
    assert result.attempted > 3
    assert not result.failed, "".join(shown)


@pytest.mark.usefixtures("acme")
def test_the_test_of_the_page_passes() -> None:
    (text,) = re.findall(r"^```python\n(# test_leads\.py\n.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    exec(text, names)
    (test,) = (one for name, one in names.items() if name.startswith("test_"))
    assert callable(test)
    test()


def test_what_the_page_shows_of_the_examples_is_in_them() -> None:
    examples = "".join(path.read_text("utf-8") for path in (REPOSITORY / "examples").glob("*.py"))
    shown = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(shown) == 3
    assert [block for block in shown if block not in examples and not block.startswith("# test_")] == []


def test_every_part_of_a_report_is_on_the_page() -> None:
    parts = {name for name in vars(sfmap.RunReport) if not name.startswith("_")} - {"summary", "seconds"}
    assert [name for name in sorted(parts) if f"`{name}" not in PAGE] == []
