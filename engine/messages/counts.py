"""Counts with their nouns: 1 record, 2 records."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """The number and its noun; the plural is needed where it is not the noun with an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
