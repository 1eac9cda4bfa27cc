"""Salesforce's rules for texts: how long they are, where they are cut, and what an e-mail address is.

Nothing is shared with the rules by which sfmap writes records: a mistake in both would hide itself in every test.
"""

import re

_NOT_ASCII = "\u0080-\U0010ffff"
_LOCAL_PART = rf"[\w!#$%&'*+/=?^`{{|}}~\-{_NOT_ASCII}][\w!#$%&'*+/=?^`{{|}}~\-.{_NOT_ASCII}]*"
_LABEL = rf"[A-Za-z0-9{_NOT_ASCII}](?:[A-Za-z0-9\-{_NOT_ASCII}]*[A-Za-z0-9{_NOT_ASCII}])?"
_ADDRESS = re.compile(rf"{_LOCAL_PART}@{_LABEL}(?:\.{_LABEL})+", re.ASCII)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_SPACE = re.compile(r"\s")


def without_controls(text: str) -> str:
    """The text without the characters that XML cannot contain, which the org does not store."""
    return text if text.isprintable() else _CONTROLS.sub("", text)


def size(text: str) -> int:
    """The length in UTF-16 code units, as `String.length()` of Apex counts it."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def truncated(text: str, longest: int) -> str:
    """The start of the text that a field of this length holds; a character is kept whole or not at all.

    Source: "AllowFieldTruncationHeader" in the SOAP API Developer Guide.
    """
    return text.encode("utf-16-le", "surrogatepass")[: 2 * longest].decode("utf-16-le", "ignore")


def is_email_address(text: str) -> bool:
    """Whether an e-mail field takes the text.

    The local part may have any character of RFC 5322, and those of other scripts; two periods in a row and one at
    its end are accepted, one at its start is not. Comments are not supported. Source: "Salesforce Email Address
    Format Technical Standards Validation", Salesforce Help 000384328.
    """
    return _ADDRESS.fullmatch(text) is not None and _SPACE.search(text) is None
