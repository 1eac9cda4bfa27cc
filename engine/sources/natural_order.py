"""The order in which people expect names: digits count as numbers, so that `2.json` comes before `10.json`."""

import re

_DIGITS = re.compile(r"([0-9]+)")


def natural_key(text: str) -> tuple[object, ...]:
    """Text and numbers in turn: a number is its length without leading zeros, then its digits."""
    pieces = _DIGITS.split(text)
    pieces[1::2] = [piece.lstrip("0") for piece in pieces[1::2]]
    return tuple((len(piece), piece) if index % 2 else piece for index, piece in enumerate(pieces))
