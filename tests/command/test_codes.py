"""States and countries in an org where they are picklists of codes, from the event to the record, over SOAP."""

from collections.abc import Mapping

import pytest

from ..folder import Folder, identify

SCHEMA = """\
state_and_country_picklists:
  US: {label: United States, states: {CA: California, WA: Washington, TX: Texas}}
  AU: {label: Australia, states: {WA: Western Australia}}
  DE: {label: Germany}
"""
MAPPING = """\
sfmap: 1
event: identify
object: Lead
match: Email
fields:
  Email: {from: traits.email, type: email, max: 80, required: true}
  LastName: {value: x}
  Company: {value: x}
address:
  from: traits.address
  parts:
    State: {from: state}
    Country: {from: country}
    City: {from: city}
"""
HELD: list[tuple[dict[str, str], tuple[str | None, ...]]] = [
    ({"country": "US"}, ("United States", "US", None, None)),
    ({"country": "germany"}, ("Germany", "DE", None, None)),
    ({"state": "ca", "country": "United States"}, ("United States", "US", "California", "CA")),
    ({"state": "Texas", "country": "us"}, ("United States", "US", "Texas", "TX")),
    ({"state": "WA", "country": "AU"}, ("Australia", "AU", "Western Australia", "WA")),
    ({"state": "WA", "country": "US"}, ("United States", "US", "Washington", "WA")),
]
LEFT_OUT: list[tuple[dict[str, str], tuple[str | None, ...], str]] = [
    (
        {"country": "Germani"},
        (None, None, None, None),
        'Country: left out: traits.address.country is not a value of CountryCode; did you mean "Germany"?',
    ),
    (
        {"state": "Texsa", "country": "US"},
        ("United States", "US", None, None),
        "State: left out: traits.address.state is not a value of StateCode that is valid for the CountryCode;"
        ' did you mean "Texas"?',
    ),
    (
        {"state": "Texas", "country": "DE"},
        ("Germany", "DE", None, None),
        "State: left out: traits.address.state is not a value of StateCode that is valid for the CountryCode",
    ),
    (
        {"state": "Texas"},
        (None, None, None, None),
        "State: left out: traits.address.state needs CountryCode, which this record does not write",
    ),
]
CASES = [*((given, held, "") for given, held in HELD), *LEFT_OUT]


def project(folder: Folder) -> Folder:
    (folder.path / "ours").mkdir()
    (folder.path / "ours" / "lead.yaml").write_text(MAPPING)
    (folder.path / "schema.yaml").write_text(SCHEMA)
    (folder.path / "sfmap.yaml").write_text("mappings: ours\norgs: {local: {schema: schema.yaml}}\n")
    return folder


def address(number: int, given: Mapping[str, str]) -> Mapping[str, object]:
    return identify(f"{number}@b.co", address={"city": "Bonn", **given})


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Folder, list[dict[str, object]]]:
    """All the cases in one run, with their results."""
    folder = project(Folder(tmp_path_factory.mktemp("codes")))
    events = folder.write("e.ndjson", [address(number, given) for number, (given, _, _) in enumerate(CASES)])
    done = folder.sfmap("run", events, "--results", "results.ndjson")
    assert done.returncode == 0, done.stderr
    return folder, folder.lines("results.ndjson")


@pytest.mark.parametrize("number", range(len(CASES)))
def test_held(delivered: tuple[Folder, list[dict[str, object]]], number: int) -> None:
    folder, results = delivered
    _, held, note = CASES[number]
    columns = "Country, CountryCode, State, StateCode, City"
    (row,) = folder.rows(f"SELECT {columns} FROM Lead WHERE Email = '{number}@b.co'")
    assert row == (*held, "Bonn")
    assert results[number].get("notes", []) == ([note] if note else [])


def test_a_later_event_changes_the_country_and_the_state_with_it(folder: Folder) -> None:
    project(folder)
    given = [{"country": "US", "state": "WA"}, {"country": "Australia", "state": "wa"}, {"country": "Australia"}]
    for number, one in enumerate(given):
        event = {**identify("a@b.co", address=one), "messageId": f"m{number}"}
        assert folder.sfmap("run", folder.write(f"{number}.ndjson", [event])).returncode == 0
    assert folder.rows("SELECT CountryCode, StateCode, State FROM Lead") == [("AU", "WA", "Western Australia")]


def test_a_copy_of_such_an_org_has_its_codes(folder: Folder) -> None:
    project(folder)
    copied = folder.sfmap("org", "clone", "Lead")
    assert copied.returncode == 0, copied.stderr
    (folder.path / "schema.yaml").write_text(copied.stdout)
    done = folder.sfmap("run", folder.write("e.ndjson", [address(1, {"state": "WA", "country": "AU"})]))
    assert done.returncode == 0, done.stderr
    assert folder.rows("SELECT Country, State FROM Lead") == [("Australia", "Western Australia")]


def test_check_compares_constants_with_the_entries(folder: Folder) -> None:
    project(folder)
    head = "sfmap: 1\nevent: identify\nobject: Account\nmatch: Name\nfields:\n"
    text = (
        f"{head}  Name: {{from: userId, required: true}}\n  BillingCountry: {{default: Germani}}\n"
        "  ShippingState: traits.state\n  ShippingCountryCode: {value: Germany}\n"
    )
    (folder.path / "ours" / "lead.yaml").write_text(text)
    done = folder.sfmap("check", "--org", "local")
    assert done.returncode == 2
    assert '"Germani" is not a value of the picklist BillingCountryCode' in done.stderr
    assert 'did you mean "Germany"?' in done.stderr
    assert "1 mistake" in done.stderr
    (folder.path / "ours" / "lead.yaml").write_text(text.replace("ShippingCountryCode", "BillingPostalCode"))
    assert "ShippingState is left out without" in folder.sfmap("check", "--org", "local").stderr
