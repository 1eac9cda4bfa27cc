"""Records that do not depend on each other are delivered together, in few calls."""

from ..scene import Scene, also

CONTACT = """\
event: identify
object: Contact
match: Email
fields:
  Email: traits.email
  LastName: {value: n/a}
  Title: traits.title
  Account: {object: Account, by: AccountNumber, from: traits.group}
"""
ACCOUNT = """\
sfmap: 1
event: group
object: Account
match: AccountNumber
fields: {AccountNumber: groupId, Name: traits.name}
"""


def test_records_that_reference_one_record_share_calls(scene: Scene) -> None:
    """Records that point to the same record do not wait for each other."""
    scene.mapping(CONTACT)
    also(scene, "account", ACCOUNT)
    company = {"type": "group", "groupId": "1", "traits": {"name": "Initech"}}
    people = [{"type": "identify", "traits": {"email": f"p{n}@b.co", "group": "1"}} for n in range(20)]
    scene.run(company, *people)
    assert scene.rows("SELECT COUNT(DISTINCT AccountId), COUNT(*) FROM Contact") == [(1, 20)]
    assert scene.calls()["query"] <= 3
    assert scene.calls()["upsert"] <= 2
