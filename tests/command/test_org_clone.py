"""`sfmap org clone`: a local org with the fields of another one."""

from pathlib import Path

from ..delivery.state_codes import address, project
from ..folder import Folder, Identify


def test_a_cloned_org_describes_itself_as_the_original(folder: Folder, identify: Identify, tmp_path: Path) -> None:
    """A copy of an org has its fields and no others, and describes itself as the org does."""
    (folder.path / "custom.yaml").write_text(
        "objects:\n  Lead:\n    fields:\n"
        "      Code__c: {type: string, length: 9, unique: true, external_id: true}\n"
        "      Amount__c: {type: currency, precision: 9, scale: 2, label: 'NO: \"1e3\"'}\n"
        "      Size__c: {type: picklist, values: ['1e3', 'NO', 'ä'], restricted: true}\n"
        "      Land__c: {type: picklist, values: [{value: A, active: false}, {value: B, label: Beta}, C]}\n"
        "      Part__c: {type: picklist, restricted: true, controller: Land__c, values: [\n"
        "        {value: b1, for: [B]}, {value: bc, label: Both, for: [B, C]}, none]}\n"
        "  Seat__c:\n    fields:\n      Lead__c: {type: reference, to: Lead}\n"
    )
    (folder.path / "sfmap.yaml").write_text("orgs:\n  local: {schema: custom.yaml}\n")
    copied = folder.sfmap("org", "clone", "Lead", "Seat__c", "Account")
    assert copied.returncode == 0, copied.stderr
    (folder.path / "copy.yaml").write_text(copied.stdout)
    before = {name: folder.sfmap("describe", name, "--refresh").stdout for name in ("Lead", "Seat__c", "Account")}
    assert "Code__c" in before["Lead"]
    (folder.path / "sfmap.yaml").write_text("orgs:\n  local: {schema: copy.yaml}\n")
    for name, text in before.items():
        assert folder.sfmap("describe", name, "--refresh").stdout == text
    again = folder.sfmap("org", "clone", "Lead", "Seat__c", "Account")
    assert again.stdout == copied.stdout
    assert '{"value": "bc", "label": "Both", "for": ["B", "C"]}' in again.stdout
    events = folder.write("e.ndjson", [identify("clone@b.co", name="Ann Lee")])
    assert folder.sfmap("run", events).returncode == 0


def test_an_unknown_object_is_refused(folder: Folder) -> None:
    assert folder.sfmap("org", "clone", "Leed").returncode == 2


def test_a_clone_names_the_described_org(folder: Folder) -> None:
    cloned = folder.sfmap("org", "clone").stdout
    assert cloned.startswith("# These objects as described by the org local")


def test_clone_copies_the_currency(folder: Folder) -> None:
    (folder.path / "sfmap.yaml").write_text("orgs: {local: {schema: schema.yaml}}\n")
    for currency in ("EUR", "many"):
        (folder.path / "schema.yaml").write_text(f"currency: {currency}\n")
        done = folder.sfmap("org", "clone", "Opportunity")
        assert f"\ncurrency: {currency}\n" in done.stdout, done.stderr


def test_an_invalid_currency_in_the_schema_file_is_refused(folder: Folder) -> None:
    (folder.path / "sfmap.yaml").write_text("orgs: {local: {schema: schema.yaml}}\n")
    (folder.path / "schema.yaml").write_text("currency: EURO\n")
    done = folder.sfmap("org", "clone", "Opportunity")
    assert done.returncode == 2
    assert "currency must be an ISO code such as USD, or many, not EURO" in done.stderr


def test_clone_copies_state_and_country_codes(folder: Folder) -> None:
    project(folder)
    copied = folder.sfmap("org", "clone", "Lead")
    assert copied.returncode == 0, copied.stderr
    (folder.path / "schema.yaml").write_text(copied.stdout)
    done = folder.sfmap("run", folder.write("e.ndjson", [address(1, {"state": "WA", "country": "AU"})]))
    assert done.returncode == 0, done.stderr
    assert folder.rows("SELECT Country, State FROM Lead") == [("Australia", "Western Australia")]
