"""Parses texts and numbers of events as numbers, booleans, dates and times, for types and filters."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Final

from sfmap.engine.language.model import DecimalMark
from sfmap.engine.mapping.values.event import as_text
from sfmap.engine.mapping.values.record import Value

NUMBER_RANGE: Final = 10**18
INTEGER_RANGE: Final = 2**31
FIRST_DAY: Final = date(1700, 1, 1)
LAST_DAY: Final = date(4000, 12, 31)
"""The last day of a date field ("Primitive Data Types", date)."""
_LONGEST = 100
"""In characters; longer than any number, date or time."""

_NO_NUMBER = "is not a number"
_NO_DATE = "is not a date (YYYY-MM-DD)"
_NO_MOMENT = "is not a date and time (ISO 8601)"
_NO_TIME = "is not a time of day (HH:MM or HH:MM:SS)"

_YES = ("true", "t", "yes", "y", "on", "1")
_NO = ("false", "f", "no", "n", "off", "0")
_BOOLEANS = {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}

# ISO 4217, list one: the currencies in use.
_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR
ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT
MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD
SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND
VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES: Final = tuple(_CODES.split())
_CURRENCY = rf"[A-Z]{{0,3}}\$|[€£¥₹₽₩₪₺₴₫₱฿₦₡₲₵₸]|{'|'.join(CURRENCIES)}"
_AMOUNT = (
    rf"(?P<sign>[-+−]?)\s?(?:{_CURRENCY})?\s?(?P<inner>[-+−]?)(?P<number>[\d.,'’\s]*\d[.,]?)\s?(?:{_CURRENCY})?"
)
_PLAIN: dict[DecimalMark, re.Pattern[str]] = {
    "point": re.compile(r"\d{1,18}(?:\.\d{0,18})?|\.\d{1,18}"),
    "comma": re.compile(r"\d{1,18}(?:,\d{0,18})?|,\d{1,18}"),
}
# Groups of three digits, or as in India of two above the last three, with the same separator throughout.
_GROUPED: dict[DecimalMark, re.Pattern[str]] = {
    "point": re.compile(
        r"[1-9]\d{0,2}(?P<mark>[,'’\s])\d{3}(?:(?P=mark)\d{3}){0,4}(?:\.\d{0,18})?"
        r"|[1-9]\d?(?:,\d{2}){1,6},\d{3}(?:\.\d{0,18})?"
    ),
    "comma": re.compile(r"[1-9]\d{0,2}(?P<mark>[.'’\s])\d{3}(?:(?P=mark)\d{3}){0,4}(?:,\d{0,18})?"),
}
_SEPARATORS: dict[DecimalMark, re.Pattern[str]] = {
    "point": re.compile(r"[,'’\s]"),
    "comma": re.compile(r"[.'’\s]"),
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_TEXT = re.compile(r"-?\d{9,16}(\.\d{1,9})?")
_FEWEST_SECONDS = 10**8
"""A smaller number is not a moment: `20261123` would be a day in 1970."""
_MOST_SECONDS = 10**11
"""A larger number is milliseconds: as seconds this is the year 5138, as milliseconds March 1973."""

_TIME = re.compile(
    r"(?P<hour>\d{1,2})(?::(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    r"(?:\s?(?P<half>[AaPp])\.?[Mm]\.?|\s?(?:Z|[-+]\d\d:?\d\d))?",
    re.ASCII,
)


class Unfit(ValueError):
    """The field cannot take a value; the message follows the value's name: `is not a whole number`."""


class OutOfRange(Unfit):
    """A number, date or time that is out of the range of fields."""


def to_number(value: Value, decimal: DecimalMark = "point", otherwise: str = _NO_NUMBER) -> int | float:
    """The number; a text may have a currency and grouped thousands. Raises `Unfit`.

    `decimal` is the decimal mark of a text: the other one separates thousands. A text that is grouped in any other
    way is refused, since `1,00` is ambiguous.
    """
    if isinstance(value, bool):
        raise Unfit(otherwise)
    if isinstance(value, str):
        return _number_in(value, decimal, otherwise)
    if not -NUMBER_RANGE < value < NUMBER_RANGE:
        raise OutOfRange("has more digits than a number field can hold")
    return value


@cache
def _amount() -> Callable[[str], re.Match[str] | None]:
    """Matches a number with its currency; compiled at first use, since that takes long."""
    return re.compile(_AMOUNT).fullmatch


def _number_in(text: str, decimal: DecimalMark, otherwise: str) -> int | float:
    text = text.strip()
    amount = _amount()(text) if len(text) <= _LONGEST else None
    if amount is None or (amount["sign"] and amount["inner"]):
        raise Unfit(otherwise)
    digits = amount["number"].strip()
    if _GROUPED[decimal].fullmatch(digits):
        digits = _SEPARATORS[decimal].sub("", digits)
    if not _PLAIN[decimal].fullmatch(digits):
        raise Unfit(otherwise)
    digits = digits.replace(",", ".")
    number = float(digits) if "." in digits else int(digits)
    return -number if (amount["sign"] or amount["inner"]) in ("-", "−") else number


def to_integer(value: Value, decimal: DecimalMark = "point") -> int:
    """The whole number. Raises `Unfit`."""
    otherwise = "is not a whole number"
    number = to_number(value, decimal, otherwise)
    if number != int(number):
        raise Unfit(otherwise)
    if not -INTEGER_RANGE <= number < INTEGER_RANGE:
        raise OutOfRange("is out of the range of a whole number field")
    return int(number)


def to_boolean(value: Value) -> bool:
    """True or false, also as forms and spreadsheets write them. Raises `Unfit`."""
    if isinstance(value, bool):
        return value
    text = as_text(value).strip().lower() if not isinstance(value, str) or len(value) <= _LONGEST else ""
    answer = _BOOLEANS.get(text)
    if answer is None:
        raise Unfit("is not true or false")
    return answer


def to_date(value: Value, zone: str = "", form: str | None = None) -> str:
    """The day of an ISO 8601 text, of seconds or milliseconds since 1970, or of a text in `form`. Raises `Unfit`.

    A moment is converted to the given time zone, or else keeps the one that it is written with.
    """
    moment = _moment(value, form, _NO_DATE)
    try:
        return _held(_in_zone(moment, zone).date()).isoformat()
    except OverflowError:
        raise _too_far() from None


def to_datetime(value: Value, zone: str = "", form: str | None = None) -> str:
    """The moment in UTC with milliseconds, from the values that `to_date` takes. Raises `Unfit`.

    A time without a time zone is in the given one, or else in UTC.
    """
    moment = _moment(value, form, _NO_MOMENT)
    try:
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=time_zone(zone))).astimezone(UTC)
    except (OverflowError, ValueError):
        raise _too_far() from None
    _held(moment.date())
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def to_time(value: Value, zone: str = "") -> str:
    """The time of day for time fields, from a text such as `9:30`, `9:30 PM` or a moment. Raises `Unfit`."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise Unfit(_NO_TIME)
    text = value.strip()
    found = _TIME.fullmatch(text)
    clock = _clock(found) if found else _in_zone(_moment_after_day(text), zone).time()
    return clock.isoformat(timespec="milliseconds") + "Z"


def _clock(found: re.Match[str]) -> time:
    hour, half = int(found["hour"]), (found["half"] or "").lower()
    if (half and not 1 <= hour <= 12) or hour > 23 or not (half or found["minute"]):
        raise Unfit(_NO_TIME)
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    fraction = (found["fraction"] or "")[:3].ljust(3, "0")
    return time(hour, int(found["minute"] or 0), int(found["second"] or 0), int(fraction) * 1000)


def _moment_after_day(text: str) -> datetime:
    if "T" not in text and " " not in text:
        raise Unfit(_NO_TIME)
    return _moment(text, None, _NO_TIME)


def _moment(value: Value, form: str | None, otherwise: str) -> datetime:
    text = as_text(value).strip() if not isinstance(value, str) or len(value) <= _LONGEST else ""
    if isinstance(value, bool) or not text:
        raise Unfit(otherwise)
    try:
        if form is not None:
            return datetime.strptime(text, form)
        if isinstance(value, (int, float)) or _EPOCH_TEXT.fullmatch(text):
            return _since_1970(float(text), otherwise)
        return datetime.fromisoformat(text)
    except OverflowError:
        raise _too_far() from None
    except Unfit:
        raise
    except ValueError:
        raise Unfit(otherwise) from None


def _since_1970(number: float, otherwise: str) -> datetime:
    if not abs(number) >= _FEWEST_SECONDS:
        raise Unfit(otherwise)
    return _EPOCH + timedelta(seconds=number if abs(number) < _MOST_SECONDS else number / 1000)


def _in_zone(moment: datetime, zone: str) -> datetime:
    """The moment in the time zone; unchanged if no zone is given, or if it has none itself."""
    return moment.astimezone(time_zone(zone)) if zone and moment.tzinfo else moment


@cache
def time_zone(name: str) -> tzinfo:
    """The time zone of that name; UTC if empty."""
    if not name:
        return UTC
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def _held(day: date) -> date:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise _too_far()
    return day


def _too_far() -> OutOfRange:
    return OutOfRange(f"is out of the range of a date field ({FIRST_DAY} to {LAST_DAY})")
