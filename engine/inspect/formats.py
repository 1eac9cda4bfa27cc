"""The output of `sfmap render`: each record or fate as a line of JSON, as text, or as a SOAP envelope."""

import re
from collections.abc import Callable, Mapping

from sfmap.engine.inspect.explanation import Explained, as_text
from sfmap.engine.inspect.payload import as_json
from sfmap.engine.mapping.values.record import Addition, FieldContent, Line, Mapped, Record, RecordReference
from sfmap.engine.org import port
from sfmap.engine.sources.reading import json_bytes

_UNFIT_FOR_COMMENTS = re.compile("-(?=-)|[\ufffe\uffff]")


def json_line(number: int, mapped: Mapped) -> bytes:
    """The record or fate of the event with that number."""
    return json_bytes(as_json(number, mapped)) + b"\n"


def explained_line(number: int, explained: Explained) -> bytes:
    """The same as `json_line`, with the explanation of each field."""
    return json_bytes(as_json(number, explained.mapped) | explanation(explained)) + b"\n"


def explanation(explained: Explained) -> Line:
    """What an explained record adds to its payload."""
    return {"explain": [story.as_json() for story in explained.stories]}


def explained_text(number: int, explained: Explained) -> bytes:
    """The explained record as text."""
    return as_text(number, explained).encode("utf-8", "replace")


def soap_envelopes() -> Callable[[int, Mapped], bytes]:
    """A function like `json_line` that returns envelopes; a fate becomes a comment."""
    # zeep takes longer to import than everything else together.
    from sfmap.engine.org.soap.envelope_preview import Preview

    preview = Preview()

    def written(number: int, mapped: Mapped) -> bytes:
        if not isinstance(mapped, Record):
            return _comment(json_line(number, mapped).strip())
        contents = {**mapped.fields, **mapped.create_only, **mapped.if_empty}
        return preview.create(mapped.object, _write(contents)).encode()

    return written


def _comment(json: bytes) -> bytes:
    """The JSON as an XML comment; characters that are not allowed there are escaped as in JSON."""
    escaped = _UNFIT_FOR_COMMENTS.sub(lambda found: f"\\u{ord(found[0]):04x}", json.decode())
    return f"<!-- {escaped} -->\n".encode()


def _write(contents: Mapping[str, FieldContent]) -> port.RecordWrite:
    return port.RecordWrite(
        fields={
            name: content.values if isinstance(content, Addition) else content
            for name, content in contents.items()
            if isinstance(content, (str, int, float, Addition))
        },
        clear=tuple(name for name, content in contents.items() if content is None),
        references={
            name: port.Reference(content.objects[0], content.by, content.value)
            for name, content in contents.items()
            if isinstance(content, RecordReference)
        },
    )
