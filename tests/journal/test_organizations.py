"""The journal knows an org by its organization id, not by its entry or its sign-in."""

import json
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import LocalOrg, start_local_org

from ..folder import Folder, Identify

ENTRY = "{{login_url: '{url}', username: {user}, password: '${{P}}', security_token: '${{T}}'}}"
CLIENT = "{{auth: client_credentials, login_url: '{url}', client_id: {client}, client_secret: '${{S}}'}}"
SECRETS = {"P": credentials.PASSWORD, "T": credentials.SECURITY_TOKEN, "S": credentials.CLIENT_SECRET}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    with start_local_org(tmp_path_factory.mktemp("org") / "org.db") as running:
        yield running


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    with start_local_org(tmp_path_factory.mktemp("other") / "org.db") as running:
        yield running


def project(folder: Folder, **entries: str) -> None:
    lines = "".join(f"  {name}: {entry}\n" for name, entry in entries.items())
    (folder.path / "sfmap.yaml").write_text(f"orgs:\n{lines}")


def by_login(org: LocalOrg) -> str:
    return ENTRY.format(url=org.url, user=credentials.USERNAME)


def by_client(org: LocalOrg) -> str:
    return CLIENT.format(url=org.url, client=credentials.CLIENT_ID)


def sfmap(folder: Folder, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    done = folder.sfmap(*arguments, stdin=stdin, environment=SECRETS)
    return done.returncode, done.stdout, done.stderr


def session(org: LocalOrg) -> bytes:
    client = f"client_id={credentials.CLIENT_ID}&client_secret={credentials.CLIENT_SECRET}"
    form = f"grant_type=client_credentials&{client}"
    answer = json.loads(urlopen(f"{org.url}/services/oauth2/token", form.encode()).read())
    return json.dumps({"accessToken": answer["access_token"], "instanceUrl": org.url}).encode()


def test_entries_of_one_org_share_dead_letters(folder: Folder, identify: Identify, local: LocalOrg) -> None:
    project(folder, one=by_login(local), two=by_client(local))
    events = folder.write("e.ndjson", [identify("")])

    assert sfmap(folder, "run", events, "--org", "one")[0] == 1
    assert sfmap(folder, "limits", "--org", "two")[0] == 0

    listed = sfmap(folder, "dead-letters", "--org", "one")
    assert "Email is required" in listed[1]
    assert sfmap(folder, "dead-letters", "--org", "two") == listed


def test_another_entry_of_the_same_org_continues_a_run(
    folder: Folder, identify: Identify, local: LocalOrg
) -> None:
    project(folder, one=by_login(local), two=by_client(local))
    events = folder.write("e.ndjson", [identify(f"{number}@go.on") for number in range(3_000)])

    code, _, said = sfmap(folder, "run", events, "--org", "one", "--connections", "1", "--max-calls", "15")
    assert code == 3, said
    code, _, said = sfmap(folder, "run", events, "--org", "two")

    assert code == 0, said
    assert "Continuing after event 2," in said


def test_dead_letters_of_a_session_belong_to_the_named_org(
    folder: Folder, identify: Identify, local: LocalOrg
) -> None:
    project(folder, named=by_login(local))
    events = folder.write("e.ndjson", [identify("")])
    code, _, said = sfmap(folder, "run", "--org-from-stdin", events, stdin=session(local))
    assert code == 1, said

    unknown = sfmap(folder, "dead-letters", "--org", "named")
    assert unknown[:2] == (0, "")
    assert "sfmap limits --org named" in unknown[2]

    assert sfmap(folder, "limits", "--org", "named")[0] == 0
    assert "Email is required" in sfmap(folder, "dead-letters", "--org", "named")[1]
    code, _, said = sfmap(folder, "retry", "--org", "named", "--report", "report.json")
    assert code == 1, said
    assert folder.report()["events"] == 1
    assert "deleted: 1" in sfmap(folder, "dead-letters", "--org", "named", "--discard")[2]


def test_another_org_has_its_own_dead_letters(
    folder: Folder, identify: Identify, local: LocalOrg, other: LocalOrg
) -> None:
    project(folder, named=by_login(local))
    events = folder.write("e.ndjson", [identify("")])
    assert sfmap(folder, "run", events, "--org", "named")[0] == 1

    project(folder, named=by_login(other))
    assert "has not signed in to the org named" in sfmap(folder, "dead-letters", "--org", "named")[2]
    assert sfmap(folder, "limits", "--org", "named")[0] == 0
    assert "There are no dead letters" in sfmap(folder, "dead-letters", "--org", "named")[2]

    project(folder, named=by_login(local))
    assert "Email is required" in sfmap(folder, "dead-letters", "--org", "named")[1]


@pytest.mark.parametrize("way", ["login", "client_credentials", "session"])
def test_the_organization_is_known_without_an_api_call(
    folder: Folder, identify: Identify, local: LocalOrg, way: str
) -> None:
    project(folder, named=by_client(local) if way == "client_credentials" else by_login(local))
    events = folder.write("e.ndjson", [identify(f"{way}@b.co")])
    arguments = ("--org-from-stdin",) if way == "session" else ("--org", "named")

    code, _, said = sfmap(folder, "run", events, *arguments, "--report", "report.json", stdin=session(local))

    assert code == 0, said
    calls = folder.report()["api_calls"]
    assert isinstance(calls, dict)
    assert "getUserInfo" not in calls
    assert ("login" in calls) is (way == "login")


def test_dead_letters_are_listed_without_signing_in(folder: Folder) -> None:
    project(folder, away=ENTRY.format(url="https://no-such-host.invalid", user="ada"))
    for arguments in (("dead-letters",), ("dead-letters", "--discard"), ("dead-letters", "--json")):
        code, out, said = sfmap(folder, *arguments, "--org", "away")
        assert (code, out) == (0, "")
        assert "has not signed in to the org away" in said
