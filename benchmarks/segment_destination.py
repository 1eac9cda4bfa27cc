"""`sfmap run` beside Segment's own Salesforce destination (`@segment/action-destinations`): the same new people.

Both are whole commands that read the same file and deliver it, four calls at once, each into a local org of its
own: `sfmap run` over SOAP, the other over REST. They take turns, and the leads must be the same.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import requests
from beside import EVENTS, Finished, Project, project_beside

from sfmap.engine.local_org.calls import credentials
from sfmap.tests.npm_packages import installed

_HERE = Path(__file__).parent
_ROUNDS = 3
_LEADS = (
    "SELECT Email, FirstName, LastName, Company, Title, Phone, Website, Rating, NumberOfEmployees, Street, City,"
    " State, PostalCode, Country FROM Lead ORDER BY Email"
)


class Delivered(NamedTuple):
    speed: float
    """Events a second."""
    calls: int


def main(number: int = 5_000) -> tuple[Delivered, Delivered] | None:
    """By sfmap and by Segment's, medians of rounds; None where there is no Node.js."""
    if not (shutil.which("node") and shutil.which("npm")):
        return None
    modules = installed(_HERE) / "node_modules"
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(_ROUNDS):
        with project_beside(number) as project:
            taken[0].append(project.deliver("--connections", "4").seconds)
            ours = (len(project.calls()), list(_leads(project)))
        with project_beside(number) as project:
            taken[1].append(_by_segment(project, modules).seconds)
            theirs = (len(project.calls()), list(_leads(project)))
        assert ours[1] == theirs[1]
        assert len(ours[1]) == number
    fastest, slowest = (number / median(seconds) for seconds in taken)
    return Delivered(fastest, ours[0]), Delivered(slowest, theirs[0])


def _by_segment(project: Project, modules: Path) -> Finished:
    client = (credentials.CLIENT_ID, credentials.CLIENT_SECRET)
    command = ["node", str(_HERE / "segment_destination.cjs"), EVENTS, project.org.url, *client]
    return project.time(command, {"PATH": os.environ["PATH"], "NODE_PATH": str(modules)})


def _leads(project: Project) -> Iterator[dict[str, object]]:
    client = {"client_id": credentials.CLIENT_ID, "client_secret": credentials.CLIENT_SECRET}
    grant = {"grant_type": "client_credentials", **client}
    token = requests.post(f"{project.org.url}/services/oauth2/token", grant, timeout=60).json()["access_token"]
    path, query = "/services/data/v60.0/query", {"q": _LEADS}
    while path:
        url, signed_in = f"{project.org.url}{path}", {"Authorization": f"Bearer {token}"}
        page = requests.get(url, query, headers=signed_in, timeout=60).json()
        for lead in page["records"]:
            yield {name: value for name, value in lead.items() if name != "attributes"}
        path, query = page.get("nextRecordsUrl", ""), {}


if __name__ == "__main__":
    found = main(*map(int, sys.argv[1:]))
    if found:
        for who, delivered in zip(("sfmap", "Segment"), found, strict=True):
            sys.stdout.write(f"{who:<8} {delivered.speed:,.0f} events/s, {delivered.calls:,} calls\n")
