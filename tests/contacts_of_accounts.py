"""Mappings of Accounts that are closed again, and of their Contacts, which the org deletes along."""

ACCOUNT = """\
sfmap: 1
event: {type: track, name: Account}
object: Account
match: AccountNumber
fields: {AccountNumber: properties.account, Name: {value: Acme}}
"""
CLOSED = """\
sfmap: 1
event: {type: track, name: Closed}
object: Account
operation: delete
match: [{AccountNumber: properties.account}]
"""
CONTACT = """\
sfmap: 1
event: {type: track, name: Contact}
object: Contact
match: Email
fields:
  Email: properties.email
  LastName: {value: Lee}
  AccountId: {object: Account, by: AccountNumber, from: properties.account}
"""
ANN = "ann@b.co"
