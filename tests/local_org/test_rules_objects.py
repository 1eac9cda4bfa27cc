"""The rules of single objects: owners, members of campaigns, activities, prices."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sfmap.engine.local_org.process import start_local_org
from sfmap.tests.local_org.conftest import Client, created, record, sign_in, updated


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder: Path = tmp_path_factory.mktemp("objects")
    with start_local_org(folder / "org.db") as running:
        yield sign_in(running)


def found(org: Client, object_name: str, condition: str) -> str:
    escaped = f"SELECT Id FROM {object_name} WHERE {condition}"
    answer = org.call(f"<query><queryString>{escaped}</queryString></query>")
    ids = set(re.findall(r"<sf:Id>(\w{18})<", answer))
    assert len(ids) == 1, answer
    return str(ids.pop())


def lead(org: Client, **more: str) -> str:
    return created(org, "Lead", LastName="x", Company="y", **more)


def test_an_inactive_user_owns_no_new_record(org: Client) -> None:
    active, former = (found(org, "User", f"Username = '{name}@local.sfmap.test'") for name in ("sales", "former"))
    assert org.query(f"SELECT OwnerId FROM Lead WHERE Id = '{lead(org, OwnerId=active)}'") == [active]
    refused = f"INACTIVE_OWNER_OR_USER: operation performed with inactive user [{former[:15]}] as owner of Lead"
    assert lead(org, OwnerId=former) == refused


def test_a_queue_owns_records_of_the_objects_that_it_serves(org: Client) -> None:
    queue = created(org, "Group", Name="Support", DeveloperName="Support", Type="Queue")
    refused = "INVALID_OPERATION: Queue not associated with this SObject type"
    assert lead(org, OwnerId=queue) == refused
    created(org, "QueueSobject", QueueId=queue, SobjectType="Lead")
    assert org.query(f"SELECT OwnerId FROM Lead WHERE Id = '{lead(org, OwnerId=queue)}'") == [queue]
    assert created(org, "Case", OwnerId=queue) == refused
    assert created(org, "Account", Name="a", OwnerId=queue).startswith(
        "FIELD_INTEGRITY_EXCEPTION: Owner ID: id value of incorrect"
    )
    assert lead(org, OwnerId=created(org, "Group", Name="All", Type="Regular")) == refused


def test_a_user_is_a_member_of_a_queue_once(org: Client) -> None:
    queue = created(org, "Group", Name="Sales", Type="Queue")
    user = found(org, "User", "Username = 'sales@local.sfmap.test'")
    assert created(org, "GroupMember", GroupId=queue, UserOrGroupId=user).startswith("011")
    assert created(org, "GroupMember", GroupId=queue, UserOrGroupId=user).startswith("DUPLICATE_VALUE")


MEMBER = "SELECT Status, HasResponded, LeadId, ContactId FROM CampaignMember WHERE Id = '{}'"


def test_a_member_of_a_campaign_has_a_status_of_that_campaign(org: Client) -> None:
    campaign, person = created(org, "Campaign", Name="c"), lead(org)
    member = created(org, "CampaignMember", CampaignId=campaign, LeadId=person)
    assert org.query(MEMBER.format(member)) == ["Sent", "false", person]
    assert updated(org, "CampaignMember", Id=member, Status="Responded") == member
    assert org.query(MEMBER.format(member)) == ["Responded", "true", person]
    assert updated(org, "CampaignMember", Id=member, Status="Registered") == member
    assert org.query(MEMBER.format(member)) == ["Sent", "false", person]
    created(org, "CampaignMemberStatus", CampaignId=campaign, Label="Registered", HasResponded="true")
    assert updated(org, "CampaignMember", Id=member, Status="Registered") == member
    assert org.query(MEMBER.format(member)) == ["Registered", "true", person]


def test_a_member_of_a_campaign_is_a_lead_or_a_contact_once(org: Client) -> None:
    campaign, person, contact = (
        created(org, "Campaign", Name="c"),
        lead(org),
        created(org, "Contact", LastName="z"),
    )
    again = "DUPLICATE_VALUE: Already a campaign member."
    both = created(org, "CampaignMember", CampaignId=campaign, LeadId=person, ContactId=contact)
    assert org.query(MEMBER.format(both)) == ["Sent", "false", contact]
    assert created(org, "CampaignMember", CampaignId=campaign, ContactId=contact) == again
    assert created(org, "CampaignMember", CampaignId=campaign, LeadId=person).startswith("00v")
    assert created(org, "CampaignMember", CampaignId=campaign, LeadId=person) == again
    assert created(org, "CampaignMember", CampaignId=created(org, "Campaign", Name="d"), LeadId=person).startswith(
        "00v"
    )
    assert created(org, "CampaignMember", CampaignId=campaign).startswith("REQUIRED_FIELD_MISSING")
    assert created(org, "CampaignMember", LeadId=person).startswith("REQUIRED_FIELD_MISSING")
    assert updated(org, "CampaignMember", Id=both, LeadId=person).startswith("INVALID_FIELD_FOR_INSERT_UPDATE")


def test_one_call_does_not_add_a_member_twice(org: Client) -> None:
    campaign, person = created(org, "Campaign", Name="c"), lead(org)
    twice = record("CampaignMember", CampaignId=campaign, LeadId=person) * 2
    answer = org.call(f"<create>{twice}</create>")
    assert answer.count("<success>true") == 1
    assert answer.count("Already a campaign member.") == 1


def test_an_activity_of_a_lead_is_related_to_nothing_else(org: Client) -> None:
    account, person, contact = created(org, "Account", Name="a"), lead(org), created(org, "Contact", LastName="z")
    assert created(org, "Task", WhoId=person, WhatId=account).startswith("FIELD_INTEGRITY_EXCEPTION")
    assert created(org, "Task", WhoId=contact, WhatId=account).startswith("00T")
    task = created(org, "Task", WhoId=person, Status="Completed", Priority="High")
    assert org.query(f"SELECT IsClosed, IsHighPriority FROM Task WHERE Id = '{task}'") == ["true", "true"]


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"StartDateTime": "2026-01-01T10:00:00Z", "DurationInMinutes": "30"}, "00U"),
        ({"StartDateTime": "2026-01-01T10:00:00Z", "EndDateTime": "2026-01-01T10:30:00Z"}, "00U"),
        ({"ActivityDateTime": "2026-01-01T10:00:00Z", "DurationInMinutes": "30"}, "00U"),
        ({"DurationInMinutes": "30"}, "REQUIRED_FIELD_MISSING"),
        ({"StartDateTime": "2026-01-01T10:00:00Z"}, "REQUIRED_FIELD_MISSING"),
    ],
)
def test_an_event_needs_a_time_and_a_length(org: Client, fields: dict[str, str], answer: str) -> None:
    assert created(org, "Event", **fields).startswith(answer)


def test_a_product_of_an_opportunity_has_its_price(org: Client) -> None:
    product = created(org, "Product2", Name="Stapler", ProductCode="ST-1", IsActive="true")
    book = found(org, "Pricebook2", "IsStandard = true")
    price = {"Pricebook2Id": book, "Product2Id": product, "UnitPrice": "20", "IsActive": "true"}
    entry = created(org, "PricebookEntry", **price)
    assert created(org, "PricebookEntry", **price).startswith(
        "DUPLICATE_VALUE: This price definition already exists"
    )
    deal = created(org, "Opportunity", Name="o", StageName="Prospecting", CloseDate="2026-12-31")
    item = created(
        org, "OpportunityLineItem", OpportunityId=deal, PricebookEntryId=entry, Quantity="3", UnitPrice="15.5"
    )
    query = f"SELECT Product2Id, ProductCode, ListPrice, TotalPrice FROM OpportunityLineItem WHERE Id = '{item}'"
    assert org.query(query) == [product, "ST-1", "20.0", "46.5"]
    assert updated(org, "OpportunityLineItem", Id=item, Quantity="2") == item
    assert org.query(query)[-1] == "31.0"


def test_the_stage_of_an_opportunity_says_more(org: Client) -> None:
    deal = created(
        org, "Opportunity", Name="o", StageName="Qualification", CloseDate="2026-12-31", Probability="33"
    )
    query = f"SELECT Probability, IsClosed, IsWon, ForecastCategoryName FROM Opportunity WHERE Id = '{deal}'"
    assert org.query(query) == ["33.0", "false", "false", "Pipeline"]
    assert updated(org, "Opportunity", Id=deal, StageName="Closed Won") == deal
    assert org.query(query) == ["100.0", "true", "true", "Closed"]


def test_a_case_shows_how_to_reach_its_contact(org: Client) -> None:
    contact = created(org, "Contact", LastName="z", Email="z@b.co", Phone="+1 2")
    case = created(org, "Case", ContactId=contact, Status="Closed")
    query = f"SELECT ContactEmail, ContactPhone, IsClosed FROM Case WHERE Id = '{case}'"
    assert org.query(query) == ["z@b.co", "+1 2", "true"]
    org.call(
        f"<update><sObjects><type>Case</type><fieldsToNull>ContactId</fieldsToNull><Id>{case}</Id></sObjects></update>"
    )
    assert org.query(query) == ["true"]
