"""pyforce, unmodified, in its own environment. The argument says what is tried."""

import datetime
import os
import sys

import pyforce

CLIENT = pyforce.PythonClient(serverUrl=os.environ["ORG_URL"] + "/services/Soap/u/60.0")
SIGNED_IN = CLIENT.login(os.environ["ORG_USER"], os.environ["ORG_PASSWORD"])


def lead(key: str) -> dict[str, str]:
    return {"type": "Lead", "LastName": "Lee", "Company": "Initech", "Key__c": key}


def records() -> None:
    made, refused = CLIENT.create([lead("p1"), {"type": "Lead", "Company": "Initech"}])
    assert (made["success"], refused["success"]) == (True, False)
    assert refused["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    (updated,) = CLIENT.update({"type": "Lead", "Id": made["id"], "Title": "Clerk"})
    assert updated["success"]
    (upserted,) = CLIENT.upsert("Key__c", lead("p1"))
    assert (upserted["id"], upserted["isCreated"]) == (made["id"], False)
    (read,) = CLIENT.retrieve("Id,Title,IsConverted", "Lead", [made["id"]])
    assert (read["Title"], read["IsConverted"]) == ("Clerk", False)
    (deleted,) = CLIENT.delete([made["id"]])
    assert deleted["success"]


def queries() -> None:
    CLIENT.create([{"type": "Account", "Name": f"Page {place}"} for place in range(450)][:200])
    found = CLIENT.query("SELECT Id, Name, CreatedDate FROM Account WHERE Name LIKE 'Page %' ORDER BY Name")
    assert len(found) == 200
    assert found[0].Name == "Page 0"
    assert isinstance(found[0].CreatedDate, datetime.datetime)
    assert CLIENT.query("SELECT COUNT() FROM Account WHERE Name LIKE 'Page %'").size == 200


def describes() -> None:
    assert "Lead" in [one.name for one in CLIENT.describeGlobal()["sobjects"]]
    (described,) = CLIENT.describeSObjects("Lead")
    assert described.fields["Key__c"].custom
    assert CLIENT.describeTabs()
    assert CLIENT.getUserInfo()["userId"] == SIGNED_IN["userId"]
    assert CLIENT.getServerTimestamp()


def deleted_and_updated_records() -> None:
    (kept,), (gone,) = (
        CLIENT.create({"type": "Account", "Name": "Kept"}),
        CLIENT.create({"type": "Account", "Name": "G"}),
    )
    CLIENT.delete([gone["id"]])
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    start, end = now - datetime.timedelta(minutes=5), now + datetime.timedelta(minutes=5)
    assert kept["id"] in CLIENT.getUpdated("Account", start, end)
    assert gone["id"] in [one["id"] for one in CLIENT.getDeleted("Account", start, end)]


def search() -> None:
    CLIENT.create({"type": "Account", "Name": "Zanzibar Ferries"})
    assert len(CLIENT.search("FIND {Zanzibar} IN NAME FIELDS RETURNING Account(Id, Name)")) == 1


TRIED = {
    "records": records,
    "queries": queries,
    "describes": describes,
    "deleted and updated records": deleted_and_updated_records,
    "search": search,
}
TRIED[sys.argv[1]]()
