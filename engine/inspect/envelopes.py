"""The output of `sfmap render --format soap`: records as SOAP envelopes of creates, fates as comments."""

import re
from collections.abc import Callable, Mapping

from sfmap.engine.inspect.formats import json_line
from sfmap.engine.mapping.values.record import Addition, FieldContent, Mapped, Record, RecordReference
from sfmap.engine.org import port
from sfmap.engine.org.soap.envelope_preview import Preview

_UNFIT_FOR_COMMENTS = re.compile("-(?=-)|[\ufffe\uffff]")


def soap_envelopes() -> Callable[[int, Mapped], bytes]:
    """A function like `json_line` that returns envelopes; a fate becomes a comment."""
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
