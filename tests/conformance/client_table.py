"""A plugin of pytest: writes what each client could do with the local org into the table of docs/orgs.md.

A client is what a module names with `CLIENT`. Each of its tests is one thing that was tried: it passes, or it is
expected to fail for a reason.
"""

import re
from dataclasses import dataclass, field

import pytest

from ..folder import REPOSITORY
from .pins import pinned

PAGE = REPOSITORY / "docs" / "orgs.md"
START, END = "<!-- clients: written by make clients -->\n", "<!-- end of clients -->\n"
HEAD = "| client | version | what works | what does not |\n|---|---|---|---|\n"
_ROW = re.compile(r"^\| `([^`]+)` \| ([^|]*) \|.*$", re.MULTILINE)


@dataclass
class Tried:
    works: list[str] = field(default_factory=list)
    fails: list[str] = field(default_factory=list)


def table_of(page: str) -> str:
    return page.split(START)[1].split(END)[0]


def rows_of(table: str) -> dict[str, str]:
    """The row of each client."""
    return {found[1]: found[0] for found in _ROW.finditer(table)}


def versions_of(table: str) -> dict[str, str]:
    return {found[1]: found[2] for found in _ROW.finditer(table)}


def shown_version(version: str) -> str:
    """A commit is shown by its beginning."""
    return version[:10] if len(version) == 40 else version


class ClientTable:
    def __init__(self) -> None:
        self.tried: dict[str, Tried] = {}
        self.skipped: dict[str, str] = {}
        self.failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        properties = dict(report.user_properties)
        client = properties.get("client")
        if not isinstance(client, str):
            return
        if report.failed:
            self.failed.add(client)
        expected = getattr(report, "wasxfail", None)
        if report.skipped and expected is None:
            self.skipped[client] = str(
                report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            )
        elif report.when == "call":
            tried = self.tried.setdefault(client, Tried())
            what = str(properties.get("counted") or properties["tried"])
            if report.passed:
                tried.works.append(what)
            if "missing" in properties or expected:
                tried.fails.append(str(properties.get("missing") or f"{what}: {expected}"))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Writes and prints the table. The row of a client that failed, or could not be tried, stays as it is."""
        page = PAGE.read_text("utf-8")
        whole = self.tried.keys() - self.failed - self.skipped.keys()
        rows = rows_of(table_of(page)) | {client: self._row(client) for client in whole}
        table = HEAD + "".join(f"{rows[client]}\n" for client in sorted(rows, key=str.casefold))
        terminalreporter.write_sep("=", "clients")
        terminalreporter.write_line(table)
        for client, reason in self.skipped.items():
            terminalreporter.write_line(f"{client} was not tried: {reason}")
        PAGE.write_text(page.replace(table_of(page), table), "utf-8")

    def _row(self, client: str) -> str:
        tried = self.tried[client]
        version = shown_version(pinned().get(client, "of Debian"))
        return f"| `{client}` | {version} | {'; '.join(tried.works)} | {'; '.join(tried.fails)} |"


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(ClientTable(), "client-table")
