"""Filters on names and codes of countries and their states in ISO 3166; they need the library pycountry."""

from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sfmap.engine.mapping.filters.filter import Example, Filter, Parameter
from sfmap.engine.mapping.values.event import LONGEST_REMEMBERED, MOST_REMEMBERED
from sfmap.engine.mapping.values.record import Json
from sfmap.engine.mapping.values.values import Unfit
from sfmap.engine.messages.hints import pip_install

if TYPE_CHECKING:
    from pycountry.db import Country as Place

_ALIASES = {
    "uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB", "great britain": "GB",
    "america": "US", "united states of america": "US", "russia": "RU", "turkey": "TR", "czech republic": "CZ",
    "ivory coast": "CI", "holland": "NL", "the netherlands": "NL", "cape verde": "CV", "swaziland": "SZ",
    "macedonia": "MK", "burma": "MM", "uae": "AE", "brunei": "BN", "east timor": "TL", "vatican": "VA",
}  # fmt: skip
"""Common names that are not in the standard."""


def _missing() -> str:
    return "" if find_spec("pycountry") else _needs()


def _needs() -> str:
    return f"needs the library pycountry: {pip_install('sfmap[countries]')}"


def _country(text: str) -> "Place | None":
    return _known_country(text) if len(text) <= LONGEST_REMEMBERED else None


@lru_cache(MOST_REMEMBERED)
def _known_country(text: str) -> "Place | None":
    try:
        import pycountry  # it is large, and most mappings do not need it
    except ModuleNotFoundError:
        raise Unfit(f"cannot be read: this {_needs()}") from None

    wanted = text.replace(".", "").strip()
    try:
        return pycountry.countries.lookup(_ALIASES.get(wanted.casefold(), wanted))
    except LookupError:
        return None


def _country_code(text: str) -> Json:
    found = _country(text)
    return found.alpha_2 if found else None


def _country_name(text: str) -> Json:
    found = _country(text)
    return found.name if found else None


def _state_code(text: str, country: Json) -> Json:
    found = _country(country) if isinstance(country, str) else None
    if found is None:
        return None
    return _states(found.alpha_2).get(text.strip().casefold())


@lru_cache(MOST_REMEMBERED)
def _states(country: str) -> dict[str, str]:
    """The codes of a country's states, by code and name; ambiguous ones are left out."""
    import pycountry

    codes: dict[str, str] = {}
    names: dict[str, set[str]] = {}
    for state in pycountry.subdivisions:
        if state.country_code != country:
            continue
        code = state.code.removeprefix(f"{country}-")
        codes[code.casefold()] = code
        names.setdefault(state.name.casefold(), set()).add(code)
    unambiguous = {name: next(iter(found)) for name, found in names.items() if len(found) == 1}
    return {**unambiguous, **codes}


FILTERS = (
    Filter(
        name="country_code",
        function=_country_code,
        summary="The two-letter code of a country, by its name or code; no value for other texts. `pip install"
        " 'sfmap[countries]'` first",
        examples=(
            Example("Germany", "DE"),
            Example("USA", "US"),
            Example("U.K.", "GB"),
            Example("Atlantis", None),
        ),
        missing=_missing,
    ),
    Filter(
        name="country_name",
        function=_country_name,
        summary="The English name of a country in ISO 3166, by its name or code. `pip install 'sfmap[countries]'`"
        " first",
        examples=(Example("de", "Germany"), Example("USA", "United States"), Example("Atlantis", None)),
        missing=_missing,
    ),
    Filter(
        name="state_code",
        function=_state_code,
        summary="The code of a state or province of the given country, by its name or code. `pip install"
        " 'sfmap[countries]'` first",
        examples=(
            Example("California", "CA", ("US",)),
            Example("wa", "WA", ("Australia",)),
            Example("Texas", None, ("DE",)),
        ),
        parameters=(Parameter("country"),),
        missing=_missing,
    ),
)
