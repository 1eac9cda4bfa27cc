"""Events about people, and the mappings that take them."""

LEAD = """\
event: identify
object: Lead
match: Email
fields:
  Email: {from: traits.email, required: true}
  LastName: {from: traits.last, default: n/a}
  Company: {value: Initech}
  City: traits.city
  Phone: traits.phone
  Rating: {from: traits.rating, write: empty}
  LeadSource: {value: Web, write: create}
"""
KEYED = """\
event: identify
object: Lead
match: {external_id: Key__c}
fields: {Key__c: traits.email, LastName: {value: n/a}, Company: {value: Initech}, City: traits.city}
"""
ACCOUNT = """\
event: identify
object: Account
match: AccountNumber
fields: {AccountNumber: traits.email, Code__c: traits.code, Name: {value: n/a}, BillingCity: traits.city}
"""


def person(name: str, **traits: object) -> dict[str, object]:
    return {"type": "identify", "messageId": f"m-{name}", "traits": {"email": f"{name}@b.co", **traits}}


PEOPLE = [person(f"p{number}", city=f"City {number}") for number in range(12)]
CREATING = LEAD.replace("match: Email", "operation: create")
