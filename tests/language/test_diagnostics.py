"""Mistakes in mappings and project files: every one is shown, at its place, with what was probably meant."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from sfmap.engine.load import compile_mappings
from sfmap.engine.project import load_project
from sfmap.engine.spec.diagnostics import Mistakes, Source

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))

BROKEN_PROJECTS = {
    "unknown-keys": "mapings: here\norgs:\n  production: {auth: login, user: a@b.co}\n",
    "secret-in-the-file": "orgs:\n  production:\n    username: a@b.co\n    password: hunter2\n",
    "secret-beside-broken-yaml": "orgs: {production: {password: hunter2, username: @b}}\n",
    "secret-that-is-a-number": "orgs:\n  production: {password: 12345678}\n",
    "secret-under-a-wrong-key": "orgs:\n  production: {passwrd: hunter2}\n",
    "secret-in-a-list": "orgs:\n  production:\n    password:\n      - hunter2\n",
    "unknown-sign-in": "orgs:\n  production: {auth: carrier pigeon}\n",
    "not-a-table": "orgs: [local]\nsettings: {account: shipping}\n",
}


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_broken_mapping(path: Path, case_file: SnapshotAssertion) -> None:
    with pytest.raises(Mistakes) as raised:
        compile_mappings({path.stem: Source(path.name, path.read_text("utf-8"))}, (), {})
    assert f"{raised.value}\n" == case_file


@pytest.mark.parametrize("text", BROKEN_PROJECTS.values(), ids=BROKEN_PROJECTS)
def test_broken_project(
    text: str, case_file: SnapshotAssertion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sfmap.yaml").write_text(text, "utf-8")
    with pytest.raises(Mistakes) as raised:
        load_project(Path())
    assert "hunter2" not in str(raised.value)
    assert "12345678" not in str(raised.value)
    assert f"{raised.value}\n" == case_file
