"""Entries of orgs in sfmap.yaml that are refused."""

import pytest

from ..folder import Folder

PROJECT = """\
orgs:
  started:
    login_url: {url}
    {way}
"""
WRONG_ENTRIES = [
    ("auth: jwt\n    client_id: x\n    username: a@b.co", 'needs the key "key_file"'),
    (
        "auth: client_credentials\n    client_id: x\n    client_secret: ${S}\n    password: ${P}",
        "does not belong to",
    ),
    ("auth: session", "needs session_file, or access_token and instance_url"),
    ("auth: refresh_token\n    client_id: x\n    refresh_token: hunter22", "a secret does not belong"),
    ("username: a@b.co\n    password: ${P}\n    headers: {assignment_rule: always}", "default, off, or the id"),
    ("username: a@b.co\n    password: ${P}\n    headers: {package_versions: {acme: new}}", "must be like 1.2"),
]


@pytest.mark.parametrize(("way", "words"), WRONG_ENTRIES)
def test_an_invalid_org_entry_is_refused(folder: Folder, way: str, words: str) -> None:
    (folder.path / "sfmap.yaml").write_text(PROJECT.format(url="https://acme.my.salesforce.com", way=way))
    done = folder.sfmap("check")
    assert (done.returncode, words in done.stderr) == (2, True)
    assert "hunter22" not in done.stderr
