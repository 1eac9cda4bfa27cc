"""Source paths, pipes, filters and templates: what each reads from an event."""

import orjson
import pytest
from hypothesis import given

from sfmap.engine.language.model import SourcePath
from sfmap.engine.mapping.compile.source_paths import compile_source
from sfmap.engine.mapping.compile.templates import compile_template
from sfmap.engine.mapping.filters.filter import Example, Filter
from sfmap.engine.mapping.filters.registry import FILTERS
from sfmap.engine.mapping.run.compiled_source import TemplateFailed
from sfmap.engine.mapping.values.record import Event, Json
from sfmap.engine.mapping.values.values import Unfit
from sfmap.engine.yaml_files.diagnostics import Source, Span
from sfmap.engine.yaml_files.nodes import ScalarNode
from sfmap.engine.yaml_files.reader import DiagnosticReport

from ..strategies import JSON

EVENT: Event = {
    "userId": "u-1",
    "traits": {
        "firstName": "Peter",
        "Last Name": "Gibbons",
        "job_title": "Clerk",
        "email": "lower@b.co",
        "Email": "upper@b.co",
        "phones": ["555-1", "555-2"],
        "company": {"name": "Initech", "Employee-Count": 4},
        "none": None,
        "zero": 0,
        "items": "shadow",
    },
    "properties": {
        "products": [
            {"sku": "a", "price": 5, "main": False},
            {"sku": "b", "price": 9, "main": True},
            {"sku": None},
        ]
    },
}


def node(text: str) -> ScalarNode:
    return ScalarNode(text, text, Span(Source("t.yaml", text), 1, 1), 1, 1)


PATHS: list[tuple[str, Json]] = [
    ("userId", "u-1"),
    ("$.userId", "u-1"),
    ("userid", None),  # the event's own keys are Segment's: exact
    ("traits.firstName", "Peter"),
    ("traits.first_name", "Peter"),
    ("traits.lastName", "Gibbons"),
    ("traits['Last Name']", "Gibbons"),
    ('traits["Last Name"]', "Gibbons"),
    ("traits.jobTitle", "Clerk"),
    ("traits.email", "lower@b.co"),
    ("traits.Email", "upper@b.co"),
    ("traits.EMAIL", "lower@b.co"),  # exact first, then the first in the event
    ("traits.company.employeeCount", 4),
    ("traits.phones[0]", "555-1"),
    ("traits.phones[-1]", "555-2"),
    ("traits.phones[2]", None),
    ("traits.phones.first", None),
    ("traits.missing.name", None),
    ("traits.none", None),
    ("traits.zero", 0),
    ("traits.company", {"name": "Initech", "Employee-Count": 4}),
    ("properties.products[*].sku", "a"),
    ("$.properties.products[?(@.main==true)].sku", "b"),
    ("$.properties.products[?(@.price>100)].sku", None),
    ("$.properties.products[?(@.sku>100)].sku", None),
    ("$..sku", "a"),
    ("properties.products[*].sku | join(';')", "a;b"),
    ("properties.products[1:].sku | first", "b"),
    ("traits.phones | first", "555-1"),
    ("traits.firstName | first | upper", "PETER"),
    ("traits.company | json", '{"name":"Initech","Employee-Count":4}'),
    ("traits.missing | upper", None),
    ("traits.firstName|lower|upper", "PETER"),
]


@pytest.mark.parametrize(("path", "value"), PATHS)
def test_a_path_fetches_its_value(path: str, value: Json) -> None:
    report = DiagnosticReport()
    source = compile_source(SourcePath(path, node(path)), report)
    assert report.diagnostics == []
    assert source is not None
    assert source.get(EVENT) == value


READS = [
    ("traits.company.name | trim", (("traits", "company", "name"),)),
    ("$.properties.products[?(@.main==true)].sku", (("properties", "products"),)),
    ("$..sku", ((),)),
]


@pytest.mark.parametrize(("path", "reads"), READS)
def test_a_path_declares_what_it_reads(path: str, reads: object) -> None:
    source = compile_source(SourcePath(path, node(path)), DiagnosticReport())
    assert source is not None
    assert source.reads == reads


EXAMPLES = [(known.name, example) for known in FILTERS.values() for example in known.examples]


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[f"{n}-{i}" for i, (n, _) in enumerate(EXAMPLES)])
def test_a_filter_example_gives_its_result(name: str, example: Example) -> None:
    assert FILTERS[name].called(example.arguments)(example.value) == example.result


OF_KIND: dict[type, list[Json]] = {
    str: ["Peter Gibbons", "a@b.co", "12", "yes", "2026-11-23", "555-010-9999", "{}", "a,b", "Germany", "Texas"],
    int: [0, 1, 5550109999],
    float: [1.0, 1795476600.0],
    bool: [True, False],
    list: [[], ["a", None, 1], [["a"]]],
    dict: [{}, {"a": {"b": None}}],
    type(None): [None],
}


@pytest.mark.parametrize("kind", OF_KIND, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("known", FILTERS.values(), ids=lambda known: known.name)
def test_a_filter_takes_only_its_declared_kinds(known: Filter, kind: type) -> None:
    run = known.called(known.examples[0].arguments)
    in_template = compile_template(
        node(f"{{{{ traits.a | {known.name}{call(known)} is none }}}}"), DiagnosticReport()
    )
    assert in_template
    given = [run(value) for value in OF_KIND[kind]]
    assert any(value is not None for value in given) == (kind in known.takes)
    printed = [in_template.get({"traits": {"a": value}}) for value in OF_KIND[kind]]
    assert ("false" in printed) == (kind in known.takes)


def call(known: Filter) -> str:
    return f"({', '.join(map(repr, known.examples[0].arguments))})"


def test_every_filter_has_an_example_and_a_summary() -> None:
    assert [known.name for known in FILTERS.values() if not (known.examples and known.summary)] == []


TEMPLATES: list[tuple[str, Json]] = [
    ("{{ traits.firstName }} {{ traits.lastName }}", "Peter Gibbons"),
    ("{{ traits['first_name'] }}", "Peter"),
    ("{{ traits.title }} at {{ traits.company.name or traits.company }}", " at Initech"),
    ("{{ traits.missing.deeper.still }}", ""),
    ("{{ traits.none }}", ""),
    ("{{ traits.zero }}", "0"),
    ("{{ true }} {{ 4.0 }} {{ 1.5 }}", "true 4 1.5"),
    ("{{ traits.company }}", ""),
    ("{{ traits.items }}", "shadow"),  # a trait, never a method of the dictionary
    ("{{ traits.firstName | lower }}", "peter"),
    ("{{ traits.phones | join(' / ') }}", "555-1 / 555-2"),
    ("{{ traits.phones | map('upper') | first }}", "555-1"),
    ("{% if traits.zero == 0 %}yes{% endif %}", "yes"),
    ("{% for p in properties.products %}{{ p.sku }},{% endfor %}", "a,b,,"),
    ("{{ ''.__class__.__mro__ }}", ""),
    ("{{ traits.__class__ }}{{ traits.firstName.__class__ }}", ""),
]


@pytest.mark.parametrize(("text", "value"), TEMPLATES)
def test_a_template_gives_its_text(text: str, value: Json) -> None:
    before = orjson.dumps(EVENT)
    report = DiagnosticReport()
    template = compile_template(node(text), report)
    assert report.diagnostics == []
    assert template is not None
    assert template.get(EVENT) == value
    assert orjson.dumps(EVENT) == before


@pytest.mark.parametrize(
    "text",
    [
        "{{ 1 / 0 }}",
        "{{ traits.firstName > 5 }}",
        "{{ traits.phones.append(1) }}",
        "{{ traits.firstName() }}",
        "{{ traits.firstName * 1000000000000 }}",
        "{% for i in range(10 ** 9) %}x{% endfor %}",
        "{% for i in range(9999) %}{% for k in range(9999) %}x{% endfor %}{% endfor %}",
        "{{ range(10 ** 9) | sum }}",
        "{{ 9 ** (9 ** 9) }}",
        "{{ 10 ** 4000 * 10 ** 4000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ [1] * 10 ** 9 }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ 'x'.center(10 ** 9) }}",
        "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a ~ a ~ a %}" * 20 + "{{ a }}",
        "{% set a = 'xxxxxxxxxx' %}" + "{% set a = [a, a, a, a] | join %}" * 20 + "{{ a }}",
        "{% set a = [1] %}" + "{% set a = a + a %}" * 40 + "{{ a | length }}",
        "{% for i in range(99999) %}" + "x" * 1000 + "{% endfor %}",
        "{{ [[1], [2]] | sum(start=[]) }}",
        "{{ 5 | round(10 ** 9) }}",
        "{{ (1, 2) * 10 ** 9 }}",
        "{% for i in range(9999) %}{{ range(9999) | select('odd') | list | length }}{% endfor %}",
        "{% for i in range(9999) %}{{ ('x' * 9999).upper() | length }}{% endfor %}",
    ],
)
def test_a_template_that_fails_or_costs_too_much_is_an_error(text: str) -> None:
    template = compile_template(node(text), DiagnosticReport())
    assert template is not None
    with pytest.raises(TemplateFailed):
        template.get(EVENT)


@pytest.mark.parametrize(
    "text", ["{{ traits.phones.index(traits.firstName) }}", "{{ 'x'.split(5, traits.firstName) }}"]
)
def test_a_template_error_reveals_no_value(text: str) -> None:
    compiled = compile_template(node(text), DiagnosticReport())
    assert compiled is not None
    with pytest.raises(TemplateFailed) as failed:
        compiled.get({"traits": {"firstName": "Secret" * 99, "phones": ["Secret"]}})
    assert "Secret" not in str(failed.value)
    assert len(str(failed.value)) < 200


def test_a_template_error_says_why() -> None:
    template = compile_template(
        node("{% for i in range(9999) %}{{ range(9999) | sum }}{% endfor %}"), DiagnosticReport()
    )
    assert template is not None
    with pytest.raises(TemplateFailed, match="takes more than 100,000 steps"):
        template.get(EVENT)


UNWANTED = [
    ("{% include 'other' %}", "include"),
    ("{% macro m() %}{{ m() }}{% endmacro %}", "macro"),
    ("{% set a %}{{ traits }}{% endset %}", "set"),
    ("{% for a in traits recursive %}{{ loop(a) }}{% endfor %}", "recursive"),
    ("{{ traits.a | center(5) }}", "center"),
    ("{{ traits.a is divisibleby_ }}", "divisibleby_"),
]


@pytest.mark.parametrize(("text", "word"), UNWANTED)
def test_unsupported_template_syntax_is_reported(text: str, word: str) -> None:
    report = DiagnosticReport()
    assert compile_template(node(text), report) is None
    (diagnostic,) = report.diagnostics
    start = diagnostic.span.column - 1
    assert text[start : start + diagnostic.span.width] == word


SLOW: list[tuple[str, Json, str]] = [
    ("traits.a | split(';')", ";" * 100_001, "has more than 100,000 parts"),
    ("traits.a | join('; ')", ["x" * 99] * 2_000, "becomes longer than 200,000 characters"),
    ("traits.a | from_json", " " * 1_000_001, "is longer than the 1,000,000 characters"),
    ("traits.a | flatten", {"k" * 99_999: {f"{n}": n for n in range(999)}}, "gets keys of more than 10,000,000"),
    ("traits.a[*]", [1] * 100_001, "has more than 100,000 parts"),
    ("$..a..a..a", [{"b": [n]} for n in range(9_999)], "has more than 100,000 parts"),
    ("traits.a | replace_regex('(a|aa)+$', 'b')", "a" * 60 + "b", "takes longer than"),
    ("traits.a | replace_regex('a', 'b')", "a" * 10_001, "is longer than the 10,000 characters"),
    ("traits.a | replace_regex('(.*)', '" + r"\1" * 25 + "')", "a" * 9_999, "becomes longer"),
    ("traits.a | replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')", "a" * 9_999, "becomes longer"),
]


@pytest.mark.parametrize(("text", "value", "words"), SLOW)
def test_a_slow_filter_or_path_gives_up(text: str, value: Json, words: str) -> None:
    compiled = compile_source(SourcePath(text, node(text)), DiagnosticReport())
    assert compiled is not None
    with pytest.raises(Unfit, match=words):
        compiled.get({"traits": {"a": value}})


@pytest.mark.parametrize("known", FILTERS.values(), ids=lambda known: known.name)
@given(value=JSON)
def test_any_filter_handles_any_value(known: Filter, value: Json) -> None:
    before = repr(value)
    for example in known.examples:
        try:
            result = known.called(example.arguments)(value)
        except Unfit:
            continue
        assert result is None or isinstance(result, (str, int, float, list, dict))
        if isinstance(value, known.keeps):
            assert result is value or result == value  # NaN is unequal to itself
    assert repr(value) == before


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("traits.a + ' ' + traits.a", "x x"),
        ("traits.n * 3", 21),
        ("traits.a * traits.n", None),
        ("traits.h * traits.h", None),
    ],
)
def test_a_path_may_calculate(text: str, value: Json) -> None:
    compiled = compile_source(SourcePath(text, node(text)), DiagnosticReport())
    assert compiled is not None
    assert compiled.get({"traits": {"a": "x", "n": 7, "h": 10**17}}) == value


WRONG_ARGUMENTS = [
    "x | split",
    "x | split('')",
    "x | split(5)",
    "x | slice('a')",
    "x | replace('a')",
    "x | replace_regex('(', '')",
    "x | date('%Q')",
    "x | datetime(null, 'Mars/Olympus')",
    "x | phone('DE')",
    "x | lower(1)",
]


@pytest.mark.parametrize("text", WRONG_ARGUMENTS)
def test_wrong_arguments_are_found_when_the_mapping_is_read(text: str) -> None:
    in_path, in_template = DiagnosticReport(), DiagnosticReport()
    assert compile_source(SourcePath(text, node(text)), in_path) is None
    assert compile_template(node(f"{{{{ {text.replace('null', 'none')} }}}}"), in_template) is None
    assert [d.message for d in in_path.diagnostics] == [d.message for d in in_template.diagnostics]


def test_a_template_declares_what_it_reads() -> None:
    template = compile_template(
        node("{{ traits.a.b }} {% if traits['c d'] %}{{ userId }}{% endif %}"), DiagnosticReport()
    )
    assert template is not None
    assert ("traits", "a", "b") in template.reads
    assert ("traits", "c d") in template.reads
