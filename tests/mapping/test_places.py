"""Countries and states by name and code, and the message if their library is not installed."""

import sys

import pytest

from sfmap.engine.language.model import SourcePath
from sfmap.engine.mapping.compile.source_paths import compile_source
from sfmap.engine.mapping.filters.places import FILTERS
from sfmap.engine.yaml_files.diagnostics import Source, Span
from sfmap.engine.yaml_files.nodes import ScalarNode
from sfmap.engine.yaml_files.reader import DiagnosticReport

COUNTRY, NAME, STATE = FILTERS
COUNTRIES = [
    ("us", "US"), (" U.S.A. ", "US"), ("USA", "US"), ("840", "US"), ("United States of America", "US"),
    ("uk", "GB"), ("South Korea", "KR"), ("Russia", "RU"), ("Türkiye", "TR"), ("Turkey", "TR"),
    ("Vietnam", "VN"), ("The Netherlands", "NL"), ("Côte d'Ivoire", "CI"), ("Bonn", None), ("", None),
]  # fmt: skip
STATES = [
    ("California", "US", "CA"), ("ca", "United States", "CA"), ("WA", "AU", "WA"), ("Ontario", "Canada", "ON"),
    ("Bayern", "DE", "BY"), ("California", "DE", None), ("California", "nowhere", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code"), COUNTRIES)
def test_a_country_is_read_by_name_or_code(text: str, code: str | None) -> None:
    assert COUNTRY.called()(text) == code
    assert (NAME.called()(text) is None) == (code is None)


@pytest.mark.parametrize(("text", "country", "code"), STATES)
def test_a_state_is_read_by_name_or_code(text: str, country: str, code: str | None) -> None:
    assert STATE.called((country,))(text) == code


def test_a_missing_library_is_reported_with_its_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycountry", None)
    report = DiagnosticReport()
    text = "traits.country | country_code"
    span = Span(Source("m.yaml", text), 1, 1)
    compile_source(SourcePath(text, ScalarNode(text, text, span, 1, 1)), report)
    (said,) = report.diagnostics
    assert said.message.startswith("country_code needs the library pycountry: ")
    assert said.message.endswith("pip install 'sfmap[countries]'")
