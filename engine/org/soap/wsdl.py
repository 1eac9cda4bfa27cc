"""The WSDL for calls: the built-in one, or a user's partner WSDL with its record types relaxed."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from lxml import etree

from sfmap.engine.org.port import OrgOutOfReach
from sfmap.engine.org.soap.write_elements import API

_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_SCHEMA = "{http://www.w3.org/2001/XMLSchema}"
_LONGEST = 20_000_000
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


@dataclass(frozen=True, slots=True)
class Wsdl:
    content: bytes
    binding: str
    """The qualified name of its binding."""


def load_wsdl(path: Path | None) -> Wsdl:
    """The file's WSDL, or the built-in one. Raises `OrgOutOfReach` for a file that is not a partner WSDL."""
    ours = files(__package__).joinpath("partner.wsdl").read_bytes()
    if path is None:
        return Wsdl(ours, f"{{{API}}}Partner")
    theirs = _parsed(path)
    binding = theirs.find(f"{_WSDL}binding")
    schema = next((s for s in theirs.iter(f"{_SCHEMA}schema") if s.get("targetNamespace") == API), None)
    if theirs.tag != f"{_WSDL}definitions" or binding is None or schema is None:
        raise _unusable(path, "it is not a partner WSDL (an enterprise WSDL describes only one org's objects)")
    _open_up(schema, etree.fromstring(ours, _PARSER))
    return Wsdl(etree.tostring(theirs), f"{{{theirs.get('targetNamespace')}}}{binding.get('name')}")


def _parsed(path: Path) -> etree._Element:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unusable(path, str(error.strerror)) from None
    if len(content) > _LONGEST or b"<!DOCTYPE" in content:
        raise _unusable(path, "it is too large for a WSDL, or has a document type declaration")
    try:
        return etree.fromstring(content, _PARSER)
    except etree.XMLSyntaxError:
        raise _unusable(path, "it is not XML") from None


def _open_up(schema: etree._Element, ours: etree._Element) -> None:
    """Replaces definitions with ours of the same names, whose records and results allow any element.

    A strict reader that fails on an answer raises after the org has executed the call.
    """
    own_schema = next(ours.iter(f"{_SCHEMA}schema"))
    for definition in own_schema.iterchildren("{*}element", "{*}complexType"):
        for other in schema.findall(definition.tag):
            if other.get("name") == definition.get("name"):
                schema.remove(other)
        # Serialized and parsed again, so that the prefixes used in its attributes come along.
        schema.append(etree.fromstring(etree.tostring(definition), _PARSER))


def _unusable(path: Path, why: str) -> OrgOutOfReach:
    return OrgOutOfReach(
        f"The WSDL {path} cannot be used: {why}.",
        hint="Download it from Setup > API > Generate Partner WSDL, or leave wsdl out of sfmap.yaml.",
    )
