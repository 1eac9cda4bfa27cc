"""A project whose org keeps states and countries as picklists of codes."""

from collections.abc import Mapping

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


def project(folder: Folder) -> Folder:
    (folder.path / "ours").mkdir()
    (folder.path / "ours" / "lead.yaml").write_text(MAPPING)
    (folder.path / "schema.yaml").write_text(SCHEMA)
    (folder.path / "sfmap.yaml").write_text("mappings: ours\norgs: {local: {schema: schema.yaml}}\n")
    return folder


def address(number: int, given: Mapping[str, str]) -> Mapping[str, object]:
    return identify(f"{number}@b.co", address={"city": "Bonn", **given})
