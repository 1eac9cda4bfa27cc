"""Links of the documentation are valid, and the code names only pages that exist."""

import re
from pathlib import Path

import pytest

from ..folder import REPOSITORY

PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")])
MODULES = [path for folder in ("engine", "tests") for path in (REPOSITORY / folder).rglob("*.py")]


def prose(page: Path) -> str:
    """The page without its code, where brackets mean other things."""
    return re.sub(r"^```.*?^```$|`[^`\n]*`", "code", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The headings of a page as GitHub names them in links."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    names = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    before = [names[:at].count(name) for at, name in enumerate(names)]
    return {f"{name}-{count}" if count else name for name, count in zip(names, before, strict=True)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_are_valid(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_pages_that_the_code_names_exist() -> None:
    named = {name for path in MODULES for name in re.findall(r"docs/\w+\.md", path.read_text("utf-8"))}
    assert [name for name in sorted(named) if not (REPOSITORY / name).exists()] == []


def test_the_index_names_every_page() -> None:
    index = REPOSITORY / "docs" / "README.md"
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", index.read_text("utf-8")))
    assert linked == {page.name for page in PAGES if page.parent == index.parent and page != index}
