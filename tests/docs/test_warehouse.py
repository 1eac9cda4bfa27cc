"""docs/warehouse.md from its beginning to its end: its SQL, files and commands, with a real PostgreSQL."""

import re
from pathlib import Path

import psycopg
import yaml

from ..folder import REPOSITORY, Folder
from ..postgres import Postgres

PAGE = REPOSITORY / "docs" / "warehouse.md"
BLOCK = re.compile(r"^```(sql|yaml|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_is_true(tmp_path: Path, postgres: Postgres) -> None:
    assert Folder(tmp_path).sfmap("init", "acme").returncode == 0
    folder = Folder(tmp_path / "acme")
    url = postgres.new_database()
    text = PAGE.read_text("utf-8")
    tried = followed(text, folder, url)
    secrets = folder.path / "secrets.env"

    assert tried == text
    assert folder.rows("SELECT Email, City FROM Lead WHERE IsDeleted = 0 ORDER BY Email") == [
        ("bob@beta.example", "Bonn"),
        ("cy@acme.example", None),
    ]
    again = folder.sfmap("run", "warehouse", "--restart").stderr
    assert re.search(r"unchanged +2\b", again), "a restart delivers what was delivered before"
    assert secrets.stat().st_mode & 0o777 == 0o600


def followed(page: str, folder: Folder, url: str) -> str:
    """The page with what its commands really print, after all that it says is done."""
    name = url.rpartition("/")[2]
    address = url.rpartition("@")[2].rpartition("/")[0]
    secrets = folder.path / "secrets.env"
    (shown,) = re.findall(r"echo '(WAREHOUSE_URL=.*)' > secrets\.env", page)
    secrets.write_text(shown.replace("db.acme.example/shop", f"{address}/{name}") + "\n", "utf-8")
    secrets.chmod(0o600)
    with psycopg.connect(url, autocommit=True) as connection:

        def follow(block: "re.Match[str]") -> str:
            kind, text = block.groups()
            if kind == "sql":
                connection.execute(text.encode())
            elif kind == "yaml":
                write(folder.path, text)
            else:
                text = printed(folder, text)
            return f"```{kind}\n{text}```"

        return BLOCK.sub(follow, page)


def printed(folder: Folder, block: str) -> str:
    """The block's command with what it prints."""
    command = block.splitlines()[0]
    done = folder.sfmap(*command.removeprefix("$ sfmap ").split())
    assert done.returncode == 0, done.stderr
    said = re.sub(r"in \d+\.\d s", "in 0.1 s", done.stdout + done.stderr)
    return f"{command}\n{said}"


def write(folder: Path, block: str) -> None:
    """Writes a block that begins with the name of its file; one for a file that is there goes to its end."""
    first, _, rest = block.partition("\n")
    name = first.removeprefix("# ")
    if name == "another sfmap.yaml":
        assert yaml.safe_load(rest)["sources"]
        return
    path = folder / name
    before = path.read_text("utf-8") if path.exists() else ""
    path.write_text(f"{before.rstrip()}\n{rest}", "utf-8")
