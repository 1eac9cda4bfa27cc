"""The message ids of rows that have none."""


def message_id_of(identity: bytes) -> str:
    """The message id of a row, by what names the row for good."""
    return f"row-{identity.hex()}"
