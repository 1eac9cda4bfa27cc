"""Amounts in another currency: what is written, and what is noted."""

from typing import cast

import pytest

from ..folder import Event, Folder


def order(currency: object, total: object = 30, number: int = 1) -> Event:
    return {
        "type": "track",
        "event": "Order Completed",
        "timestamp": "2026-11-23T23:30:00Z",
        "properties": {"order_id": number, "total": total, "currency": currency},
        "integrations": {"Salesforce": True},
    }


def deliver(folder: Folder, schema: str, *events: Event) -> list[dict[str, object]]:
    """The outcomes of the events in a local org with that schema file."""
    (folder.path / "schema.yaml").write_text(schema)
    (folder.path / "sfmap.yaml").write_text("use: [opportunity]\norgs: {local: {schema: schema.yaml}}\n")
    arguments = ("--results", "results", "--report", "report.json")
    done = folder.sfmap("run", folder.write("events.ndjson", events), *arguments)
    assert done.returncode == 0, done.stderr
    return folder.lines("results")


def said(org: str, event: str) -> list[str]:
    return [f"Amount: written in {org}, the org's currency, though properties.currency | upper says {event}"]


MISSING = (
    "CurrencyIsoCode: left out: Opportunity has no field CurrencyIsoCode for properties.currency | upper;"
    " create it in Setup, or give the user access to it"
)


@pytest.mark.parametrize(
    ("schema", "event", "amount", "notes"),
    [
        ("objects: {}", order("GBP"), 30, said("USD", "GBP")),
        ("objects: {}", order(" usd "), 30, None),
        ("objects: {}", order(None), 30, None),
        ("currency: EUR", order("EUR"), 30, None),
        ("currency: EUR", order("usd"), 30, said("EUR", "USD")),
        ("currency: EUR", order("my secret"), 30, said("EUR", "another currency")),
        ("objects: {}", order("GBP", total=None), None, [MISSING]),
        ("objects: {}", order("USD", total=None), None, None),
        ("currency: many", order("USD"), 30, [MISSING]),
    ],
)  # fmt: skip
def test_an_amount_in_another_currency_is_noted(
    folder: Folder, schema: str, event: Event, amount: float | None, notes: list[str] | None
) -> None:
    (told,) = deliver(folder, schema, event)
    assert (told["outcome"], told.get("notes")) == ("created", notes)
    assert folder.rows("SELECT Amount FROM Opportunity") == [(amount,)]
    calls = cast(dict[str, int], folder.report()["api_calls"])
    assert "getUserInfo" not in calls  # the sign-in told


MANY = """\
currency: many
objects:
  Opportunity:
    complete: true
    key_prefix: "006"
    fields:
      Name: {type: string, length: 120, required: true}
      StageName: {type: picklist, length: 255, required: true}
      CloseDate: {type: date, required: true}
      Amount: {type: currency, precision: 18, scale: 2}
      LeadSource: {type: picklist, length: 255}
      Description: {type: textarea, length: 32000}
      CurrencyIsoCode: {type: picklist, length: 255, values: [USD, GBP], restricted: true}
"""


def test_an_org_with_several_currencies_keeps_each_currency(folder: Folder) -> None:
    events = [order("gbp", number=1), order("USD", number=2), order(None, number=3)]
    told = deliver(folder, MANY, *events)
    assert [one.get("notes") for one in told] == [None] * 3
    assert folder.rows("SELECT Amount, CurrencyIsoCode FROM Opportunity ORDER BY Name") == [
        (30, "GBP"), (30, "USD"), (30, None),
    ]  # fmt: skip


MAPPING = """\
sfmap: 1
event: identify
object: Lead
match: Email
fields:
  Email: traits.email
  LastName: {value: Lee}
  Company: {value: Initech}
  AnnualRevenue: {from: traits.revenue, type: number, currency: FIELD}
  Turnover__c: {from: traits.turnover, type: number, currency: FIELD, write: create}
  FIELD: {value: GBP}
"""
TURNOVER = "objects: {Lead: {fields: {Turnover__c: {type: currency, scale: 2}}}}"
SAID = "written in USD, the org's currency, though a constant says GBP"


@pytest.mark.parametrize(
    ("name", "notes"),
    [
        ("CurrencyIsoCode", [f"AnnualRevenue: {SAID}", f"Turnover__c: {SAID}"]),
        (
            "leadSource",
            [
                "leadSource: left out: Lead has no field leadSource for a constant;"
                " it has LeadSource, and the casing must agree"
            ],
        ),
    ],
)
def test_a_constant_currency_is_noted_for_each_amount(folder: Folder, name: str, notes: list[str]) -> None:
    (folder.path / "mappings").mkdir()
    (folder.path / "mappings/person.yaml").write_text(MAPPING.replace("FIELD", name))
    (folder.path / "schema.yaml").write_text(TURNOVER)
    (folder.path / "sfmap.yaml").write_text("mappings: mappings\norgs: {local: {schema: schema.yaml}}\n")
    event = {"type": "identify", "traits": {"email": "a@b.co", "revenue": 3, "turnover": 4}}
    done = folder.sfmap("run", folder.write("events.ndjson", [event]), "--results", "results")
    assert done.returncode == 0, done.stderr
    (told,) = folder.lines("results")
    assert told["notes"] == notes
