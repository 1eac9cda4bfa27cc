"""sfmap.yaml: each mistake is reported at its place, and no secret is printed."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from sfmap.engine.project.loading import ChosenMappings, compile_mappings, mapping_sources
from sfmap.engine.project.project_file import load_project
from sfmap.engine.yaml_files.diagnostics import Mistakes

BROKEN_PROJECTS = {
    "unknown-keys": "mapings: here\norgs:\n  production: {auth: login, user: a@b.co}\n",
    "secret-in-the-file": "orgs:\n  production:\n    username: a@b.co\n    password: hunter2\n",
    "secret-beside-broken-yaml": "orgs: {production: {password: hunter2, username: @b}}\n",
    "secret-that-is-a-number": "orgs:\n  production: {password: 12345678}\n",
    "secret-under-a-wrong-key": "orgs:\n  production: {passwrd: hunter2}\n",
    "secret-in-a-list": "orgs:\n  production:\n    password:\n      - hunter2\n",
    "unknown-sign-in": "orgs:\n  production: {auth: carrier pigeon}\n",
    "blank-values": "blank_values: {undefined: null}\n",
    "bad-addresses": "orgs:\n  a: {username: a, password: '${P}', login_url: http://acme.my.salesforce.com}\n"
    "  b: {username: a, password: '${P}', login_url: acme.my.salesforce.com}\n"
    "  c: {username: a, password: '${P}', login_url: 'https://ada:hunter2@acme.my.salesforce.com'}\n"
    "  d: {username: a, password: '${P}', login_url: 'http://localhost:8080'}\n"
    "  e: {username: a, password: '${P}', login_url: '${URL}'}\n"
    "  f: {auth: session, access_token: '${T}', instance_url: acme}\n",
    "names-of-nothing": "mappings: hunter2\ndefault_org: prodution\nsilence: hunter2\n"
    "orgs: {production: {username: a, password: '${P}'}}\n",
    "sources": "sources:\n  9lives: {files: x}\n  none: {event: {type: identify}}\n"
    "  both: {files: x, sql: {url: 'sqlite:///x'}}\n"
    "  crm:\n    files: x.csv\n    csv: {encoding: ebcidic, delimeter: ';'}\n"
    "    overlap: 5m\n    since: yesterday\n"
    "    format: xls\n    event: {type: identfy, userid: a, timezone: Berlin, traits: all, groupId: {colum: a}}\n"
    "    types: {a: nmber, b: {date: 7, time: 8}}\n    shape: segmnt-warehouse\n"
    "    store: {secret_access_key: hunter2, credentials: hunter2}\n"
    "  base: {sql: {url: 'postgresql://me:hunter2@db/x', table: a, query: b}, overlap: soon, files_: x}\n"
    "  late: {sql: {table: a}}\n",
    "topics": "sources:\n  bare: {kafka: {}}\n  text: {kafka: events}\n"
    "  both: {kafka: {brokers: a, topic: b}, files: x}\n"
    "  events:\n    since: 2026-01-01\n    kafka:\n"
    "      brokers: [kafka://a:9092, 'b:9092,c d']\n      topic: all events\n"
    "      order: loose\n      dead_letters: all events\n      offset: newest\n"
    "      security: {tls: no, ca_file: ca.pem, username: me, mechanism: GSSAPI, key_password: hunter2}\n"
    "  secret:\n    kafka: {brokers: a, topic: b, security: {username: me, password: hunter2, tls: 1}}\n",
    "not-a-table": "orgs: [local]\nsettings: {account: shipping}\n",
}


@pytest.mark.parametrize("text", BROKEN_PROJECTS.values(), ids=BROKEN_PROJECTS)
def test_mistakes_of_a_project_file_are_reported(
    text: str, case_file: SnapshotAssertion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sfmap.yaml").write_text(text, "utf-8")
    with pytest.raises(Mistakes) as raised:
        load_project(Path())
    assert "hunter2" not in str(raised.value)
    assert "12345678" not in str(raised.value)
    assert f"{raised.value}\n" == case_file


def test_settings_that_do_not_fit_their_mapping_are_reported(tmp_path: Path) -> None:
    (tmp_path / "sfmap.yaml").write_text(
        "settings:\n  lead: {address: {to: both}, defaults: {LastNmae: x}, matsch: Email}\n"
        "  account: {address: {from: traits}, match: []}\n"
    )
    project = load_project(tmp_path)
    with pytest.raises(Mistakes) as raised:
        compile_mappings(ChosenMappings(sources=mapping_sources(None), settings=project.settings))
    messages = [diagnostic.message for diagnostic in raised.value.diagnostics]
    assert "to selects from targets, and this address has none" in messages
    assert "no rule writes LastNmae" in messages
    assert 'the settings of lead has no key "matsch"' in messages
    assert 'the address in the settings of account has no key "from"' in messages
