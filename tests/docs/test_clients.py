"""The table of clients in docs/orgs.md has each pinned client, with its version; `make clients` writes it."""

from ..conformance.client_table import PAGE, shown_version, table_of, versions_of
from ..conformance.pins import pinned


def test_each_pinned_client_is_in_the_table_with_its_version() -> None:
    listed = versions_of(table_of(PAGE.read_text("utf-8")))
    assert {client: listed.get(client) for client in pinned()} == {
        client: shown_version(version) for client, version in pinned().items()
    }
