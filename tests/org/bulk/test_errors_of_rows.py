"""The errors of rows in the results of jobs, as orgs have written them."""

import pytest

from sfmap.engine.org.bulk.result_files import refused
from sfmap.engine.org.port import Refused

LOCKED = "unable to obtain exclusive access to this record or 200 records: 001xx0000000001AAA,001xx0000000002AAA"

SAMPLES = [
    (
        "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --",
        Refused("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ("Name",)),
    ),
    (
        "REQUIRED_FIELD_MISSING:Required fields are missing: [Product__c, Broker__c]:Product__c,Broker__c --",
        Refused(
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [Product__c, Broker__c]",
            ("Product__c", "Broker__c"),
        ),
    ),
    (f"UNABLE_TO_LOCK_ROW:{LOCKED}:--", Refused("UNABLE_TO_LOCK_ROW", LOCKED)),
    (
        "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--",
        Refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
    ),
    (
        "DUPLICATE_VALUE:duplicate value found: Code__c duplicates value on record with id: 006xx000004iYzq:--",
        Refused(
            "DUPLICATE_VALUE", "duplicate value found: Code__c duplicates value on record with id: 006xx000004iYzq"
        ),
    ),
    # Without the end, the last part need not be a field.
    (
        "DUPLICATE_VALUE:duplicate value found: Code__c duplicates value on record with id: 006xx000004iYzq",
        Refused(
            "DUPLICATE_VALUE", "duplicate value found: Code__c duplicates value on record with id: 006xx000004iYzq"
        ),
    ),
    (
        "NUMBER_OUTSIDE_VALID_RANGE:Score: value outside of valid range on numeric field: 100.0:score__c --",
        Refused(
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Score: value outside of valid range on numeric field: 100.0",
            ("Score__c",),
        ),
    ),
    (
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:T: BeforeInsert\n\ncaused by: line 1:2, column 1: []:--",
        Refused(
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            "T: BeforeInsert\n\ncaused by: line 1:2, column 1: []",
        ),
    ),
    (
        "STRING_TOO_LONG:Title: too long:Title --INVALID_EMAIL_ADDRESS:Email: invalid -- address:Email --",
        Refused("STRING_TOO_LONG", "Title: too long; Email: invalid -- address", ("Title", "Email")),
    ),
    ("InternalServerError: try again", Refused("UNKNOWN_EXCEPTION", "InternalServerError: try again")),
    ("", Refused("UNKNOWN_EXCEPTION", "The org refused the record without saying why.")),
    ("UNKNOWN_EXCEPTION::--", Refused("UNKNOWN_EXCEPTION", "The org refused the record without saying why.")),
]


@pytest.mark.parametrize(("text", "meant"), SAMPLES)
def test_an_error_has_code_message_and_fields(text: str, meant: Refused) -> None:
    assert refused(text, {"score__c": "Score__c", "title": "Title"}) == meant
